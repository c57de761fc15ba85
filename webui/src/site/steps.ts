// How far the set-up of a new box has come.

import type { Site } from '../state/live.svelte';

/** A new box comes with one circuit of this limit on each line, which nobody chose. */
const FACTORY_A = 16;

/** Circuits, meter, chargers: which of them are there. */
export function steps({ circuits, meters, chargers }: Pick<Site, 'circuits' | 'meters' | 'chargers'>): [boolean, boolean, boolean] {
  const chosen = circuits.length > 1 || (circuits[0]?.limit_a.some((ampere) => ampere !== FACTORY_A) ?? false);
  const top = circuits.find(({ parent }) => parent == null)?.id;
  return [chosen, meters.some(({ circuit }) => circuit === top), chargers.length > 0];
}
