// Power at a glance: what comes from the grid, what the chargers take, and the rest, which is the
// building, or, where it is negative, the sun.

import type { Site } from '../state/live.svelte';

export interface Flow {
  /** Watts from the grid; negative goes out. Null: not measured. */
  grid: number | null;
  chargers: number;
  building: number | null;
  /** What must at least be made on the site. */
  surplus: number;
}

const NOMINAL_VOLTS = 230;

export function flow(site: Site): Flow {
  const root = site.circuits.find(({ parent }) => parent == null);
  const meter = site.meters.find(({ circuit, quality }) => circuit === root?.id && quality !== 'missing' && quality !== 'bad');
  const grid = meter?.power_w ?? null;
  const chargers = site.chargers.reduce((sum, charger) => sum + chargerWatts(charger), 0);
  const rest = grid === null ? null : grid - chargers;
  return {
    grid,
    chargers,
    building: rest === null ? null : Math.max(0, rest),
    surplus: rest === null ? 0 : Math.max(0, -rest),
  };
}

/** Told by the charger, or estimated from its currents. */
function chargerWatts(charger: Site['chargers'][number]): number {
  return charger.power_w ?? (charger.drawn_a ?? []).reduce((sum, ampere) => sum + ampere, 0) * NOMINAL_VOLTS;
}
