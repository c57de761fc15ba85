// What a charger is doing, in plain words and one picture, and why its limit is not higher.

import type { Key, Params } from '../i18n/t';
import { known } from '../i18n/t';
import { limit } from '../format/quantity';
import { drawn } from './lines';
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

/** Limits are rounded down by less than this. */
const STEP_A = 1;

const WAITING = new Set(['waits-for-turn', 'nothing-left', 'overload', 'overload-outlasts', 'overload-device', 'lockout']);

export function activity(charger: Charger): Activity {
  if (!charger.online) return { glyph: 'offline', key: 'state.offline' };
  const told = ACTIVITIES[charger.state] ?? { glyph: 'unknown', key: 'state.unknown' };
  const waits = WAITING.has(charger.reason_code) && ['Preparing', 'SuspendedEVSE'].includes(charger.state);
  return waits ? { glyph: 'waiting', key: 'state.waiting' } : told;
}

/** It was told to draw less, and has not been seen to: by its limit alone nobody knows what flows. */
export function unsettled(charger: Charger): boolean {
  const { limit_a: limit, confirmed, reason_code: why } = charger;
  return limit != null && !confirmed && why !== 'no-car' && (drawn(charger) ?? Infinity) > limit + STEP_A / 2;
}

export interface Sentence {
  key: Key;
  params: Params;
}

/** A person's order holds it where it is: that comes before what the allocation says. */
function held(charger: Charger): Sentence | null {
  const { held_a: most, limit_a: now } = charger;
  if (most == null || !charger.online) return null;
  if (most === 0) return { key: 'reason.paused-by-hand', params: {} };
  return now != null && now > most - STEP_A ? { key: 'reason.held-by-hand', params: { limit: limit(most) } } : null;
}

/** The reason in the reader's language, or null: then the box's own English sentence must do. */
export function reason(charger: Charger): Sentence | null {
  const byHand = held(charger);
  if (byHand) return byHand;
  const key = `reason.${charger.reason_code}`;
  const params = { circuit: charger.reason_circuit ?? '', line: charger.reason_line ?? '', input: charger.reason_input ?? '' };
  return known(key) ? { key, params } : null;
}
