import { expect, test } from 'vitest';
import { closeUp, dayFrom, dayName, daySpan, fieldTime, marks, shiftDay } from './days';

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

test('what a young box has recorded is shown in its whole hours, a full day as a day', () => {
  const day = daySpan(new Date(2025, 4, 6));
  const at = (hour: number, minute: number) => new Date(2025, 4, 6, hour, minute).getTime();
  expect(closeUp(day, at(14, 20), at(14, 35))).toEqual({ from_ms: at(14, 0), to_ms: at(15, 0) });
  expect(closeUp(day, at(22, 50), at(23, 59))).toEqual({ from_ms: at(22, 0), to_ms: day.to_ms });
  expect(closeUp(day, at(9, 0), at(11, 5))).toBeNull();
  expect(marks({ from_ms: at(14, 0), to_ms: at(15, 0) }, false).map(({ text }) => text)).toEqual(['14:00', '14:15', '14:30', '14:45', '15:00']);
  expect(marks(day, true).map(({ text }) => text)).toEqual(['00', '06', '12', '18', '24']);
});
