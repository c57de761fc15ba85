// Between what people type and what the configuration holds. A value that is no number stays as it was
// typed: the box refuses it with a reason, and nothing is lost.

import { limit } from '../format/quantity';

/** `13,5` and `13.5` are the same number; nothing is nothing. */
export function parseNumber(text: string): number | string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const plain = trimmed.replace(',', '.');
  const number = Number(plain);
  return /^[-+]?(\d+\.?\d*|\.\d+)$/.test(plain) && Number.isFinite(number) ? number : trimmed;
}

export function showNumber(value: unknown, language: string): string {
  if (typeof value !== 'number') return typeof value === 'string' ? value : '';
  return language === 'de' ? String(value).replace('.', ',') : String(value);
}

/** For a folded entry: `63 A`, or what was typed instead of a number, or a dash. */
export function showLimit(value: unknown): string {
  if (Array.isArray(value)) return value.map(showLimit).join(' / ');
  return typeof value === 'string' ? value : limit(typeof value === 'number' ? value : null);
}

export interface Range {
  low: number;
  high: number;
  whole?: boolean;
}

export type Fault = 'needed' | 'number' | 'range' | 'whole' | 'name' | null;

/** What is wrong with a number, before the box has been asked. */
export function numberFault(value: unknown, range: Range, needed: boolean): Fault {
  if (value === undefined || value === null) return needed ? 'needed' : null;
  if (typeof value !== 'number') return 'number';
  if (range.whole && !Number.isInteger(value)) return 'whole';
  return value < range.low || value > range.high ? 'range' : null;
}

/** Names end up in MQTT topics and URLs. */
export function nameFault(value: string | undefined): Fault {
  if (!value) return 'needed';
  return /^[\w-]{1,40}$/.test(value) ? null : 'name';
}

/** One number for all lines, or one for each. */
export type Amperes = number | number[];

export function toEach(value: Amperes | null | undefined, lines: number): number[] {
  if (Array.isArray(value)) return Array.from({ length: lines }, (_, i) => value[i] ?? value[0] ?? 0);
  return Array<number>(lines).fill(value ?? 0);
}

export function toAll(value: Amperes | null | undefined): number | undefined {
  // Of several limits the lowest is the one that is safe on every line.
  if (Array.isArray(value)) return value.length === 0 ? undefined : Math.min(...value);
  return value ?? undefined;
}
