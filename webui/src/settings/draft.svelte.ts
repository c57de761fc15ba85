// The configuration while somebody edits it. It lives as long as the page does: an error, a conflict or
// a lost login takes nothing from it. What is wrong with it, the box says while one types.

import { box, type Maps, type SiteFile } from '../api/box';
import { ApiError, type Problem } from '../api/client';
import { t } from '../i18n/t';
import { trouble } from '../i18n/trouble';
import { beneath } from './problems';

/** A configuration whose parts are all there, some of them empty. */
export type Form = SiteFile & Required<Pick<SiteFile, 'server' | 'policy' | 'adoption' | 'circuit' | 'port' | 'meter' | 'charger' | 'input' | 'output'>>;

export function filled(file: SiteFile): Form {
  const empty = { server: {}, policy: {}, adoption: {}, circuit: [], port: [], meter: [], charger: [], input: [], output: [] };
  return { ...empty, ...file };
}

/** What is written beside the configuration and never read back. Left out: stays as it is; null: is forgotten. */
export interface Secrets {
  password?: string | null;
  authority?: string | null;
}

const PAUSE_MS = 500;

class Draft {
  file = $state<Form | null>(null);
  problems = $state.raw<Problem[]>([]);
  warnings = $state.raw<Problem[]>([]);
  maps = $state.raw<Maps>({ meters: [], chargers: [] });
  busy = $state(false);
  secrets = $state<Secrets>({});
  /** Why the last thing did not work. */
  failure = $state('');
  /** Somebody else saved this version in the meantime. */
  conflict = $state<number | null>(null);
  saved = $state(false);

  #version = 0;
  #loaded = $state.raw('');
  #timer: ReturnType<typeof setTimeout> | undefined;

  #changed = $derived(this.file !== null && JSON.stringify(this.file) !== this.#loaded);
  dirty = $derived(this.#changed || this.secrets.password !== undefined || this.secrets.authority !== undefined);

  /** Reads the configuration, unless changes wait to be saved. */
  async open(): Promise<void> {
    if (this.dirty) return;
    await this.reload();
  }

  async reload(): Promise<void> {
    await this.#attempt(async () => {
      const [{ config, version }, maps] = await Promise.all([box.config(), box.maps()]);
      this.maps = maps;
      this.#take(config, version);
    });
  }

  /** The form, where it is known to be there. */
  get form(): Form {
    if (!this.file) throw new Error('no configuration has been read yet');
    return this.file;
  }

  /** Puts another configuration into the form, not into force. */
  replace(file: SiteFile): void {
    this.file = filled(file);
    this.checkSoon();
  }

  discard(): void {
    this.file = JSON.parse(this.#loaded) as Form;
    this.secrets = {};
    this.#clear();
  }

  async save(): Promise<boolean> {
    const file = this.file;
    if (!file || this.busy) return false;
    clearTimeout(this.#timer);
    const sent = JSON.stringify(file);
    return this.#attempt(async () => {
      // First, so that the configuration finds them.
      await this.#saveSecrets();
      if (sent !== this.#loaded) this.#version = await box.writeConfig(file, this.#version);
      this.#loaded = sent;
      this.#clear();
      this.saved = true;
    });
  }

  async #saveSecrets(): Promise<void> {
    const { password, authority } = this.secrets;
    if (password !== undefined) await box.setBrokerPassword(password);
    if (authority !== undefined) await box.setBrokerAuthority(authority);
    this.secrets = {};
  }

  /** After a conflict: what is in the form wins. */
  async saveAnyway(): Promise<boolean> {
    if (this.conflict !== null) this.#version = this.conflict;
    return this.save();
  }

  async restore(version: number): Promise<boolean> {
    const done = await this.#attempt(() => box.restore(version));
    if (done) await this.reload();
    return done;
  }

  /** Asks the box, once typing pauses, what it thinks of the form. */
  checkSoon(): void {
    this.saved = false;
    this.failure = '';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#check(), PAUSE_MS);
  }

  at(key: string): Problem | undefined {
    return this.problems.find((problem) => problem.key === key) ?? this.warnings.find((problem) => problem.key === key);
  }

  count(...keys: string[]): number {
    return this.problems.filter((problem) => keys.some((key) => beneath(problem.key, key))).length;
  }

  async #check(): Promise<void> {
    if (!this.file || this.busy) return;
    const asked = JSON.stringify(this.file);
    try {
      const verdict = await box.checkConfig(this.file);
      if (asked !== JSON.stringify(this.file)) return;
      this.problems = verdict.problems;
      this.warnings = verdict.warnings;
    } catch {
      // The check is a courtesy; saving tells.
    }
  }

  async #attempt(act: () => Promise<void>): Promise<boolean> {
    this.busy = true;
    this.failure = '';
    this.conflict = null;
    try {
      await act();
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  #failed(error: unknown): void {
    const refused = error instanceof ApiError ? error : null;
    this.problems = refused?.problems ?? this.problems;
    if (refused?.status === 409) this.conflict = refused.version;
    else if (refused?.problems.length) this.failure = t('settings.refused', { n: refused.problems.length });
    else this.failure = trouble(error);
  }

  #take(config: SiteFile, version: number): void {
    this.file = filled(config);
    this.secrets = {};
    this.#loaded = JSON.stringify(this.file);
    this.#version = version;
    this.#clear();
    this.checkSoon();
  }

  #clear(): void {
    this.problems = [];
    this.warnings = [];
    this.failure = '';
    this.conflict = null;
    this.saved = false;
  }
}

export const draft = new Draft();
