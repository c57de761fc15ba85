// An alert in the reader's language where its code is known, else in the box's own words.

import type { Alert } from '../state/live.svelte';
import { known, t } from './t';
import { preferences } from '../state/preferences.svelte';

export function alertText(alert: Pick<Alert, 'code' | 'about' | 'text'>): string {
  const key = `alert.${alert.code}`;
  return preferences.language !== 'en' && known(key) ? t(key, { about: alert.about }) : alert.text;
}
