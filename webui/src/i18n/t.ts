// Words of the page in the reader's language. Every entry has both languages, so a missing
// translation does not compile; an unknown key does not either.

import { preferences } from '../state/preferences.svelte';
import { words } from './words/index';

/** English, German. `{name}` takes a parameter; `one|many` is chosen by the parameter `n`. */
export type Word = readonly [english: string, german: string];
export type Key = keyof typeof words;
export type Params = Record<string, string | number>;

export function t(key: Key, params: Params = {}): string {
  const [english, german] = words[key];
  return fill(preferences.language === 'de' ? german : english, params);
}

/** For keys that come from the box: its word if we have none. */
export function known(key: string): key is Key {
  return Object.hasOwn(words, key);
}

export function fill(template: string, params: Params): string {
  const [one, many] = template.split('|');
  const chosen = many !== undefined && params.n !== 1 ? many : (one ?? '');
  return chosen.replace(/\{(\w+)\}/g, (whole, name: string) => (name in params ? String(params[name]) : whole));
}
