// From the key of a mistake to the place on the page where it is shown.

import type { Problem } from '../api/client';

/** Is `key` this key, or inside it? `charger[2].max_a` is beneath `charger[2]` and `charger`. */
export function beneath(key: string, outer: string): boolean {
  return key === outer || (key.startsWith(outer) && '.['.includes(key.charAt(outer.length)));
}

export const SECTIONS = {
  site: ['name', 'server', 'version'],
  circuits: ['circuit'],
  meters: ['meter', 'clamps'],
  chargers: ['charger', 'adoption'],
  ports: ['port'],
  contacts: ['input'],
  broker: ['mqtt'],
  updates: ['hawkbit'],
  policy: ['policy'],
} as const;

export type Section = keyof typeof SECTIONS;

export function sectionOf(key: string): Section {
  const found = Object.entries(SECTIONS).find(([, keys]) => keys.some((outer) => beneath(key, outer)));
  return (found?.[0] as Section | undefined) ?? 'site';
}

/** `is 5 A, outside 6 to 80 A` as a sentence of its own. */
export function asSentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

/** For a list of mistakes: the entry's name before its field, as far as there is one. */
export function placeOf(problem: Problem): string {
  const field = problem.key.split('.').slice(problem.id ? 1 : 0).join('.');
  return [problem.id, field].filter(Boolean).join(' · ');
}
