// Numbers as people read them, in the reader's language. Missing is a dash, never a zero.

import { preferences } from '../state/preferences.svelte';

const MISSING = '–';

/** The reader's own way of writing numbers and dates, where it belongs to the language of the page. */
function locale(): string {
  const { language } = preferences;
  const own = typeof navigator === 'undefined' ? undefined : navigator.languages?.find((tag) => tag.startsWith(`${language}-`));
  return own ?? (language === 'en' ? 'en-GB' : 'de-DE');
}

const formats = new Map<string, Intl.NumberFormat>();

function number(value: number, digits: number): string {
  const key = `${preferences.language}${digits}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(key, format);
  }
  // Rounded first: minus a little is nothing, not minus nothing.
  const rounded = Number(value.toFixed(digits));
  return format.format(rounded === 0 ? 0 : rounded).replace('-', '−');
}

export type Maybe = number | null | undefined;

/** 12.3; whole numbers from 100 on. */
export function bareAmps(value: Maybe): string {
  if (value == null) return MISSING;
  return number(value, Math.abs(value) >= 99.95 ? 0 : 1);
}

/** A number with so many digits behind the point. */
export function bareNumber(value: Maybe, digits: number): string {
  return value == null ? MISSING : number(value, digits);
}

export function amps(value: Maybe): string {
  return `${bareAmps(value)} A`;
}

/** A limit: 63 A, 13.5 A. */
export function limit(value: Maybe): string {
  if (value == null) return `${MISSING} A`;
  return `${number(value, Number.isInteger(Math.round(value * 10) / 10) ? 0 : 1)} A`;
}

export function watts(value: Maybe): string {
  if (value == null) return `${MISSING} kW`;
  const kilowatts = value / 1000;
  return `${number(kilowatts, Math.abs(kilowatts) >= 99.95 ? 0 : 1)} kW`;
}

export function wattHours(value: Maybe): string {
  if (value == null) return `${MISSING} kWh`;
  return `${number(value / 1000, Math.abs(value) >= 99_950 ? 0 : 1)} kWh`;
}

export function volts(value: Maybe): string {
  return value == null ? `${MISSING} V` : `${number(value, 0)} V`;
}

/** 40 s, 12 min, 3 h 05, 2 d 4 h. */
export function span(seconds: Maybe): string {
  if (seconds == null) return MISSING;
  const s = Math.max(0, Math.round(seconds));
  if (s < 90) return `${s} s`;
  const minutes = Math.round(s / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')}`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function clock(ms: Maybe, seconds = false): string {
  if (ms == null) return MISSING;
  const style: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  return new Date(ms).toLocaleTimeString(locale(), seconds ? { ...style, second: '2-digit' } : style);
}

export function day(ms: Maybe): string {
  if (ms == null) return MISSING;
  return new Date(ms).toLocaleDateString(locale(), { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
}

export function moment(ms: Maybe): string {
  return ms == null ? MISSING : `${day(ms)}, ${clock(ms)}`;
}
