// Every question that the page asks the box, by name.

import { ask, type Schemas } from './client';

export type Setup = Schemas['SetupView'];
export type AdoptOrder = Schemas['AdoptOrder'];
export type SiteFile = Schemas['SiteFile'];
export type Strategy = Schemas['StrategyName'];
export type Maps = Schemas['MapsView'];
export type Series = Schemas['SeriesView'];
export type History = Schemas['HistoryView'];
export type SessionRecord = Schemas['SessionRecordView'];
/** What is asked of a charger with a button. */
export type Ask = Exclude<Extract<Schemas['ServiceName'], string>, 'clear-cache'>;
export type EventRecord = Schemas['EventView'];
export type System = Schemas['SystemView'];
export type CorrectedChannel = Schemas['CorrectedChannelView'];
export type Update = Schemas['UpdateView'];
export type Upload = Schemas['UploadView'];
export type BackupFile = Schemas['BackupFile'];
export type Broker = Schemas['BrokerView'];
export type KeptVersion = Schemas['KeptVersionView'];

/** A stretch of time, the end not part of it. */
export interface Span {
  from_ms: number;
  to_ms: number;
}

const get = async <T>(path: string, query: object = {}): Promise<T> => (await ask<T>('GET', path + search(query))).body;

const post = async (path: string, body: unknown = {}): Promise<void> => {
  await ask<unknown>('POST', path, body);
};

const put = async (path: string, body: unknown): Promise<void> => {
  await ask<unknown>('PUT', path, body);
};

function search(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}

export const box = {
  health: () => get<Schemas['HealthView']>('health'),
  setup: () => get<Setup>('setup'),
  choosePassword: (password: string) => post('setup', { password } satisfies Schemas['PasswordOrder']),
  changePassword: (old_password: string, new_password: string) => post('password', { old_password, new_password } satisfies Schemas['NewPasswordOrder']),
  login: (password: string) => post('login', { password } satisfies Schemas['PasswordOrder']),
  logout: () => post('logout'),
  site: () => get<Schemas['SiteView']>('site'),
  system: () => get<System>('system'),
  factoryReset: (password: string) => post('factory-reset', { password } satisfies Schemas['PasswordOrder']),

  update: () => get<Update>('update'),
  beginUpload: async (order: Schemas['UploadOrder']) => (await ask<Upload>('POST', 'update/upload', order)).body,
  uploadPiece: async (offset: number, piece: Blob) => (await ask<Upload>('PUT', `update/upload?offset=${offset}`, piece)).body,
  fetchUpdate: (url: string) => post('update/fetch', { url } satisfies Schemas['FetchOrder']),
  installUpdate: (wait_for_cars: boolean) => post('update/install', { wait_for_cars } satisfies Schemas['InstallOrder']),
  restartForUpdate: () => post('update/restart'),
  setServerToken: (token: string | null) => post('update/server-token', { token } satisfies Schemas['ServerTokenOrder']),
  discardUpdate: () => post('update/discard'),
  backup: async (passphrase: string) => (await ask<BackupFile>('POST', 'backup', { passphrase } satisfies Schemas['BackupOrder'])).body,
  restoreBackup: (passphrase: string, backup: BackupFile) => post('backup/restore', { passphrase, backup } satisfies Schemas['RestoreOrder']),
  diagnostics: '/api/v1/diagnostics',

  adopt: (name: string, order: AdoptOrder) => post(`waiting/${encodeURIComponent(name)}/adopt`, order),
  dismiss: (name: string) => post(`waiting/${encodeURIComponent(name)}/dismiss`),

  setStrategy: (strategy: Strategy) => post('order/strategy', { strategy } satisfies Schemas['StrategyOrder']),
  limitSite: (order: Schemas['SiteLimitOrder']) => post('order/site-limit', order),
  limitCharger: (order: Schemas['ChargerLimitOrder']) => post('order/charger-limit', order),
  askCharger: (charger: string, ask: Ask) => post('order/service', { charger, ask } satisfies Schemas['ServiceOrder']),
  closeContactor: (output: string) => post('order/close-contactor', { output } satisfies Schemas['CloseContactorOrder']),
  setDeparture: (order: Schemas['DepartureOrder']) => post('order/departure', order),

  config: () => get<Schemas['ConfigView']>('config'),
  checkConfig: async (config: SiteFile) => (await ask<Schemas['CheckView']>('POST', 'config/check', config)).body,
  writeConfig: async (config: SiteFile, version: number) =>
    (await ask<Schemas['VersionView']>('PUT', 'config', config, { 'if-match': `"${version}"` })).body.version,
  versions: () => get<KeptVersion[]>('config/versions'),
  restore: (version: number) => post(`config/versions/${version}/restore`),
  broker: () => get<Broker>('broker'),
  setBrokerPassword: (password: string | null) => put('broker/password', { password } satisfies Schemas['BrokerPasswordOrder']),
  setBrokerAuthority: (pem: string | null) => put('broker/authority', { pem } satisfies Schemas['BrokerAuthorityOrder']),
  maps: () => get<Maps>('maps'),

  clampCorrections: () => get<Schemas['CorrectionsView']>('clamps/corrections'),
  calibrateClamp: async (order: Schemas['CalibrateOrder']) => (await ask<Schemas['CalibratedView']>('POST', 'clamps/calibrate', order)).body,
  turnClamp: (order: Schemas['ClampOrder']) => post('clamps/turn', order),
  swapClamps: (order: Schemas['SwapOrder']) => post('clamps/swap', order),
  undoClamp: (order: Schemas['ClampOrder']) => post('clamps/undo', order),

  history: (span: Span, step_s: number) => get<History>('history', { ...span, step_s }),
  sessions: async (span: Span, charger?: string) => (await get<Schemas['SessionsView']>('sessions', { ...span, charger })).sessions,
  sessionsCsv: (span: Span) => `/api/v1/sessions.csv${search(span)}`,
  events: async (span: Span, about?: string) => (await get<Schemas['EventsView']>('events', { ...span, about })).events,
};
