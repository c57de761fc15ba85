import { beforeEach, expect, test } from 'vitest';
import { picture, world } from '../../dev/mock/site';
import { t } from '../i18n/t';
import { preferences } from '../state/preferences.svelte';
import type { Charger, Site } from '../state/live.svelte';
import { flow } from './flow';
import { chargerAddress } from './door';
import { nextId } from './identity';
import { chargingOf, lineLoads, tightest } from './lines';
import { upToNow } from './sessions';
import { activity, reason } from './state';
import { steps } from './steps';
import { verdict } from './verdict';

const NOW = 1_760_000_000_000;

beforeEach(() => {
  preferences.language = 'en';
  Object.assign(world, { calm: true, meterLost: false, siteLimit: null, fresh: false });
});

function measured(site: Site, amperes: number[]): Site {
  return { ...site, circuits: site.circuits.map((circuit) => (circuit.parent == null ? { ...circuit, measured_a: amperes } : circuit)) };
}

test('a charger of the garage also flows through the grid connection', () => {
  const site = picture(NOW);
  const grid = chargingOf(site, 'grid');
  const garage = chargingOf(site, 'garage');
  expect(grid.every((ampere, i) => ampere > garage[i]!)).toBe(true);
});

test('building and charging add up to what the meter shows', () => {
  const site = picture(NOW);
  for (const load of lineLoads(site, site.circuits[0]!)) expect(load.building + load.charging).toBeCloseTo(load.used, 6);
});

test('what nobody measures is unknown, not zero', () => {
  const site = picture(NOW);
  expect(lineLoads(site, site.circuits[1]!).map(({ buildingKnown }) => buildingKnown)).toEqual([false, false, false]);
  expect(lineLoads(site, site.circuits[0]!).map(({ buildingKnown }) => buildingKnown)).toEqual([true, true, true]);
});

test('lines that a single-phase site does not have are not shown', () => {
  const site = picture(NOW);
  const single = { ...site.circuits[0]!, limit_a: [63, 0, 0], measured_a: [20, 0, 0] };
  expect(lineLoads(site, single).map(({ line }) => line)).toEqual(['L1']);
});

test('the tightest line is the one with least room for its limit', () => {
  expect(tightest(measured(picture(NOW), [10, 62, 61]))).toMatchObject({ circuit: 'grid', line: 'L2' });
});

test('a line over its limit outranks every other news', () => {
  Object.assign(world, { calm: false });
  expect(verdict(measured(picture(NOW), [10, 70, 10]))).toMatchObject({ level: 'alarm', key: 'verdict.over' });
});

test('half an ampere above is a meter that rounds, not an alarm', () => {
  expect(verdict(measured(picture(NOW), [10, 63.4, 10])).level).toBe('good');
});

test('a lost meter is said before lesser warnings', () => {
  const site = { ...picture(NOW), mode: 'static', alerts: [] };
  expect(verdict(site)).toMatchObject({ level: 'warning', key: 'verdict.static' });
});

test('a site without circuits is neither fine nor broken', () => {
  expect(verdict({ ...picture(NOW), circuits: [] }).level).toBe('unknown');
});

test('more sun than the building uses is shown as surplus', () => {
  const site = picture(NOW);
  const sunny = { ...site, meters: [{ ...site.meters[0]!, power_w: -4000 }], chargers: [{ ...site.chargers[0]!, power_w: 3000 }] };
  expect(flow(sunny)).toEqual({ grid: -4000, chargers: 3000, building: 0, surplus: 7000 });
});

test('a lost meter leaves the power of the grid unknown, not zero', () => {
  Object.assign(world, { meterLost: true });
  expect(flow(picture(NOW))).toMatchObject({ grid: null, building: null, surplus: 0 });
});

test('a reason is said in the language of the reader', () => {
  preferences.language = 'de';
  const full = picture(NOW).chargers.find(({ reason_code }) => reason_code === 'line-full')!;
  const sentence = reason(full)!;
  expect(t(sentence.key, sentence.params)).toBe('L2 von grid ist voll');
});

test('a reason that the page does not know stays in the words of the box', () => {
  expect(reason({ ...picture(NOW).chargers[0]!, reason_code: 'moon-phase' })).toBeNull();
});

test('what a person ordered is the reason, not that the car wants no more', () => {
  const charger: Charger = { ...picture(NOW).chargers[0]!, limit_a: 10, reason_code: 'wants-no-more' };
  expect(reason({ ...charger, held_a: 10 })?.key).toBe('reason.held-by-hand');
  expect(reason({ ...charger, held_a: 0 })?.key).toBe('reason.paused-by-hand');
  expect(reason({ ...charger, held_a: 16 })?.key).toBe('reason.wants-no-more');
});

test('while the site is lowered, the lower limit is the limit', () => {
  Object.assign(world, { siteLimit: 32 });
  const site = picture(NOW);
  expect(lineLoads(site, site.circuits[0]!).map(({ limit }) => limit)).toEqual([32, 32, 32]);
});

test('a site that never had a meter has not lost one', () => {
  const site = { ...measured(picture(NOW), [1, 1, 1]), mode: 'static', meters: [] };
  expect(verdict(site).key).toBe('verdict.no-meter');
});

test('a charger out of reach is not said to charge', () => {
  const gone: Charger = { ...picture(NOW).chargers[0]!, online: false, state: 'Charging' };
  expect(activity(gone).glyph).toBe('offline');
});

test('a new entry gets a name that no other has', () => {
  expect(nextId('bay', ['bay-1', 'bay-3'])).toBe('bay-2');
});

test('chargers are told the address and port at which the box really listens', () => {
  expect(chargerAddress('0.0.0.0:9100', 'dlb.local')).toBe('ws://dlb.local:9100/');
  expect(chargerAddress('[::]:9000', '[fe80::1]')).toBe('ws://[fe80::1]:9000/');
  expect(chargerAddress('192.168.7.2:9000', 'dlb.local')).toBe('ws://192.168.7.2:9000/');
  expect(chargerAddress('[fd00::7]:9000', 'dlb.local')).toBe('ws://[fd00::7]:9000/');
  expect(['', '9000', 'garage', '0.0.0.0:', '0.0.0.0:0'].map((text) => chargerAddress(text, 'here'))).toEqual(Array(5).fill(null));
});

test('a step of the set-up is done once what it asks for is there', () => {
  const site = picture(NOW);
  const fresh = { circuits: [{ ...site.circuits[0]!, limit_a: [16, 16, 16] }], meters: [], chargers: [] };
  expect(steps(fresh)).toEqual([false, false, false]);
  expect(steps({ ...fresh, circuits: [{ ...site.circuits[0]!, limit_a: [35, 35, 35] }] })).toEqual([true, false, false]);
  expect(steps({ ...fresh, meters: [{ ...site.meters[0]!, circuit: 'garage' }] })).toEqual([false, false, false]);
  expect(steps(site)).toEqual([true, true, true]);
});

test('a running session shows what its car has taken so far, and one that has ended keeps its record', () => {
  const site = picture(NOW);
  const charger = site.chargers.find(({ session }) => session)!;
  const record = { charger: charger.id, session: charger.session!.session, tag: '', started_ms: NOW, ended_ms: null, energy_wh: null, why: null };
  const ended = { ...record, ended_ms: NOW, energy_wh: 7, why: 'Local' };
  const another = { ...record, session: -1 };
  expect(upToNow([record, ended, another], site.chargers).map(({ energy_wh }) => energy_wh)).toEqual([charger.session!.energy_wh, 7, null]);
});
