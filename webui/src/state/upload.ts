// A bundle from this device to the box, in pieces: what broke off goes on where the box says that it is.

import { box } from '../api/box';
import { ApiError } from '../api/client';

/** Small enough to arrive in time over a slow line. */
const PIECE_BYTES = 512 * 1024;
/** A piece is tried again after pauses that grow. */
const TRIES = 6;
const PAUSE_MS = 1_000;

/** Resolves when the box has it all. `told` hears a share between 0 and 1. */
export async function upload(file: File, told: (share: number) => void): Promise<void> {
  let { received } = await box.beginUpload({ name: file.name, size: file.size });
  told(received / file.size);
  while (received < file.size) {
    received = await piece(file, received);
    told(received / file.size);
  }
}

async function piece(file: File, offset: number): Promise<number> {
  for (let tried = 1; ; tried++) {
    try {
      return (await box.uploadPiece(offset, file.slice(offset, offset + PIECE_BYTES))).received;
    } catch (error) {
      if (!passes(error) || tried === TRIES) throw error;
      await new Promise((done) => setTimeout(done, PAUSE_MS * tried));
    }
  }
}

/** A line that broke, a box that is busy: worth another try. */
function passes(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 503);
}
