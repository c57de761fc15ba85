// What a charger is doing, in plain words and one picture, and why its limit is not higher.

import type { Key, Params } from '../i18n/t';
import { known } from '../i18n/t';
import type { Charger } from '../state/live.svelte';

export type Glyph = 'free' | 'ready' | 'charging' | 'paused' | 'waiting' | 'done' | 'fault' | 'offline' | 'unknown';

export interface Activity {
  glyph: Glyph;
  key: Key;
}

const ACTIVITIES: Record<string, Activity> = {
  Available: { glyph: 'free', key: 'state.free' },
  Preparing: { glyph: 'ready', key: 'state.ready' },
  Charging: { glyph: 'charging', key: 'state.charging' },
  SuspendedEV: { glyph: 'done', key: 'state.car-waits' },
  SuspendedEVSE: { glyph: 'paused', key: 'state.paused' },
  Finishing: { glyph: 'done', key: 'state.finishing' },
  Reserved: { glyph: 'ready', key: 'state.reserved' },
  Unavailable: { glyph: 'fault', key: 'state.unavailable' },
  Faulted: { glyph: 'fault', key: 'state.fault' },
};

const WAITING = new Set(['waits-for-turn', 'nothing-left']);

export function activity(charger: Charger): Activity {
  if (!charger.online) return { glyph: 'offline', key: 'state.offline' };
  const told = ACTIVITIES[charger.state] ?? { glyph: 'unknown', key: 'state.unknown' };
  const waits = WAITING.has(charger.reason_code) && ['Preparing', 'SuspendedEVSE'].includes(charger.state);
  return waits ? { glyph: 'waiting', key: 'state.waiting' } : told;
}

export interface Sentence {
  key: Key;
  params: Params;
}

/** The reason in the reader's language, or null: then the box's own English sentence must do. */
export function reason(charger: Charger): Sentence | null {
  const key = `reason.${charger.reason_code}`;
  const params = { circuit: charger.reason_circuit ?? '', line: charger.reason_line ?? '' };
  return known(key) ? { key, params } : null;
}
