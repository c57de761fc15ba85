"""A serial line between two pseudo-terminals, as slow as a real one: dlb opens `dlb_end`, devices that are not
ours sit at `far_end`. A pseudo-terminal carries bytes, no parity bit."""

import os
import pty
import select
import threading
import time
import tty

BITS_PER_CHARACTER = 10
SILENCE_CHARACTERS = 3.5


class Cable:
    def __init__(self, baud):
        self.second_per_byte = BITS_PER_CHARACTER / baud
        self.ends = [pty.openpty(), pty.openpty()]
        for _, slave in self.ends:
            # Kept open: a line does not go away when nobody listens.
            tty.setraw(slave)
        self.dlb_end, self.far_end = (os.ttyname(slave) for _, slave in self.ends)
        self.asked = 0
        # Between the end of an answer and the request after it, in seconds.
        self.silences = []
        self.ending = False
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    def _carry(self):
        ours, theirs = (master for master, _ in self.ends)
        answered_at = None
        while not self.ending:
            for end in select.select([ours, theirs], [], [], 0.1)[0]:
                data = os.read(end, 4096)
                if end == ours:
                    self.asked += 1
                    if answered_at is not None:
                        self.silences.append(time.monotonic() - answered_at)
                    answered_at = None
                time.sleep(len(data) * self.second_per_byte)
                if end == theirs:
                    answered_at = time.monotonic()
                os.write(theirs if end == ours else ours, data)

    def close(self):
        self.ending = True
        self.thread.join(2)
        for end in self.ends:
            for side in end:
                os.close(side)
