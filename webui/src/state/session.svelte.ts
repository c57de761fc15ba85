// Who is in front of the page: nobody yet, somebody who must choose the password, or somebody signed in.

import { box } from '../api/box';
import { ApiError, doorkeeper } from '../api/client';
import { live } from './live.svelte';
import { route } from './route.svelte';

type Door = 'asking' | 'unreachable' | 'setup' | 'login' | 'in';

class Session {
  door = $state<Door>('asking');
  /** The reader was signed in and is not any more. */
  ended = $state(false);
  shortestPassword = $state(10);

  async begin(): Promise<void> {
    this.door = 'asking';
    try {
      const setup = await box.setup();
      this.shortestPassword = setup.password_min_characters;
      if (setup.needs_password) this.door = 'setup';
      else if (setup.logged_in) this.enter();
      else this.door = 'login';
    } catch {
      this.door = 'unreachable';
    }
  }

  async choosePassword(password: string): Promise<void> {
    try {
      await box.choosePassword(password);
    } catch (error) {
      // Somebody else was faster: theirs is the password now.
      if (error instanceof ApiError && error.status === 409) return this.begin();
      throw error;
    }
    await this.#enterAs(password);
    route.go('welcome');
  }

  async login(password: string): Promise<void> {
    await box.login(password);
    this.enter();
  }

  async logout(): Promise<void> {
    await box.logout().catch(() => {});
    this.leave(false);
  }

  enter(): void {
    this.ended = false;
    this.door = 'in';
    doorkeeper.signedOut = () => this.door === 'in' && this.leave(true);
    // When the stream breaks, a question tells whether the login is still good.
    live.start(() => void box.site().catch(() => {}));
  }

  leave(ended: boolean): void {
    live.stop();
    live.site = null;
    this.ended = ended;
    this.door = 'login';
  }

  /** The box may sign the reader in together with the new password, or ask for it once more. */
  async #enterAs(password: string): Promise<void> {
    const setup = await box.setup();
    if (setup.logged_in) this.enter();
    else await this.login(password);
  }

}

export const session = new Session();
