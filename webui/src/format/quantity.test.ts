import { beforeEach, expect, test } from 'vitest';
import { preferences } from '../state/preferences.svelte';
import { amps, bareAmps, limit, span, wattHours, watts } from './quantity';

beforeEach(() => {
  preferences.language = 'en';
});

test('a missing value is a dash and never a zero', () => {
  expect(amps(null)).toBe('– A');
  expect(watts(undefined)).toBe('– kW');
  expect(wattHours(null)).toBe('– kWh');
  expect(span(null)).toBe('–');
});

test('a German reads commas', () => {
  preferences.language = 'de';
  expect(amps(13.46)).toBe('13,5 A');
  expect(watts(-2350)).toBe('−2,4 kW');
});

test('from a hundred on nobody needs tenths', () => {
  expect(bareAmps(99.94)).toBe('99.9');
  expect(bareAmps(99.96)).toBe('100');
  expect(watts(123_456)).toBe('123 kW');
});

test('a whole limit is written without a tenth, another with one', () => {
  expect(limit(16)).toBe('16 A');
  expect(limit(13.5)).toBe('13.5 A');
  expect(limit(0)).toBe('0 A');
});

test('nothing draws minus zero', () => {
  expect(bareAmps(-0)).toBe('0.0');
  expect(bareAmps(-0.04)).not.toContain('−');
});

test('a span is said in the two units that matter', () => {
  expect([0, 89, 90, 3599, 3700, 90_000].map(span)).toEqual(['0 s', '89 s', '2 min', '1 h 00', '1 h 02', '1 d 1 h']);
});
