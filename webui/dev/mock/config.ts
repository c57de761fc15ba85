// The stand-in's configuration and a check that finds a few of the mistakes that the box finds.

import type { Problem, Schemas } from '../../src/api/client';

type SiteFile = Schemas['SiteFile'];

const first: SiteFile = {
  version: 1,
  name: 'Office',
  server: {},
  policy: { strategy: 'equal' },
  adoption: { rule: 'ask' },
  mqtt: { broker: 'mqtt://192.168.1.5:1883', username: 'dlb' },
  circuit: [
    { id: 'grid', limit_a: [63, 63, 63], limit_kw: 43 },
    { id: 'garage', parent: 'grid', limit_a: 50 },
  ],
  port: [
    { id: 'cabinet', tcp: '192.168.1.20:502' },
    { id: 'rs485', serial: '/dev/ttyAMA1', baud: 9600 },
  ],
  meter: [{ id: 'main', circuit: 'grid', port: 'cabinet', unit: 1, map: 'eastron-sdm630', assumed_load_a: 30 }],
  charger: [
    ...Array.from({ length: 9 }, (_, i) => ({ id: `bay-${i + 1}`, circuit: 'garage', ocpp: `CP-${i + 1}`, rotation: 'L1L2L3', max_a: 32 })),
    { id: 'bay-10', circuit: 'garage', port: 'rs485', unit: 2, map: 'keba-p30', rotation: 'L2L3L1', max_a: 16 },
    { id: 'fast', circuit: 'grid', kind: 'dc', ocpp: 'DC-1', max_kw: 30, min_kw: 5 },
  ],
};

const bare: SiteFile = { version: 1, name: 'New site', adoption: { rule: 'ask' }, circuit: [{ id: 'grid', limit_a: 16 }] };

interface Kept {
  version: number;
  written_ms: number;
  file: SiteFile;
}

const kept: Kept[] = [
  { version: 1, written_ms: Date.now() - 86_400_000 * 9, file: bare },
  { version: 2, written_ms: Date.now() - 86_400_000 * 2, file: first },
];

export const current = (): Kept => kept.at(-1)!;

export function write(file: SiteFile): number {
  const version = current().version + 1;
  kept.push({ version, written_ms: Date.now(), file });
  return version;
}

export const versions = (): Schemas['KeptVersionView'][] => [...kept].reverse().map(({ version, written_ms }) => ({ version, written_ms, current: version === current().version }));

export const find = (version: number): Kept | undefined => kept.find((one) => one.version === version);

export const MAPS: Schemas['MapsView'] = {
  meters: [
    { name: 'eastron-sdm630', title: 'Eastron SDM630' },
    { name: 'janitza-umg96', title: 'Janitza UMG 96' },
  ],
  chargers: [
    { name: 'keba-p30', title: 'KEBA P30' },
    { name: 'alfen-eve', title: 'Alfen Eve' },
  ],
};

export function check(file: SiteFile): Schemas['CheckView'] {
  const problems: Problem[] = [];
  const wrong = (key: string, id: string | undefined, what: string, remedy: string) => problems.push({ key, id: id ?? null, what, remedy });
  const circuits = new Set((file.circuit ?? []).map(({ id }) => id));
  if (!file.name) wrong('name', undefined, 'is no name', 'write what people call this site');
  (file.circuit ?? []).forEach(({ id, limit_a, limit_kw }, i) => {
    if (limit_a == null && limit_kw == null) wrong(`circuit[${i}].limit_a`, id, 'is missing', 'give what its fuse allows');
    if (typeof limit_a === 'string') wrong(`circuit[${i}].limit_a`, id, `is "${String(limit_a)}", it must be amperes`, 'write 63, or [63, 63, 50]');
  });
  (file.charger ?? []).forEach((charger, i) => {
    const { id, circuit, max_a, kind, ocpp, port, fallback_a } = charger;
    if (!circuits.has(circuit)) wrong(`charger[${i}].circuit`, id, `names the circuit "${circuit}", which there is not`, `one of ${[...circuits].join(', ')}`);
    if (kind !== 'dc' && (max_a == null || max_a < 6 || max_a > 80)) wrong(`charger[${i}].max_a`, id, `is ${String(max_a)} A, outside 6 to 80 A`, 'write what charger, cable and fuse allow');
    if (!ocpp && !port) wrong(`charger[${i}].ocpp`, id, 'is no name', 'write the name it connects with');
    if (typeof fallback_a === 'number' && max_a != null && fallback_a > max_a) wrong(`charger[${i}].fallback_a`, id, 'is above max_a', 'write "auto"');
  });
  if (file.mqtt && !/^mqtts?:\/\/.+/.test(file.mqtt.broker)) wrong('mqtt.broker', undefined, `is "${file.mqtt.broker}", which is no broker's address`, 'write mqtt://host:1883 or, with TLS, mqtts://host:8883');
  const warnings: Problem[] = (file.meter ?? []).some(({ circuit }) => circuit === 'grid') ? [] : [{ key: 'circuit[0].limit_a', id: 'grid', what: 'has no meter', remedy: 'add a meter for the grid connection' }];
  return { problems, warnings };
}
