// Every question that the page asks the box, by name.

import { ask, type Schemas } from './client';

export type Setup = Schemas['SetupView'];
export type AdoptOrder = Schemas['AdoptOrder'];

const done = async (method: 'POST' | 'PUT', path: string, body: unknown = {}): Promise<void> => {
  await ask<unknown>(method, path, body);
};

export const box = {
  setup: async () => (await ask<Setup>('GET', 'setup')).body,
  choosePassword: (password: string) => done('POST', 'setup', { password }),
  login: (password: string) => done('POST', 'login', { password }),
  logout: () => done('POST', 'logout'),
  site: async () => (await ask<Schemas['SiteView']>('GET', 'site')).body,

  adopt: (name: string, order: AdoptOrder) => done('POST', `waiting/${encodeURIComponent(name)}/adopt`, order),
  dismiss: (name: string) => done('POST', `waiting/${encodeURIComponent(name)}/dismiss`),
};
