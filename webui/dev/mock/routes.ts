// What the stand-in answers at each address.

import type { Schemas } from '../../src/api/client';
import { MAPS, check, current, find, versions, write } from './config';
import { events, history, sessions } from './record';
import { bays, picture, waiting, world } from './site';

export interface Request {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  ifMatch: string;
}

export interface Reply {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

type Fields = Record<string, unknown>;
type SiteFile = Schemas['SiteFile'];

const door = { password: process.env.MOCK_PASSWORD ?? '', inside: process.env.MOCK_PASSWORD !== undefined };

const ok = (body: unknown = { done: true }): Reply => ({ status: 200, body });
export const refuse = (status: number, code: string, message: string, remedy = '', field?: string): Reply => ({ status, body: { error: { code, message, remedy, field } } });

export async function routes(request: Request): Promise<Reply> {
  const { method, path } = request;
  const fields = request.body as Fields;
  const [head, name = '', act] = path.split('/');
  if (path.startsWith('config/versions/') && method === 'POST') return restore(Number(path.split('/')[2]));
  if (head === 'waiting') return method === 'POST' && act === 'adopt' ? adopt(name, fields) : dismiss(name);
  const known = HANDLERS[`${method} ${path}`];
  return known ? known(fields, request) : refuse(404, 'not-found', `there is no ${path}`);
}

const HANDLERS: Record<string, (fields: Fields, request: Request) => Reply> = {
  'GET health': () => ok({ status: 'ok', version: '0.1.0', balancing: true }),
  'GET setup': () => ok({ needs_password: door.password === '', logged_in: door.inside, version: '0.1.0', password_min_characters: 10 }),
  'POST setup': ({ password }) => {
    Object.assign(door, { password, inside: true });
    return ok();
  },
  'POST login': ({ password }) => {
    if (password !== door.password) return refuse(401, 'wrong-password', 'the password is wrong', 'try again');
    door.inside = true;
    return ok();
  },
  'POST logout': () => {
    door.inside = false;
    return ok();
  },
  'GET site': () => (door.inside ? ok(picture(Date.now())) : refuse(401, 'not-logged-in', 'not logged in')),
  'POST order/charger-limit': ({ charger, limit_a }) => {
    const bay = bays.find(({ id }) => id === charger);
    if (!bay) return refuse(404, 'unknown-charger', `there is no charger ${String(charger)}`);
    bay.hold = limit_a as number | null;
    return ok();
  },
  'POST order/site-limit': ({ limit_a }) => {
    world.siteLimit = limit_a as number | null;
    return ok();
  },
  'POST order/strategy': ({ strategy }) => {
    world.strategy = strategy as string;
    return ok();
  },
  'POST order/service': ({ charger }) => (bays.some(({ id }) => id === charger) ? ok() : refuse(404, 'no-such-charger', `There is no charger ${String(charger)}.`)),
  'POST order/departure': ({ charger, departs_ms, energy_needed_kwh }) => {
    const bay = bays.find(({ id }) => id === charger);
    if (bay) Object.assign(bay, { departs: departs_ms, needs: energy_needed_kwh });
    return ok();
  },
  'POST password': ({ old_password, new_password }) => {
    if (old_password !== door.password) return refuse(401, 'wrong-password', 'That is not the password.', 'Try again.', 'old_password');
    door.password = String(new_password);
    return ok();
  },
  'GET config': () => ok({ version: current().version, config: current().file }),
  'PUT config': (file, { ifMatch }) => {
    const { problems } = check(file as SiteFile);
    if (ifMatch !== `"${current().version}"`) return { status: 409, body: { error: { code: 'config-changed', message: 'Somebody else changed the configuration in the meantime.', remedy: 'Read it again.' }, version: current().version } };
    if (problems.length > 0) return { status: 422, body: { error: { code: 'config-refused', message: `The configuration has ${problems.length} mistakes; nothing was changed.`, remedy: '' }, problems } };
    return ok({ version: write(file as SiteFile) });
  },
  'POST config/check': (file) => ok(check(file as SiteFile)),
  'GET config/versions': () => ok(versions()),
  'GET broker': () => ok(broker()),
  'PUT broker/password': ({ password }) => {
    secrets.password = password as string | null;
    return ok();
  },
  'PUT broker/authority': ({ pem }) => {
    secrets.authority = pem as string | null;
    return ok();
  },
  'GET maps': () => ok(MAPS),
  'GET history': (_, { query }) => ok(history(Number(query.get('from_ms')), Number(query.get('to_ms')), Number(query.get('step_s') ?? 300))),
  'GET sessions': (_, { query }) => ok({ sessions: sessions(Number(query.get('from_ms')), query.get('charger')) }),
  'GET events': (_, { query }) => ok({ events: events(Number(query.get('from_ms'))) }),
  'GET update': () => ok({ available: false, compatible: null, running_version: '0.1.0', phase: 'idle', version: null, description: null, percent: null, step: null, waits_for_cars: false, upload: null, problem: null, history: [] } satisfies Schemas['UpdateView']),
  'GET system': () => ok({ version: '0.1.0', uptime_s: 312_400, time_ms: Date.now(), appliance: false, note: null, ocpp: '0.0.0.0:9000', slots: [] } satisfies Schemas['SystemView']),
};

const secrets = { password: null as string | null, authority: null as string | null };

function broker(): Schemas['BrokerView'] {
  const state = current().file.mqtt ? 'up' : 'off';
  return { state, trouble: null, password_set: secrets.password !== null, authorities: secrets.authority === null ? [] : [{ sha256: Array(32).fill('A7').join(':') }] };
}

function adopt(name: string, order: Fields): Reply {
  const at = waiting.findIndex((charger) => charger.name === name);
  const found = waiting[at];
  if (!found) return refuse(404, 'not-waiting', `${name} does not wait any more`, 'reload the page');
  const { id, circuit, max_a } = { ...found.proposal, ...order } as typeof found.proposal;
  waiting.splice(at, 1);
  for (let outlet = 1; outlet <= found.outlets; outlet += 1) {
    bays.push({ ...bays[3]!, id: found.outlets > 1 ? `${id}-${outlet}` : id, circuit, vendor: found.vendor, model: found.model, max: max_a });
  }
  return ok();
}

function restore(version: number): Reply {
  const kept = find(version);
  return kept ? ok({ version: write(kept.file) }) : refuse(404, 'no-such-version', 'There is no such version.');
}

function dismiss(name: string): Reply {
  const at = waiting.findIndex((charger) => charger.name === name);
  if (at >= 0) waiting.splice(at, 1);
  return ok();
}
