"""A meter that is not ours: pymodbus showing the registers of an Eastron SDM630, in a thread of its own."""

import asyncio
import struct
import threading
import time

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from box import free_port

VOLTS, AMPS, WATTS, TOTAL, HERTZ = 0x0000, 0x0006, 0x000C, 0x0034, 0x0046


class Meter:
    """`show(l1, l2, l3)` sets what it reads; `pull()` takes its cable away, `plug()` puts it back."""

    def __init__(self):
        self.port = free_port()
        self.registers = [0] * 0x200
        self.shown_at = 0.0
        self.answered_at = []
        self.source = None
        self.loop = None
        self.show(0, 0, 0)

    def show(self, *amps):
        self.amps = amps
        self._write(VOLTS, [230.0] * 3)
        self._write(AMPS, amps)
        self._write(WATTS, [230.0 * a for a in amps])
        self._write(TOTAL, [230.0 * sum(amps)])
        self._write(HERTZ, [50.0])
        self.shown_at = time.monotonic()

    def follow(self, source):
        """Shows what `source()` says at every request: a site whose chargers really load it."""
        self.source = source

    def _write(self, address, values):
        for offset, value in enumerate(values):
            registers = struct.unpack(">HH", struct.pack(">f", value))
            for place, register in enumerate(registers):
                self.registers[address + 2 * offset + place] = register

    async def _asked(self, _function, start, address, count, current, _values):
        """pymodbus calls this before it answers a request; `current` is what it will answer from."""
        if self.source is not None:
            self.show(*self.source())
        current[:] = self.registers[start : start + len(current)]
        self.answered_at.append(time.monotonic())

    async def _serve(self):
        registers = SimData(0, count=len(self.registers), values=0, datatype=DataType.REGISTERS)
        device = SimDevice(id=1, simdata=[registers], action=self._asked)
        self.server = ModbusTcpServer(device, address=("127.0.0.1", self.port))
        await self.server.serve_forever(background=False)

    def start(self):
        started = threading.Event()

        def run():
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
            self.loop.call_soon(started.set)
            try:
                self.loop.run_until_complete(self._serve())
            except (asyncio.CancelledError, RuntimeError):
                pass

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        started.wait(5)

    def stop(self):
        if self.loop is not None:
            asyncio.run_coroutine_threadsafe(self.server.shutdown(), self.loop)
            self.thread.join(5)
            self.loop = None

    pull = stop
    plug = start
