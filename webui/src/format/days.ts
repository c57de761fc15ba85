// Days of the calendar where the reader is, as stretches of time. A day may have 23 or 25 hours.

import type { Span } from '../api/box';

/** `2025-11-23` for a date field. */
export function dayName(at: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

export function dayFrom(name: string): Date | null {
  const [year, month, day] = name.split('-').map(Number);
  const date = new Date(year ?? NaN, (month ?? NaN) - 1, day ?? NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}

export function daySpan(day: Date): Span {
  const from = new Date(day.getFullYear(), day.getMonth(), day.getDate());
  return { from_ms: from.getTime(), to_ms: shiftDay(from, 1).getTime() };
}

export function shiftDay(day: Date, days: number): Date {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days);
}

const HOUR_MS = 3_600_000;

/** The whole hours around what was recorded, where that is so little that a day's chart would hide it. */
export function closeUp(day: Span, firstMs: number, lastMs: number): Span | null {
  const from_ms = day.from_ms + Math.floor((firstMs - day.from_ms) / HOUR_MS) * HOUR_MS;
  const hours = Math.ceil((lastMs - from_ms) / HOUR_MS);
  return hours > 2 ? null : { from_ms, to_ms: Math.min(from_ms + Math.max(1, hours) * HOUR_MS, day.to_ms) };
}

/** Where a chart's axis is labelled: every few hours of a day, every quarter of an hour of less. */
export function marks(span: Span, few: boolean): { at: number; text: string }[] {
  const two = (number: number) => String(number).padStart(2, '0');
  if (span.to_ms - span.from_ms > 4 * HOUR_MS) {
    const hours = Array.from({ length: 25 }, (_, hour) => hour).filter((hour) => hour % (few ? 6 : 3) === 0);
    return hours.map((hour) => ({ at: new Date(span.from_ms).setHours(hour), text: two(hour) }));
  }
  const every = (few ? 30 : 15) * 60_000;
  const count = Math.floor((span.to_ms - span.from_ms) / every) + 1;
  return Array.from({ length: count }, (_, i) => span.from_ms + i * every).map((at) => ({ at, text: `${two(new Date(at).getHours())}:${two(new Date(at).getMinutes())}` }));
}

/** For a date-and-time field, in local time. */
export function fieldTime(ms: number): string {
  const at = new Date(ms);
  return `${dayName(at)}T${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
}
