// What the clamps see, while somebody looks: the stream is open as long as the view is, and only while
// the page is visible.

import type { Clamps } from '../clamps/finding';

class ClampStream {
  view = $state.raw<Clamps | null>(null);
  lost = $state(false);
  #stream: EventSource | null = null;

  /** Opens the stream; answers with how to end it. */
  watch(): () => void {
    const look = () => (document.visibilityState === 'visible' ? this.#open() : this.#close());
    document.addEventListener('visibilitychange', look);
    look();
    return () => {
      document.removeEventListener('visibilitychange', look);
      this.#close();
      this.view = null;
    };
  }

  #open(): void {
    if (this.#stream) return;
    // The browser opens it again by itself.
    const stream = new EventSource('/api/v1/clamps/live');
    this.#stream = stream;
    stream.addEventListener('clamps', (event: MessageEvent<string>) => {
      this.view = JSON.parse(event.data) as Clamps;
      this.lost = false;
    });
    stream.addEventListener('error', () => (this.lost = true));
  }

  #close(): void {
    this.#stream?.close();
    this.#stream = null;
  }
}

export const clampStream = new ClampStream();
