// The live picture of the site. While the stream is broken the last picture stays, marked stale, and
// the stream is opened again with growing patience.

import { box } from '../api/box';
import type { Schemas } from '../api/client';

export type Site = Schemas['SiteView'];
export type Circuit = Schemas['CircuitView'];
export type Charger = Schemas['ChargerView'];
export type Alert = Schemas['AlertView'];
export type Waiting = Schemas['WaitingView'];

/** A picture comes about every second; after this long without one the box is asked whether it is there. */
const SILENCE_MS = 10_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

class Live {
  site = $state.raw<Site | null>(null);
  /** Since when nothing was heard; null while the stream is alive. */
  lostSince = $state<number | null>(null);
  heardAt = $state(0);
  /** The box answers, but its loop has published nothing for a while. */
  idle = $state(false);

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
    this.idle = false;
    this.#alive();
  }

  #alive(): void {
    this.heardAt = Date.now();
    this.lostSince = null;
    this.#wait = FIRST_WAIT_MS;
    this.#alarmIn(SILENCE_MS);
  }

  /** Nothing new for a while: the line may be dead, or the box may have stopped balancing. */
  async #silent(): Promise<void> {
    try {
      this.idle = !(await box.health()).balancing;
      if (this.#stream) this.#alive();
    } catch {
      this.#broken();
    }
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
    this.#watch = setTimeout(() => void this.#silent(), ms);
  }
}

export const live = new Live();
