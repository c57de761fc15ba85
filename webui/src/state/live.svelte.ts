// The live picture of the site. While the stream is broken the last picture stays, marked stale, and
// the stream is opened again with growing patience.

import type { Schemas } from '../api/client';

export type Site = Schemas['SiteView'];
export type Circuit = Schemas['CircuitView'];
export type Charger = Schemas['ChargerView'];
export type Alert = Schemas['AlertView'];
export type Waiting = Schemas['WaitingView'];

/** The box speaks at least once in this time; longer silence means that the line is dead. */
const SILENCE_MS = 12_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

class Live {
  site = $state.raw<Site | null>(null);
  /** Since when nothing was heard; null while the stream is alive. */
  lostSince = $state<number | null>(null);
  heardAt = $state(0);

  #stream: EventSource | null = null;
  #wait = FIRST_WAIT_MS;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #onLost: () => void = () => {};

  start(onLost: () => void): void {
    this.stop();
    this.#onLost = onLost;
    this.#open();
  }

  stop(): void {
    this.#stream?.close();
    this.#stream = null;
    clearTimeout(this.#watch);
  }

  #open(): void {
    const stream = new EventSource('/api/v1/live');
    this.#stream = stream;
    stream.addEventListener('site', (event: MessageEvent<string>) => this.#heard(event.data));
    stream.addEventListener('error', () => this.#broken());
    this.#alarmIn(SILENCE_MS);
  }

  #heard(data: string): void {
    this.site = JSON.parse(data) as Site;
    this.heardAt = Date.now();
    this.lostSince = null;
    this.#wait = FIRST_WAIT_MS;
    this.#alarmIn(SILENCE_MS);
  }

  #broken(): void {
    this.#stream?.close();
    this.lostSince ??= this.heardAt || Date.now();
    this.#onLost();
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#open(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }

  #alarmIn(ms: number): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#broken(), ms);
  }
}

export const live = new Live();
