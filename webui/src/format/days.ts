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

/** For a date-and-time field, in local time. */
export function fieldTime(ms: number): string {
  const at = new Date(ms);
  return `${dayName(at)}T${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
}
