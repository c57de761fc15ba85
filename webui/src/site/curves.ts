// Which of the recorded series belong to a circuit or a charger, ready to be drawn.

import type { History, Series, Span } from '../api/box';
import { sum, type Values } from '../format/chart';

export interface Curve {
  /** `L1`, `L2`, `L3`, or null for all lines together. */
  line: string | null;
  values: Values;
  /** The highest instant of each step. */
  highest: Values;
}

function find(history: History, kind: string, ids: ReadonlySet<string>, quantity: string): Series[] {
  return history.series.filter((series) => series.kind === kind && ids.has(series.id) && series.quantity === quantity);
}

/** From the first to the last step that has a value. */
export function recorded(history: History): Span | null {
  let [first, last] = [Infinity, -1];
  for (const { mean } of history.series) {
    mean.forEach((value, step) => {
      if (value != null) [first, last] = [Math.min(first, step), Math.max(last, step)];
    });
  }
  const at = (step: number) => history.from_ms + step * history.step_s * 1000;
  return last < 0 ? null : { from_ms: at(first), to_ms: at(last + 1) };
}

export function curves(history: History, kind: 'circuit' | 'charger', id: string, quantity: 'current' | 'limit'): Curve[] {
  return find(history, kind, new Set([id]), quantity)
    .map((series) => ({ line: series.line ?? null, values: series.mean.map(orNull), highest: series.max.map(orNull) }))
    .filter((curve) => curve.values.some((value) => value !== null))
    .sort((a, b) => (a.line ?? '').localeCompare(b.line ?? ''));
}

/** The lowest limit of all lines at every step: the one that counts for whoever reads a single line. */
export function lowestLimit(limits: readonly Curve[]): (number | null)[] {
  const length = Math.max(0, ...limits.map(({ values }) => values.length));
  return Array.from({ length }, (_, i) => {
    const there = limits.map(({ values }) => values[i] ?? null).filter((value): value is number => value !== null && value > 0);
    return there.length === 0 ? null : Math.min(...there);
  });
}

/** What these chargers drew together, on the line that carried most. */
export function charging(history: History, chargers: ReadonlySet<string>): (number | null)[] {
  const all = find(history, 'charger', chargers, 'current');
  const byLine = ['L1', 'L2', 'L3'].map((line) => sum(all.filter((series) => series.line === line).map(({ mean }) => mean.map(orNull))));
  const alone = sum(all.filter((series) => series.line == null).map(({ mean }) => mean.map(orNull)));
  return highest([...byLine, alone]);
}

function highest(lists: readonly Values[]): (number | null)[] {
  const length = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length }, (_, i) => {
    const there = lists.map((list) => list[i] ?? null).filter((value) => value !== null);
    return there.length === 0 ? null : Math.max(...there);
  });
}

function orNull(value: number | null | undefined): number | null {
  return value ?? null;
}
