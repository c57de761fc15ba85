import { expect, test } from 'vitest';
import { strength } from './password';

test('nine characters are too short whatever they are', () => {
  expect(strength('x9!Kq#2Zp', 10)).toBe('short');
});

test('what everybody tries first is weak', () => {
  for (const tried of ['password123', 'Passwort2025!', '1234567890', 'aaaaaaaaaaaaaaa', 'abcdefghijkl', 'qwertzuiop']) {
    expect(strength(tried, 10), tried).toBe('weak');
  }
});

test('four unrelated words are strong', () => {
  expect(strength('harbor violin mango thirteen', 10)).toBe('strong');
});
