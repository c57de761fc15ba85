// A plausible site that breathes, for developing the page without a box. Shipped nowhere, decides
// nothing: limits are shared roughly, so that the page has something to show.

import type { Schemas } from '../../src/api/client';

type Site = Schemas['SiteView'];
type Charger = Schemas['ChargerView'];

interface Bay {
  id: string;
  circuit: string;
  vendor: string;
  model: string;
  lines: number[];
  max: number;
  state: string;
  online: boolean;
  energy: number;
  taper: number;
  hold: number | null;
  departs: number | null;
  needs: number | null;
}

const bay = (id: string, lines: number[], max: number, state: string, rest: Partial<Bay> = {}): Bay => ({
  id,
  circuit: 'garage',
  vendor: 'Alfen',
  model: 'Eve Single Pro',
  lines,
  max,
  state,
  online: true,
  energy: 0,
  taper: 99,
  hold: null,
  departs: null,
  needs: null,
  ...rest,
});

export const bays: Bay[] = [
  bay('bay-1', [0, 1, 2], 32, 'Charging', { energy: 7240 }),
  bay('bay-2', [1], 32, 'Charging', { energy: 3120, vendor: 'KEBA', model: 'P30 x-series' }),
  bay('bay-3', [2, 0, 1], 16, 'Charging', { energy: 18_420, taper: 8.4 }),
  bay('bay-4', [0, 1, 2], 32, 'Available'),
  bay('bay-5', [1, 2, 0], 22, 'Charging', { energy: 940, vendor: 'Webasto', model: 'Unite' }),
  bay('bay-6', [0], 32, 'SuspendedEV', { energy: 31_050 }),
  bay('bay-7', [2], 16, 'SuspendedEVSE', { energy: 210 }),
  bay('bay-8', [0, 1, 2], 16, 'Preparing'),
  bay('bay-9', [0, 1, 2], 32, 'Finishing', { energy: 42_800 }),
  bay('bay-10', [1, 2, 0], 16, 'Charging', { online: false, vendor: 'ABB', model: 'Terra AC' }),
  bay('bay-11', [0, 1, 2], 16, 'Available'),
  bay('fast', [0, 1, 2], 46, 'Charging', { circuit: 'grid', vendor: 'Kempower', model: 'S-Series', energy: 12_300 }),
];

export const waiting: Schemas['WaitingView'][] = [
  { name: 'CP-17', outlets: 2, vendor: 'Mennekes', model: 'Amtron Professional', serial: '1342004411', proposal: { id: 'cp-17', circuit: 'grid', rotation: 'unknown', max_a: 16 } },
];

export const world = { name: 'Office', strategy: 'equal', meterLost: false, calm: false, siteLimit: null as number | null, fresh: false, crowd: 0 };

const QUIET = { spent: 0, held_a: [0, 0, 0], locked_out: false };
const GRID_A = 63;
const GARAGE_A = 50;
const VOLTS = 230;

const charges = (bay: Bay) => bay.state === 'Charging';

export function picture(now: number): Site {
  const breath = (period: number, size: number, phase: number) => Math.sin(now / period + phase) * size;
  const building = [13 + breath(9000, 4, 0), 17 + breath(7000, 3, 1), 10 + breath(11_000, 5, 2)];
  const shares = share(building);
  const drawn = bays.map((bay, i) => perLine(bay, charges(bay) ? Math.min(shares[i]!, bay.taper) * 0.985 : 0));
  const garage = total(drawn.filter((_, i) => bays[i]!.circuit === 'garage'));
  const all = total(drawn).map((ampere, i) => ampere + building[i]!);
  return {
    time_ms: now,
    name: world.name,
    strategy: world.strategy,
    mode: world.meterLost ? 'static' : 'dynamic',
    inputs: [],
    outputs: [],
    circuits: world.fresh ? [{ id: 'grid', parent: null, limit_a: [63, 63, 63], lowered: null, measured_a: building, other_load_a: building, worst_case_a: building, guard: QUIET }] : [
      {
        id: 'grid',
        parent: null,
        limit_a: Array<number>(3).fill(GRID_A),
        lowered: world.siteLimit === null ? null : { limit_a: Array<number>(3).fill(world.siteLimit), lasts_s: 1740 },
        measured_a: world.meterLost ? null : all,
        other_load_a: building.map((ampere) => ampere + 1),
        worst_case_a: all.map((ampere) => Math.min(GRID_A, ampere + 4)),
        guard: QUIET,
      },
      {
        id: 'garage',
        parent: 'grid',
        limit_a: Array<number>(3).fill(GARAGE_A),
        lowered: null,
        measured_a: null,
        other_load_a: [0, 0, 0],
        worst_case_a: garage.map((ampere) => Math.min(GARAGE_A, ampere + 5)),
        guard: QUIET,
      },
    ],
    meters: [
      {
        id: 'main',
        circuit: 'grid',
        quality: world.meterLost ? 'missing' : 'good',
        age_s: world.meterLost ? null : 0.4,
        current_a: world.meterLost ? [null, null, null] : all,
        voltage_v: [231, 229, 232],
        power_w: world.meterLost ? null : Math.round(all.reduce((sum, ampere) => sum + ampere, 0) * VOLTS * 0.97),
        imported_wh: world.meterLost ? null : 4_711_000,
        exported_wh: world.meterLost ? null : 12_000,
      },
    ],
    chargers: world.fresh ? [] : [...bays.map((bay, i) => charger(bay, shares[i]!, drawn[i]!, now)), ...crowd(shares, drawn, now)],
    waiting: world.fresh ? [] : waiting,
    alerts: world.calm || world.fresh ? [] : alerts(),
  };
}

/** The highest common level at which every line of both circuits holds. */
function share(building: number[]): number[] {
  let [low, high] = [0, 32];
  for (let step = 0; step < 20; step += 1) {
    const level = (low + high) / 2;
    if (fits(atLevel(level), building)) low = level;
    else high = level;
  }
  return atLevel(Math.floor(low * 10) / 10);
}

function atLevel(level: number): number[] {
  return bays.map((bay) => {
    if (!bay.online || bay.state === 'SuspendedEV') return 6;
    const wanted = charges(bay) && !world.fresh ? Math.max(level, 6) : 0;
    return Math.min(wanted, bay.max, bay.hold ?? Infinity);
  });
}

function fits(shares: number[], building: number[]): boolean {
  const perBay = bays.map((bay, i) => perLine(bay, Math.min(shares[i]!, bay.taper)));
  const garage = total(perBay.filter((_, i) => bays[i]!.circuit === 'garage'));
  const limit = world.siteLimit ?? GRID_A;
  return total(perBay).every((ampere, i) => ampere + building[i]! <= limit && garage[i]! <= GARAGE_A);
}

function perLine(bay: Bay, ampere: number): number[] {
  return [0, 1, 2].map((line) => (bay.lines.includes(line) ? ampere : 0));
}

function total(list: number[][]): number[] {
  return [0, 1, 2].map((line) => list.reduce((sum, values) => sum + values[line]!, 0));
}

function charger(bay: Bay, limit: number, drawn: number[], now: number): Charger {
  return {
    id: bay.id,
    circuit: bay.circuit,
    online: bay.online,
    serviceable: true,
    vendor: bay.vendor,
    model: bay.model,
    firmware: '6.4.0',
    state: bay.state,
    limit_a: limit,
    confirmed: bay.id !== 'bay-5',
    ...reason(bay, limit),
    drawn_a: bay.online ? drawn.map((ampere) => Math.round(ampere * 10) / 10) : null,
    power_w: bay.online ? Math.round(drawn.reduce((sum, ampere) => sum + ampere, 0) * VOLTS) : null,
    session: bay.energy > 0 ? { session: 4711, tag: '04A2C41B', started_ms: now - 5_400_000, energy_wh: bay.energy } : null,
    max_a: bay.max,
    fallback_a: 6,
    fallback_armed: bay.id !== 'bay-3',
    settle_s: bay.id === 'bay-1' ? 4 : 10,
    settle_learnt: bay.id === 'bay-1',
    held_a: bay.hold,
    departs_ms: bay.departs,
    energy_needed_kwh: bay.needs,
  };
}

/** Many more of the same, to see how the page bears it; they are shown and not counted. */
function crowd(shares: number[], drawn: number[][], now: number): Charger[] {
  return Array.from({ length: world.crowd }, (_, n) => {
    const i = n % bays.length;
    const copy = charger(bays[i]!, shares[i]!, drawn[i]!, now);
    return { ...copy, id: `lot-${n + 1}`, circuit: 'lot' };
  });
}

function reason(bay: Bay, limit: number): Pick<Charger, 'reason' | 'reason_code' | 'reason_circuit' | 'reason_line' | 'reason_input'> {
  const say = (reason: string, reason_code: string, line: string | null = null, circuit: string | null = null) => ({ reason, reason_code, reason_line: line, reason_circuit: circuit, reason_input: null });
  if (!bay.online) return say('out of reach, worst case set aside', 'out-of-reach');
  if (bay.state === 'Available' || bay.state === 'Finishing') return say('no car', 'no-car');
  if (bay.state === 'SuspendedEV' || bay.taper < limit) return say('wants no more', 'wants-no-more');
  if (limit >= bay.max) return say("charger's own maximum", 'charger-maximum');
  if (limit < 6) return say('waits for its turn on L2 of garage', 'waits-for-turn', 'L2', 'garage');
  return say('L2 of grid is full', 'line-full', 'L2', 'grid');
}

function alerts(): Site['alerts'] {
  const list: Site['alerts'] = [
    { severity: 'warning', about: 'bay-10', code: 'charger-lost', text: 'bay-10 has not answered for 4 minutes. Its worst case of 6 A is set aside. Check its power and its network cable.', age_s: 254 },
  ];
  if (world.meterLost) list.push({ severity: 'alarm', about: 'main', code: 'meter-lost', text: 'The meter main does not answer. The site runs on safe static limits. Check its cable and its address.', age_s: 31 });
  return list;
}

/** Energy grows while it charges; called once a second. */
export function breathe(): void {
  const shares = atLevel(9);
  bays.forEach((bay, i) => {
    if (charges(bay) && bay.online) bay.energy += (shares[i]! * bay.lines.length * VOLTS) / 3600;
  });
}
