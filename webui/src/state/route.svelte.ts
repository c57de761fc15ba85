// Where the reader is: the part of the address behind `#/`. Plain links work, so does the back button.

class Route {
  path = $state<string[]>([]);
  /** Asked before going to another address; false stays. */
  guard: ((target: string) => boolean) | null = null;
  #address = '';

  start(): void {
    this.#address = location.hash;
    this.#read();
    addEventListener('hashchange', () => this.#changed());
  }

  go(path: string): void {
    location.hash = `/${path}`;
  }

  #changed(): void {
    if (location.hash === this.#address) return;
    if (this.guard && !this.guard(location.hash)) {
      history.replaceState(null, '', this.#address || '#/');
      return;
    }
    this.#address = location.hash;
    this.#read();
    scrollTo(0, 0);
  }

  #read(): void {
    this.path = location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decode);
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const route = new Route();
