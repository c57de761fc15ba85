// A made-up day of load curves, sessions and events; the same for the same day.

import type { Schemas } from '../../src/api/client';
import { bays } from './site';

const HOUR_MS = 3_600_000;

/** Numbers between 0 and 1 that only depend on where they are asked for. */
const noise = (at: number, salt: number) => {
  const x = Math.sin(at * 12.9898 + salt * 78.233) * 43_758.5453;
  return x - Math.floor(x);
};

export function history(from_ms: number, to_ms: number, step_s: number): Schemas['HistoryView'] {
  const steps = Math.floor((to_ms - from_ms) / (step_s * 1000));
  const times = Array.from({ length: steps }, (_, i) => from_ms + i * step_s * 1000);
  const series: Schemas['SeriesView'][] = [];
  const add = (kind: string, id: string, quantity: string, line: string | null, value: (at: number) => number) => {
    const mean = times.map((at) => (at > Date.now() || gap(at, from_ms) ? null : Math.round(value(at) * 10) / 10));
    series.push({ kind, id, quantity, line, unit: 'A', mean, max: mean.map((one) => (one === null ? null : one + 1.2)) });
  };
  ['L1', 'L2', 'L3'].forEach((line, i) => {
    const cars = (at: number) => evening(at, from_ms) * [30, 40, 26][i]! * (0.8 + 0.2 * noise(at, i));
    const load = (at: number) => [11, 16, 9][i]! * (0.6 + 0.6 * daytime(at, from_ms)) + 4 * noise(at, i + 4);
    add('circuit', 'grid', 'current', line, (at) => Math.min(62.6, load(at) + cars(at)));
    add('circuit', 'garage', 'current', line, cars);
    add('circuit', 'grid', 'limit', line, (at) => (hour(at, from_ms) >= 17 && hour(at, from_ms) < 19 ? 50 : 63));
    add('circuit', 'garage', 'limit', line, () => 50);
    bays.slice(0, 5).forEach((bay, b) => add('charger', bay.id, 'current', line, (at) => cars(at) * [0.3, 0.25, 0.2, 0.15, 0.1][b]!));
  });
  for (const bay of bays) add('charger', bay.id, 'limit', null, (at) => (evening(at, from_ms) > 0 ? Math.round(8 + 8 * noise(Math.floor(at / 900_000), 9)) : 6));
  return { from_ms, step_s, series };
}

const hour = (at: number, from: number) => (at - from) / HOUR_MS;
const gap = (at: number, from: number) => hour(at, from) > 3.2 && hour(at, from) < 3.9;
const daytime = (at: number, from: number) => Math.max(0, Math.sin(((hour(at, from) - 6) / 13) * Math.PI));
const evening = (at: number, from: number) => Math.max(0, Math.sin(((hour(at, from) - 7) / 4) * Math.PI) * (hour(at, from) < 11 ? 0.9 : 0)) + (hour(at, from) > 15 && hour(at, from) < 23 ? Math.min(1, (hour(at, from) - 15) / 1.5, (23 - hour(at, from)) / 2) : 0);

export function sessions(from_ms: number, charger: string | null): Schemas['SessionRecordView'][] {
  const made = bays.slice(0, 8).flatMap((bay, i) => [0, 1].map((n) => record(bay.id, from_ms, i, n)));
  return made.filter((one) => (one.started_ms ?? 0) < Date.now() && (!charger || one.charger === charger)).sort((a, b) => (b.started_ms ?? 0) - (a.started_ms ?? 0));
}

function record(charger: string, from_ms: number, i: number, n: number): Schemas['SessionRecordView'] {
  const started_ms = from_ms + (7 + n * 8.5 + i * 0.4) * HOUR_MS;
  const ended_ms = started_ms + (1.5 + noise(i, n) * 3) * HOUR_MS;
  const over = ended_ms < Date.now();
  return { charger, session: 100 + i * 2 + n, tag: ['04A2C41B', '0481FE22', ''][i % 3]!, started_ms, ended_ms: over ? ended_ms : null, energy_wh: Math.round(4000 + noise(i, n + 2) * 22_000), why: over ? 'EVDisconnected' : null };
}

export function events(from_ms: number): Schemas['EventView'][] {
  const list: Schemas['EventView'][] = [
    { time_ms: from_ms + 8.2 * HOUR_MS, severity: 'warning', about: 'bay-10', code: 'charger-lost', text: 'bay-10 does not answer. Its worst case is set aside. Check its power and its network cable.', cleared: false },
    { time_ms: from_ms + 3.9 * HOUR_MS, severity: 'alarm', about: 'main', code: 'meter-lost', text: 'The meter main answers again.', cleared: true },
    { time_ms: from_ms + 3.2 * HOUR_MS, severity: 'alarm', about: 'main', code: 'meter-lost', text: 'The meter main does not answer. The site runs on safe static limits. Check its cable and its address.', cleared: false },
    { time_ms: from_ms + 0.4 * HOUR_MS, severity: 'note', about: 'bay-3', code: 'charger-trouble', text: 'bay-3 rounds its limits down to whole amperes.', cleared: false },
  ];
  return list.filter(({ time_ms }) => (time_ms ?? 0) < Date.now());
}
