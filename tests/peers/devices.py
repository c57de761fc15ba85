"""Modbus devices that are not ours: pymodbus answers for them, over TCP or on a serial line.

A device is a table written by hand, from what its vendor says: which register shows what, which function codes
it knows, what a write does. Nothing here reads dlb's own maps, so a mistake in a map shows."""

import asyncio
import struct
import threading

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import NoSuchIdException
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from box import free_port

U16, U32, F32, F64 = ">H", ">I", ">f", ">d"
HOLDING, INPUT, WRITE_ONE, WRITE_MANY = 3, 4, 6, 16


def words(form, value):
    """A number as registers, the high word first; text as it is meant: two letters a register."""
    if form in (U16, U32):
        value = round(value)
    data = struct.pack(form, value)
    return list(struct.unpack(f">{len(data) // 2}H", data))


def number(form, registers):
    return struct.unpack(form, struct.pack(f">{len(registers)}H", *registers))[0]


class Device:
    """One unit. `shows` and `takes` are what its registers are; the rest is how it answers."""

    unit = 1
    functions = (HOLDING, WRITE_ONE, WRITE_MANY)
    one_value_per_read = False
    # What stands in registers between those that there are; `None`: a read across them is refused.
    gap = None
    # It hears, and does not answer.
    silent = False

    def shows(self, function):
        """Address to registers, as `function` reads them."""
        raise NotImplementedError

    def takes(self, address, registers):
        """A write; `False`: there is nothing to write at this address."""
        return False

    def connected(self):
        """Somebody has connected."""

    def heard(self, function):
        """A request has come."""

    async def _asked(self, function, _start, address, count, current, values):
        """pymodbus calls this before it answers; `current` is what it will answer from."""
        if self.silent:
            raise NoSuchIdException(f"unit {self.unit} is silent")
        if function not in self.functions:
            return ExcCodes.ILLEGAL_FUNCTION
        self.heard(function)
        if values is not None:
            return None if self.takes(address, list(values)) is not False else ExcCodes.ILLEGAL_ADDRESS
        if function in (HOLDING, INPUT):
            shown = self._read(self.shows(function), address, count)
            if shown is None:
                return ExcCodes.ILLEGAL_ADDRESS
            current[address : address + count] = shown
        return None

    def _read(self, table, address, count):
        if self.one_value_per_read:
            value = table.get(address)
            return value if value is not None and len(value) == count else None
        flat = {at + place: word for at, value in table.items() for place, word in enumerate(value)}
        shown = [flat.get(at, self.gap) for at in range(address, address + count)]
        return None if None in shown else shown

    def registers(self):
        everything = SimData(0, count=0xFFFF, values=0, datatype=DataType.REGISTERS)
        return SimDevice(id=self.unit, simdata=[everything], action=self._asked)


class Server:
    """Serves devices in a thread of its own. `stop()` is a pulled cable, `start()` plugs it in again."""

    def __init__(self, *devices, serial=None, baud=9600):
        self.devices, self.serial, self.baud = devices, serial, baud
        self.port = None if serial else free_port()
        self.thread = None

    def _connected(self, there):
        if there:
            for device in self.devices:
                device.connected()

    def _make(self):
        devices = [device.registers() for device in self.devices]
        common = {"ignore_missing_devices": True, "trace_connect": self._connected}
        if self.serial:
            # A pseudo-terminal has no parity.
            line = {"port": self.serial, "baudrate": self.baud, "framer": FramerType.RTU}
            return ModbusSerialServer(devices, **line, **common)
        return ModbusTcpServer(devices, address=("127.0.0.1", self.port), **common)

    async def _serve(self, started):
        server = self._make()
        await server.serve_forever(background=True)
        self.stopped = asyncio.Event()
        started.set()
        await self.stopped.wait()
        await server.shutdown()

    def start(self):
        started = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=lambda: self.loop.run_until_complete(self._serve(started)), daemon=True)
        self.thread.start()
        if not started.wait(10):
            raise TimeoutError("the Modbus server did not start")
        return self

    def stop(self):
        if self.thread is not None:
            self.loop.call_soon_threadsafe(self.stopped.set)
            self.thread.join(10)
            self.thread = None
