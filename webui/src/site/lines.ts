// What flows on each line of a circuit, split into building and charging. Pure arithmetic on the
// picture that the box sends; nothing here decides anything.

import type { Charger, Circuit, Site } from '../state/live.svelte';

export const LINES = ['L1', 'L2', 'L3'] as const;
export type Line = (typeof LINES)[number];

export interface LineLoad {
  line: Line;
  limit: number;
  /** All that flows: measured, or building and charging together where no meter is. */
  used: number;
  measured: boolean;
  building: number;
  /** Something is known of the building's load here: measured, assumed, or measured further down. */
  buildingKnown: boolean;
  charging: number;
  /** What is left under the limit; negative when it is exceeded. */
  free: number;
  worst: number;
}

/** Lines that exist: a single-phase supply has one. */
export function lineLoads(site: Site, circuit: Circuit): LineLoad[] {
  const charging = chargingOf(site, circuit.id);
  return LINES.flatMap((line, i) => {
    const own = circuit.limit_a[i] ?? 0;
    const load = lineLoad(line, limitNow(circuit)[i] ?? 0, circuit, i, charging[i] ?? 0);
    return own === 0 && load.used < 0.05 ? [] : [load];
  });
}

function lineLoad(line: Line, limit: number, circuit: Circuit, i: number, charging: number): LineLoad {
  const reading = circuit.measured_a?.[i];
  const building = reading === undefined ? (circuit.other_load_a[i] ?? 0) : Math.max(0, reading - charging);
  const used = reading ?? building + charging;
  const worst = circuit.worst_case_a[i] ?? 0;
  return { line, limit, used, measured: reading !== undefined, building, buildingKnown: reading !== undefined || building > 0, charging: Math.min(charging, Math.max(used, 0)), free: limit - used, worst };
}

/** The limit in force: the circuit's own, or the lower one that somebody set for a while. */
export function limitNow(circuit: Circuit): number[] {
  return circuit.lowered?.limit_a ?? circuit.limit_a;
}

/** Amperes that the chargers of this circuit and those below draw on each line. */
export function chargingOf(site: Site, circuit: string): number[] {
  const inside = subtree(site, circuit);
  const sum = [0, 0, 0];
  for (const charger of site.chargers) {
    if (inside.has(charger.circuit)) charger.drawn_a?.forEach((ampere, i) => (sum[i] = (sum[i] ?? 0) + ampere));
  }
  return sum;
}

export function subtree(site: Site, circuit: string): Set<string> {
  const inside = new Set([circuit]);
  // A parent always stands before its children.
  for (const { id, parent } of site.circuits) if (parent != null && inside.has(parent)) inside.add(id);
  return inside;
}

/** How deep a circuit lies in the tree; 0 is the grid connection. */
export function depth(site: Site, circuit: Circuit): number {
  const parent = site.circuits.find(({ id }) => id === circuit.parent);
  return parent ? depth(site, parent) + 1 : 0;
}

/** The largest current on any line: what a single number for a charger means. */
export function drawn(charger: Charger): number | null {
  return charger.drawn_a ? Math.max(...charger.drawn_a) : null;
}

export interface Tight extends LineLoad {
  circuit: string;
}

/** The line with least room, relative to its limit. */
export function tightest(site: Site): Tight | null {
  const all = site.circuits.flatMap((circuit) => lineLoads(site, circuit).map((load) => ({ ...load, circuit: circuit.id })));
  return all.reduce<Tight | null>((least, load) => (least && share(least) >= share(load) ? least : load), null);
}

function share(load: LineLoad): number {
  return load.limit > 0 ? load.used / load.limit : load.used > 0 ? Infinity : 0;
}
