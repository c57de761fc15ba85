// Supply systems as an installer knows them, and how many lines each has.

import type { Schemas } from '../api/client';
import type { Key } from '../i18n/t';

export type Supply = Schemas['SupplyPart'];
type Circuit = Schemas['CircuitEntry'];

export const SUPPLIES: readonly (Supply & { key: Key })[] = [
  { system: 'star', volts: 230, key: 'supply.star-230' },
  { system: 'single', volts: 230, key: 'supply.single-230' },
  { system: 'delta', volts: 230, key: 'supply.delta-230' },
  { system: 'split', volts: 120, key: 'supply.split-120' },
  { system: 'star', volts: 120, key: 'supply.star-120' },
  { system: 'star', volts: 277, key: 'supply.star-277' },
  { system: 'delta', volts: 480, key: 'supply.delta-480' },
];

export function supplyWord(supply: Supply | null | undefined): string {
  return supply ? `${supply.system}-${supply.volts}` : '';
}

export function supplyFrom(word: string): Supply | undefined {
  const [system, volts] = word.split('-');
  return word === '' ? undefined : { system: system as Supply['system'], volts: Number(volts) };
}

/** The supply of a circuit: its own, or that of the nearest parent that has one. */
export function supplyOf(circuits: readonly Circuit[], circuit: Circuit): Supply {
  const seen = new Set<string>();
  for (let at: Circuit | undefined = circuit; at && !seen.has(at.id); at = circuits.find(({ id }) => id === at?.parent)) {
    if (at.supply) return at.supply;
    seen.add(at.id);
  }
  return { system: 'star', volts: 230 };
}

export function linesOf(supply: Supply): number {
  return { star: 3, delta: 3, split: 2, single: 1 }[supply.system];
}
