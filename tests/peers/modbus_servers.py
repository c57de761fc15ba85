"""Meters and chargers that are not ours: pymodbus servers, made from the map files that dlb itself reads.

What a map says is coded here a second time, with Python's `struct`, so that a mistake in one of the two
shows. A charger has a watchdog as its map describes it: left unfed, it falls back by itself.

    modbus_servers.py meter controller/links/maps/meters/eastron-sdm630.toml --port 5020 --amps 10,-5,0
    modbus_servers.py charger controller/links/maps/chargers/keba-p30.toml --port 5021 --unit 255 --car 16

What happens is printed as one JSON object a line. From Python: `MeterServer`, `ChargerServer`, each with
`start()`, `stop()` (the cable is pulled) and attributes that may be set while it runs.
"""

import argparse
import asyncio
import json
import struct
import sys
import threading
import time
import tomllib
from pathlib import Path

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

READS = (3, 4)
PREFIX = {"mA": 1e-3, "mV": 1e-3, "mW": 1e-3, "kW": 1e3, "kWh": 1e3, "ms": 1e-3}
FORMAT = {"u16": ">H", "i16": ">h", "u32": ">I", "i32": ">i", "u64": ">Q", "i64": ">q", "f32": ">f", "f64": ">d"}


class Coding:
    """One register entry of a map: a number to words and back."""

    def __init__(self, entry, read):
        self.address = entry["address"]
        self.format = FORMAT[entry["type"]]
        self.words = struct.calcsize(self.format) // 2
        self.factor = entry.get("scale", 1) * PREFIX.get(entry["unit"], 1)
        self.swapped = entry.get("word_order", read.get("word_order")) == "low-first"
        self.scale_register = entry.get("scale_register")

    def encode(self, value, power=0):
        counts = value / self.factor / 10**power
        if self.format[1] not in "fd":
            counts = round(counts)
        data = struct.pack(self.format, counts)
        words = list(struct.unpack(f">{self.words}H", data))
        return words[::-1] if self.swapped else words

    def decode(self, words):
        words = words[::-1] if self.swapped else words
        return struct.unpack(self.format, struct.pack(f">{self.words}H", *words))[0] * self.factor


class Server:
    """A device with 65,536 registers, in a thread of its own."""

    def __init__(self, map_file, port=0, unit=1, serial=None, baud=9600, tell=None):
        self.map = tomllib.loads(Path(map_file).read_text())
        self.read = self.map["read"]
        self.port, self.unit, self.serial, self.baud = port, unit, serial, baud
        self.tell = tell or (lambda **_: None)
        self.memory = [0] * 0x10000
        self.values_at = {}
        self.loop = None

    def put(self, address, words):
        self.memory[address : address + len(words)] = words

    def know(self, address, words):
        """A value begins here: what a device that answers for one value at a time goes by."""
        self.values_at[address] = words

    def prepare(self):
        """Before each read: bring `memory` up to date."""

    def written(self, address, words):
        """After each write."""

    async def _asked(self, function, start, address, count, current, values):
        if function in READS and self._too_much(address, count):
            return ExcCodes.ILLEGAL_ADDRESS
        if values is None:
            self.prepare()
        else:
            self.put(address, values)
            self.written(address, list(values))
        current[address - start : address - start + count] = self.memory[address : address + count]
        return None

    def _too_much(self, address, count):
        if self.read.get("one_value_per_read"):
            return self.values_at.get(address) != count
        return count > self.read.get("max_words", 60)

    async def _serve(self, started):
        registers = SimData(0, count=len(self.memory), values=0, datatype=DataType.REGISTERS)
        device = SimDevice(id=self.unit, simdata=[registers], action=self._asked)
        if self.serial:
            self.server = ModbusSerialServer(device, framer=FramerType.RTU, port=self.serial, baudrate=self.baud)
        else:
            self.server = ModbusTcpServer(device, address=("127.0.0.1", self.port))
        await self.server.serve_forever(background=True)
        if not self.serial:
            self.port = self.server.transport.sockets[0].getsockname()[1]
        self.stopped = asyncio.Event()
        started.set()
        await self.stopped.wait()
        await self.server.shutdown()

    def start(self):
        started = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=lambda: self.loop.run_until_complete(self._serve(started)), daemon=True)
        self.thread.start()
        if not started.wait(10):
            raise TimeoutError("the Modbus server did not start")
        return self

    def stop(self):
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self.stopped.set)
            self.thread.join(10)
            self.loop = None


class MeterServer(Server):
    """Shows `amps` (negative: export), `volts`, and the powers that belong to them."""

    POWERS = {"A": -2, "V": -1, "W": 0, "Hz": -2, "Wh": 2}

    def __init__(self, map_file, amps=(0, 0, 0), volts=(230, 230, 230), **rest):
        super().__init__(map_file, **rest)
        self.amps, self.volts = tuple(amps), tuple(volts)
        self.imported_wh, self.exported_wh, self.hertz = 1_234_500, 67_800, 50.0
        self.base = self._sunspec() if "sunspec" in self.map else 0

    def _sunspec(self):
        """A common model of 66 registers, then the meter's, then the end mark."""
        start, model = self.map["sunspec"]["start"][0], self.map["sunspec"]["models"][0]
        length = 124 if model > 210 else 105
        self.put(start, [0x5375, 0x6E53, 1, 66])
        self.put(start + 70, [model, length])
        self.put(start + 72 + length, [0xFFFF, 0])
        return start + 70

    def prepare(self):
        # Meters whose currents carry no sign show the size only.
        sized = self.map["current_sign"] == "from-power"
        watts = [a * v for a, v in zip(self.amps, self.volts)]
        self._show("current", [abs(a) for a in self.amps] if sized else self.amps)
        self._show("voltage", self.volts)
        self._show("power", watts)
        self._show("power_total", [sum(watts)])
        self._show("frequency", [self.hertz])
        self._show("imported", [self.imported_wh])
        self._show("exported", [self.exported_wh])

    def _show(self, key, values):
        entry = self.map.get(key)
        if entry is None:
            return
        addresses = entry["address"] if isinstance(entry["address"], list) else [entry["address"]]
        coding = Coding(entry, self.read)
        power = self.POWERS[entry["unit"]] if coding.scale_register else 0
        if coding.scale_register:
            self.put(self.base + coding.scale_register, [power & 0xFFFF])
        for address, value in zip(addresses, values):
            self.put(self.base + address, coding.encode(value, power))


class ChargerServer(Server):
    """A charger with a car that takes up to `car_amps` on `car_phases`, and a watchdog."""

    def __init__(self, map_file, car_amps=16.0, car_phases=3, plugged=True, safe_amps=6.0, **rest):
        super().__init__(map_file, **rest)
        self.car_amps, self.car_phases, self.plugged = car_amps, car_phases, plugged
        self.told_amps, self.enabled = 32.0, True
        self.safe_amps, self.timeout_s = safe_amps, self.map["failsafe"].get("timeout_fixed_s", 0)
        self.energy_wh, self.counted_at, self.fed_at = 0.0, time.monotonic(), time.monotonic()
        self.fallen_back = False
        self.limit, self.failsafe = self.map["limit"], self.map["failsafe"]
        for text in self.map.get("identity", {}).values():
            self.know(text["address"], text.get("words", 2 if text["type"] == "u32" else 1))

    def amps(self):
        """What flows now, in amperes for each phase of the charger."""
        limit = self.offered()
        flows = min(self.car_amps, limit) if self.plugged and limit >= self.limit["min_a"] else 0.0
        return [flows if phase < self.car_phases else 0.0 for phase in range(3)]

    def offered(self):
        """The limit in force; a watchdog that was not fed in time replaces it."""
        if self.timeout_s and not self.fallen_back and time.monotonic() - self.fed_at > self.timeout_s:
            self.fallen_back = True
            self.told_amps = self.safe_amps
            self.tell(event="fell back", to_a=self.safe_amps)
        return self.told_amps if self.enabled else 0.0

    def prepare(self):
        amps = self.amps()
        now = time.monotonic()
        self.energy_wh += 230 * sum(amps) * (now - self.counted_at) / 3600
        self.counted_at = now
        values = self.map.get("values", {})
        current = values.get("current")
        for address, value in zip(current["address"] if current else [], amps):
            self._show({**current, "address": address}, value)
        self._show(values.get("power"), 230 * sum(amps))
        self._show(values.get("energy"), self.energy_wh)
        self._show(self.limit.get("readback"), self.told_amps)
        self._show(self.failsafe.get("current_readback"), self.safe_amps)
        self._show(self.failsafe.get("timeout_readback"), self.timeout_s)
        self._show_code(self.map["state"], self._state(amps))
        if "plug" in self.map:
            self._show_code(self.map["plug"], self.plugged)
        if "phases" in values:
            self._show_code(values["phases"], 3)

    def _state(self, amps):
        if not self.plugged:
            return "Available"
        if sum(amps):
            return "Charging"
        return "SuspendedEVSE" if self.offered() < self.limit["min_a"] else "SuspendedEV"

    def _show(self, entry, value):
        if entry is not None:
            coding = Coding(entry, self.read)
            self.know(coding.address, coding.words)
            self.put(coding.address, coding.encode(value))

    def _show_code(self, coded, meaning):
        """The last code with this meaning; a charger without the state says that it charges."""
        codes = [code for code, it in coded["meaning"].items() if it == meaning]
        code = (codes or [code for code, it in coded["meaning"].items() if it == "Charging"])[-1]
        register = coded["register"]
        address, kind = register["address"], register["type"]
        if kind == "ascii":
            text = code.encode().ljust(2 * register["words"], b"\0")
            words = list(struct.unpack(f">{register['words']}H", text))
        else:
            mask = register.get("mask", 0xFFFFFFFF)
            number = int(code) << (mask & -mask).bit_length() - 1
            words = [number >> 16, number & 0xFFFF] if kind == "u32" else [number & 0xFFFF]
        self.know(address, len(words))
        self.put(address, words)

    def written(self, address, words):
        self.tell(event="written", address=address, words=words)
        if address in self._feeding():
            self.fed_at = time.monotonic()
        enable = self.limit.get("enable")
        if enable and address == enable["address"]:
            self.enabled = words[0] == enable["on"]
        elif address == self.limit["write"]["address"]:
            self.told_amps = Coding(self.limit["write"], self.read).decode(words)
            self.fallen_back = False
        elif address == self.failsafe.get("current", {}).get("address"):
            self.safe_amps = Coding(self.failsafe["current"], self.read).decode(words)
        elif address == self.failsafe.get("timeout", {}).get("address"):
            self.timeout_s = Coding(self.failsafe["timeout"], self.read).decode(words)

    def _feeding(self):
        keep = self.map.get("keep_alive", {})
        fed = {pulse["address"] for pulse in keep.get("write", [])}
        if keep.get("rewrite_limit"):
            fed |= {self.limit["write"]["address"], self.limit.get("enable", {}).get("address")}
        if keep.get("rewrite_timeout"):
            fed.add(self.failsafe["timeout"]["address"])
        return fed


def numbers(text):
    return tuple(float(part) for part in text.split(","))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["meter", "charger"])
    parser.add_argument("map")
    parser.add_argument("--port", type=int, default=0, help="0: any free one; it is printed")
    parser.add_argument("--serial", help="serve Modbus RTU on this device instead")
    parser.add_argument("--baud", type=int, default=9600)
    parser.add_argument("--unit", type=int, default=1)
    parser.add_argument("--amps", type=numbers, default=(10.0, -5.0, 0.0), help="a meter's currents")
    parser.add_argument("--volts", type=numbers, default=(230.0, 231.0, 229.0))
    parser.add_argument("--car", type=float, default=16.0, help="amperes that the car would take")
    parser.add_argument("--phases", type=int, default=3, help="phases of the car")
    wanted = parser.parse_args()

    def tell(**what):
        print(json.dumps({"at": round(time.monotonic(), 3), **what}), flush=True)

    common = {"port": wanted.port, "unit": wanted.unit, "serial": wanted.serial, "baud": wanted.baud, "tell": tell}
    if wanted.kind == "meter":
        server = MeterServer(wanted.map, amps=wanted.amps, volts=wanted.volts, **common)
    else:
        server = ChargerServer(wanted.map, car_amps=wanted.car, car_phases=wanted.phases, **common)
    server.start()
    tell(event="listening", port=server.port)
    try:
        while True:
            time.sleep(0.5)
            if wanted.kind == "charger":
                server.offered()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
