import { expect, test } from 'vitest';
import { filled, type Form } from './draft.svelte';
import { beneath, placeOf, sectionOf } from './problems';
import { few, renameCircuit, renamePort, usersOf } from './references';
import { linesOf, supplyFrom, supplyOf, supplyWord } from './supply';

const site = (): Form =>
  filled({
    circuit: [{ id: 'grid', supply: { system: 'split', volts: 120 } }, { id: 'garage', parent: 'grid' }],
    meter: [{ id: 'main', circuit: 'grid', port: 'cabinet' }],
    charger: [{ id: 'bay-1', circuit: 'garage', port: 'cabinet' }],
    output: [{ id: 'contactor', line: 4, does: 'trip', circuit: 'garage' }],
    adoption: { circuit: 'garage' },
  });

test('a renamed circuit takes its users along', () => {
  const file = site();
  file.circuit[1]!.id = 'hall';
  renameCircuit(file, 'garage', 'hall');
  expect([file.charger[0]!.circuit, file.output[0]!.circuit, file.adoption.circuit]).toEqual(['hall', 'hall', 'hall']);
});

test('while two circuits have the same name nobody is moved', () => {
  const file = site();
  file.circuit.push({ id: 'garage', parent: 'grid' });
  file.circuit[2]!.id = 'garage-2';
  renameCircuit(file, 'garage', 'garage-2');
  expect(file.charger[0]!.circuit).toBe('garage');
});

test('a renamed port takes meters and chargers along', () => {
  const file = site();
  file.port = [{ id: 'panel', tcp: '192.168.1.20:502' }];
  renamePort(file, 'cabinet', 'panel');
  expect([file.meter[0]!.port, file.charger[0]!.port]).toEqual(['panel', 'panel']);
});

test('a circuit in use names its users', () => {
  expect(usersOf(site(), 'grid')).toEqual(['garage', 'main']);
});

test('a circuit has the supply of the nearest one above that says', () => {
  const { circuit } = site();
  expect(linesOf(supplyOf(circuit, circuit[1]!))).toBe(2);
  expect(linesOf(supplyOf([{ id: 'a', parent: 'b' }, { id: 'b', parent: 'a' }], { id: 'a', parent: 'b' }))).toBe(3);
});

test('a supply survives its way through the list of choices', () => {
  expect(supplyFrom(supplyWord({ system: 'delta', volts: 480 }))).toEqual({ system: 'delta', volts: 480 });
  expect(supplyFrom('')).toBeUndefined();
});

test('a mistake is shown in the section where it can be mended', () => {
  expect(beneath('charger[12].max_a', 'charger[1]')).toBe(false);
  expect(beneath('charger[1].max_a', 'charger[1]')).toBe(true);
  expect(beneath('server.ocpp', 'server')).toBe(true);
  expect(['clamps.board', 'adoption.circuit', 'policy.raise_after_s', ''].map(sectionOf)).toEqual(['meters', 'chargers', 'policy', 'site']);
  expect(placeOf({ key: 'charger[2].max_a', id: 'bay-3', what: '', remedy: '' })).toBe('bay-3 · max_a');
});

test('whoever else is left out of a sentence is hinted at', () => {
  expect(few(['a', 'b', 'c', 'd'])).toBe('a, b, c, d');
  expect(few(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c, d …');
});
