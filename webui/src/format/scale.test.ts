import { expect, test } from 'vitest';
import { barScale, ticks } from './scale';

const load = { limit: 63, used: 40, building: 20, charging: 20, worst: 50 };

test('the limit post stays where it is while nothing exceeds it', () => {
  const calm = barScale(load);
  const busy = barScale({ ...load, used: 62, charging: 42 });
  expect(calm(63)).toBe(busy(63));
  expect(calm(63)).toBeLessThan(100);
});

test('an excess is drawn beyond the post and inside the bar', () => {
  const scale = barScale({ ...load, used: 90, charging: 70 });
  expect(scale(90)).toBe(100);
  expect(scale(63)).toBe(70);
});

test('nothing on a line without a limit is nothing, not a fault', () => {
  expect(barScale({ limit: 0, used: 0, building: 0, charging: 0, worst: 0 })(0)).toBe(0);
});

test('an axis has round steps that reach the top', () => {
  expect(ticks(63, 4)).toEqual([0, 20, 40, 60, 80]);
  expect(ticks(0.3, 3)).toEqual([0, 0.1, 0.2, 0.3]);
  expect(ticks(100, 5)).toEqual([0, 20, 40, 60, 80, 100]);
});
