import { beforeEach, expect, test } from 'vitest';
import { ApiError } from '../api/client';
import { preferences } from '../state/preferences.svelte';
import { fill, known, t } from './t';
import { alertText, spoken } from './spoken';
import { trouble } from './trouble';
import { words } from './words/index';

beforeEach(() => {
  preferences.language = 'en';
});

test('both languages of a word take the same parameters', () => {
  for (const [key, [english, german]] of Object.entries(words)) {
    const names = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort();
    expect(names(german), key).toEqual(names(english));
  }
});

test('no word is empty and none is English twice by mistake', () => {
  for (const [key, [english, german]] of Object.entries(words)) {
    expect(english.length * german.length, key).toBeGreaterThan(0);
    if (english.includes(' ') && !english.includes('{')) expect(german, key).not.toBe(english);
  }
});

test('one is singular, everything else is not', () => {
  expect(t('verdict.alarm', { n: 1 })).toBe('1 alarm needs you');
  expect(t('verdict.alarm', { n: 0 })).toBe('0 alarms need you');
  preferences.language = 'de';
  expect(t('verdict.alarm', { n: 2 })).toBe('2 Alarme brauchen Sie');
});

test('a parameter that is missing stays visible', () => {
  expect(fill('{line} of {circuit}', { line: 'L2' })).toBe('L2 of {circuit}');
});

test('a word of the box that we do not have is not taken for one', () => {
  expect(known('reason.line-full')).toBe(true);
  expect(known('reason.toString')).toBe(false);
  expect(known('constructor')).toBe(false);
});

test('a refusal keeps what the box says to do', () => {
  const error = new ApiError(503, { error: { code: 'busy', message: 'too much is going on', remedy: 'try again' } });
  expect(trouble(error)).toBe('The box refused: Too much is going on. Try again.');
  expect(trouble(new ApiError(0, {}))).toContain('does not answer');
});

test('what the box says is German on a German page, by its code', () => {
  const busy = new ApiError(503, { error: { code: 'busy', message: 'the box is busy', remedy: 'Try again.' } });
  expect(trouble(busy)).toBe('The box refused: The box is busy. Try again.');
  preferences.language = 'de';
  expect(trouble(busy)).toContain('Die Box ist beschäftigt.');
  expect(trouble(new ApiError(400, { error: { code: 'something-new', message: 'What it is.' } }))).toContain('What it is.');
});

test('a German sentence that lacks a value gives way to the words of the box', () => {
  preferences.language = 'de';
  expect(spoken('older', 'RAUC says: older', { found: '1.0', here: '2.0' })).toContain('1.0 statt 2.0');
  expect(spoken('older', 'RAUC says: older')).toBe('RAUC says: older');
  expect(spoken('not-up', 'did not come up', { from: '1.0', to: '2.0' })).toBe('2.0 kam nicht bis zum Programm. Die Box kehrte von selbst zu 1.0 zurück.');
});

test('an alert is German on a German page, with what it is about', () => {
  const alert = { code: 'meter-lost', about: 'main', text: 'Meter main is lost.' };
  expect(alertText(alert)).toBe('Meter main is lost.');
  preferences.language = 'de';
  expect(alertText(alert)).toContain('main antwortet nicht.');
  expect(alertText({ ...alert, code: 'something-new' })).toBe('Meter main is lost.');
});
