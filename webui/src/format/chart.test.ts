import { expect, test } from 'vitest';
import { areaPath, linePath, peak, stairPath, sum, timeAt, type Frame } from './chart';

const frame: Frame = { width: 110, height: 120, left: 10, right: 0, top: 0, bottom: 20 };
const time = { from: 0, to: 100 };

test('a gap in the record is a gap in the line', () => {
  expect(linePath(frame, time, 10, 0, 20, [5, 5, null, 10, 0])).toBe('M20 50L40 50M80 0L100 100');
});

test('a lone value between gaps can still be seen', () => {
  expect(linePath(frame, time, 10, 0, 20, [null, 5, null])).toBe('M40 50h1');
});

test('a limit holds until it changes', () => {
  expect(stairPath(frame, time, 10, 0, 25, [10, 10, 5, null])).toBe('M10 0H60V50H85');
});

test('an area is closed along the bottom, piece by piece', () => {
  expect(areaPath(frame, time, 10, 0, 50, [5, null])).toBe('M35 100L35 50L35 100Z');
});

test('pointing beside the axis means its end', () => {
  expect(timeAt(frame, time, -50)).toBe(0);
  expect(timeAt(frame, time, 60)).toBe(50);
  expect(timeAt(frame, time, 999)).toBe(100);
});

test('what is missing everywhere stays missing in the sum', () => {
  expect(sum([[1, null, null], [2, 3, null]])).toEqual([3, 3, null]);
  expect(sum([])).toEqual([]);
});

test('the peak of nothing is nothing', () => {
  expect(peak([null, null])).toBeNull();
  expect(peak([1, null, 7, 7])).toEqual({ value: 7, at: 2 });
});
