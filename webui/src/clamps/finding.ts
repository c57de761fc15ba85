// What there is to say about a clamp, as a sentence, and what a person may do about it.

import type { Schemas } from '../api/client';
import { known, type Key, type Params } from '../i18n/t';

export type ClampLine = Schemas['ClampLineView'];
export type Clamps = Schemas['ClampsView'];

export type Weight = 'good' | 'warn' | 'note';
export type Act = 'turn' | 'swap' | null;

export interface Said {
  key: Key;
  params: Params;
  weight: Weight;
  /** What could be put right in software. */
  act: Act;
}

const WEIGHTS: Record<string, Weight> = { fits: 'good', 'fits-turned': 'good', 'nothing-to-tell': 'note', 'not-measured': 'note', neutral: 'note', 'no-voltage': 'note', unclear: 'note' };
const ACTS: Record<string, Act> = { backwards: 'turn', swapped: 'swap' };

export function said(line: ClampLine): Said {
  const key = `clamp.${line.finding}`;
  return {
    key: known(key) ? key : 'clamp.unclear',
    params: { line: line.line, other: line.other ?? '', full: line.full_scale_a ?? '' },
    weight: WEIGHTS[line.finding] ?? 'warn',
    act: ACTS[line.finding] ?? null,
  };
}
