import { expect, test } from 'vitest';
import { dayFrom, dayName, daySpan, fieldTime, shiftDay } from './days';

test('a day ends where the next one starts, also where clocks change', () => {
  for (let day = new Date(2025, 0, 1); day.getFullYear() === 2025; day = shiftDay(day, 1)) {
    expect(daySpan(day).to_ms).toBe(daySpan(shiftDay(day, 1)).from_ms);
  }
});

test('the day before the first of March is the last of February', () => {
  expect(dayName(shiftDay(new Date(2028, 2, 1), -1))).toBe('2028-02-29');
});

test('a date field and a date are the same day', () => {
  expect(dayName(dayFrom('2025-11-03') ?? new Date(0))).toBe('2025-11-03');
  expect(dayFrom('')).toBeNull();
});

test('a time field gets local time', () => {
  expect(fieldTime(new Date(2025, 4, 6, 7, 8).getTime())).toBe('2025-05-06T07:08');
});
