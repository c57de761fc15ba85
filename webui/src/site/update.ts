// Why an update does not go on: in the reader's language where its code is known, else in the box's own words,
// which in English say more.

import type { Schemas } from '../api/client';
import { known, t } from '../i18n/t';
import { preferences } from '../state/preferences.svelte';

type Problem = Schemas['UpdateProblem'];

export function problemText({ code, text, found, here }: Problem): string {
  const key = `update.problem.${code}`;
  const told = found && here ? { found, here } : null;
  if (preferences.language === 'en' || !known(key)) return text;
  const word = t(key, told ?? {});
  // A refusal of RAUC itself does not say which is which.
  return word.includes('{') ? text : word;
}
