import { expect, test } from 'vitest';
import { nameFault, numberFault, parseNumber, showLimit, showNumber, toAll, toEach } from './parse';

test('comma and point mean the same', () => {
  expect(parseNumber(' 13,5 ')).toBe(13.5);
  expect(parseNumber('13.5')).toBe(13.5);
  expect(parseNumber('.5')).toBe(0.5);
});

test('what is no number is kept as it was typed', () => {
  for (const typed of ['16 A', '1,2,3', '1e3', 'NaN', 'Infinity', '--4']) expect(parseNumber(typed)).toBe(typed);
});

test('an emptied field leaves the key out', () => {
  expect(parseNumber('  ')).toBeUndefined();
});

test('what was typed is what is shown again', () => {
  expect(showNumber(13.5, 'de')).toBe('13,5');
  expect(showNumber('16 A', 'de')).toBe('16 A');
  expect(showNumber(undefined, 'en')).toBe('');
});

test('a folded entry bears whatever was typed into it', () => {
  expect([63, [63, 'x', 50], 'abc', undefined, null].map(showLimit)).toEqual(['63 A', '63 A / x / 50 A', 'abc', '– A', '– A']);
});

test('a field says what is wrong before the box does', () => {
  const amperes = { low: 6, high: 80 };
  expect(numberFault(undefined, amperes, true)).toBe('needed');
  expect(numberFault(undefined, amperes, false)).toBeNull();
  expect(numberFault('x', amperes, false)).toBe('number');
  expect(numberFault(5.9, amperes, false)).toBe('range');
  expect(numberFault(6.5, { ...amperes, whole: true }, false)).toBe('whole');
  expect(numberFault(80, amperes, true)).toBeNull();
});

test('a name that a topic cannot carry is refused', () => {
  expect(nameFault('bay-1_a')).toBeNull();
  for (const name of ['bay 1', 'bay/1', 'bäy', 'x'.repeat(41)]) expect(nameFault(name)).toBe('name');
  expect(nameFault('')).toBe('needed');
});

test('one number for all lines becomes one for each and back, never more than the lowest', () => {
  expect(toEach(63, 3)).toEqual([63, 63, 63]);
  expect(toEach([63, 50], 3)).toEqual([63, 50, 63]);
  expect(toAll([63, 50, 63])).toBe(50);
  expect(toAll([])).toBeUndefined();
});
