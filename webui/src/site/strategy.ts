// Who goes first: the choices, in the order in which people should consider them.

import type { Strategy } from '../api/box';

export const STRATEGIES = ['equal', 'first-come', 'priority', 'departure'] as const satisfies readonly Strategy[];

export function isStrategy(word: string): word is Strategy {
  return (STRATEGIES as readonly string[]).includes(word);
}
