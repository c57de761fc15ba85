import { beforeEach, expect, test } from 'vitest';
import { render } from 'svelte/server';
import { picture, world } from '../../dev/mock/site';
import type { Charger } from '../state/live.svelte';
import { preferences } from '../state/preferences.svelte';
import Alerts from './Alerts.svelte';
import ChargerRow from './ChargerRow.svelte';
import CircuitCard from './CircuitCard.svelte';
import SessionTable from './SessionTable.svelte';
import Verdict from './Verdict.svelte';

const NOW = 1_760_000_000_000;

beforeEach(() => {
  preferences.language = 'en';
  Object.assign(world, { calm: false, meterLost: false, siteLimit: null, fresh: false });
});

const words = (html: string) => html.replace(/<!--.*?-->/g, '').replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');

test('a charger that still draws more than it was told is shown as such, one on its way up is not', () => {
  const lowered = { ...picture(NOW).chargers.find(({ id }) => id === 'bay-5')!, confirmed: false, limit_a: 10, drawn_a: [16, 16, 16] };
  const said = (charger: Charger) => words(render(ChargerRow, { props: { charger } }).body);
  expect(said(lowered)).toContain('not confirmed yet');
  expect(said({ ...lowered, drawn_a: null })).toContain('not confirmed yet');
  expect(said({ ...lowered, confirmed: true })).not.toContain('not confirmed yet');
  expect(said({ ...lowered, limit_a: 20 })).not.toContain('not confirmed yet');
});

test('a charger says why it gets no more', () => {
  const charger = picture(NOW).chargers.find(({ id }) => id === 'bay-1')!;
  expect(words(render(ChargerRow, { props: { charger } }).body)).toContain('L2 of grid is full');
});

test('every bar says in words what it shows', () => {
  const site = picture(NOW);
  const { body } = render(CircuitCard, { props: { site, circuit: site.circuits[0]! } });
  expect(body.match(/aria-label="L[123]: [\d.]+ A of 63 A, building/g)).toHaveLength(3);
});

test('a name of a charger is text, whatever it says', () => {
  const charger = { ...picture(NOW).chargers[0]!, id: '<img src=x onerror=alert(1)>' };
  expect(render(ChargerRow, { props: { charger } }).body).not.toContain('<img');
});

test('a session whose end was never heard is not called running', () => {
  const session = { charger: 'bay-5', session: 2, tag: '', started_ms: NOW, ended_ms: null, energy_wh: null, why: null };
  const said = (why: string | null) => words(render(SessionTable, { props: { sessions: [{ ...session, why }] } }).body);
  expect(said(null)).toContain('running');
  expect(said('its end was never heard')).not.toContain('running');
});

test('a circuit tells of the contact that limits it', () => {
  const site = picture(NOW);
  const input = { id: 'utility', circuit: 'garage', asks: '', level: 'active', in_force: true, since_s: 5, met_after_s: null };
  const said = (circuit: number) => words(render(CircuitCard, { props: { site: { ...site, inputs: [input] }, circuit: site.circuits[circuit]! } }).body);
  expect(said(1)).toContain('Contact utility limits garage');
  expect(said(0)).not.toContain('utility');
});

test('the alarm stands before the warning', () => {
  Object.assign(world, { meterLost: true });
  const said = words(render(Alerts, { props: { alerts: picture(NOW).alerts } }).body);
  expect(said.indexOf('Alarm: main')).toBeLessThan(said.indexOf('Warning: bay-10'));
});

test('a stale picture is not called fine', () => {
  Object.assign(world, { calm: true });
  const props = { site: picture(NOW), stale: true };
  expect(render(Verdict, { props }).body).toContain('unknown');
});
