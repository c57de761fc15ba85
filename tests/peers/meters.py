"""A meter that is not ours: pymodbus showing the registers of an Eastron SDM630."""

import time

from devices import F32, INPUT, Device, Server, words

VOLTS, AMPS, WATTS, TOTAL, HERTZ = 0x0000, 0x0006, 0x000C, 0x0034, 0x0046


class Sdm630(Device):
    """`show(l1, l2, l3)` sets what it reads; registers between those that it knows read as 0."""

    functions = (INPUT,)
    gap = 0

    def __init__(self):
        self.answered_at = []
        self.source = None
        self.amps = (0, 0, 0)

    def show(self, *amps):
        self.amps = amps

    def follow(self, source):
        """Shows what `source()` says at every request: a site whose chargers really load it."""
        self.source = source

    def shows(self, _function):
        self.answered_at.append(time.monotonic())
        amps = self.source() if self.source else self.amps
        watts = [230.0 * a for a in amps]
        shown = {VOLTS: [230.0] * 3, AMPS: amps, WATTS: watts, TOTAL: [sum(watts)], HERTZ: [50.0]}
        return {at: [word for value in values for word in words(F32, value)] for at, values in shown.items()}


class Meter(Sdm630):
    """One with a network connection of its own; `pull()` takes its cable away, `plug()` puts it back."""

    def __init__(self):
        super().__init__()
        self.server = Server(self)
        self.start = self.plug = self.server.start
        self.stop = self.pull = self.server.stop

    @property
    def line(self):
        return f'tcp = "127.0.0.1:{self.server.port}"'
