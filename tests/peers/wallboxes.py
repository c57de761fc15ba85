"""Chargers that are reached by Modbus, not ours: registers by hand, from what their vendors and drivers of
others say, with a car, and with the watchdog that each of them has."""

import time

from charge_points import Car
from devices import F32, F64, HOLDING, INPUT, U16, U32, WRITE_MANY, WRITE_ONE, Device, Server, number, words

VOLTS = 230.0


def letters(text, registers, bytes_each=1):
    data = text.encode("ascii" if bytes_each == 1 else "utf-16-be").ljust(2 * registers, b"\0")
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


class Wallbox(Device):
    """A charger with a car that takes all it gets, as `sites.Loads` counts them."""

    rating = 32.0
    floor_a = 6.0

    def __init__(self, safe_a=16.0, timeout_s=0.0):
        self.car, self.plugged = Car(), False
        self.told_a, self.enabled = self.rating, True
        self.safe_a, self.timeout_s = safe_a, timeout_s
        self.fed_at, self.fallen_back = time.monotonic(), False
        self.energy_wh, self.counted_at = 4_321_000.0, time.monotonic()
        self.written = []
        self.server = Server(self)
        self.start, self.stop = self.server.start, self.server.stop

    @property
    def line(self):
        return f'tcp = "127.0.0.1:{self.server.port}"'

    # -- what flows -----------------------------------------------------------------------------------

    def allowed(self):
        """The limit in force; a watchdog that was not fed in time replaces it."""
        if self.timeout_s and not self.fallen_back and time.monotonic() - self.fed_at > self.timeout_s:
            self.fallen_back, self.told_a = True, self.safe_a
        return self.told_a if self.enabled else 0.0

    def obeyed(self, allowed):
        return allowed

    def draws(self):
        limit = min(self.allowed(), self.rating)
        return min(self.car.max_a, limit) if self.plugged and limit >= self.floor_a else 0.0

    def amps(self):
        amps = self.draws()
        return [amps if phase < self.car.phases else 0.0 for phase in range(3)]

    def watts(self):
        now = time.monotonic()
        watts = VOLTS * sum(self.amps())
        self.energy_wh += watts * (now - self.counted_at) / 3600
        self.counted_at = now
        return watts

    def state(self, empty, ready, charging, held):
        """The code that this model has for what it does."""
        if not self.plugged:
            return empty
        if self.draws():
            return charging
        return held if self.allowed() < self.floor_a else ready

    # -- what it is told ------------------------------------------------------------------------------

    def fed(self):
        self.fed_at = time.monotonic()

    def limited(self, amps):
        self.told_a, self.fallen_back = amps, False

    def takes(self, address, registers):
        self.written.append((address, registers))
        return self.told(address, registers)

    def told(self, address, registers):
        raise NotImplementedError


class KebaP30(Wallbox):
    """KeContact P30: a read brings one value of two registers, a write is one register. What lifts the
    failsafe is the current and the enable register, both written again; what feeds it, its timeout."""

    unit = 255
    functions = (HOLDING, WRITE_ONE)
    one_value_per_read = True
    SERIAL, PRODUCT, FIRMWARE = 21_745_001, 304_123, 0x03_0A_1B_00
    # What it would fall back to, and after how long, once it has started anew.
    kept = None

    def shows(self, _function):
        milliamps = [1000 * amps for amps in self.amps()]
        values = {
            1000: self.state(empty=1, ready=2, charging=3, held=5),
            1004: 7 if self.plugged else 3,
            1006: 0,
            1008: milliamps[0],
            1010: milliamps[1],
            1012: milliamps[2],
            1014: self.SERIAL,
            1016: self.PRODUCT,
            1018: self.FIRMWARE,
            1020: 1000 * self.watts(),
            1036: 10 * self.energy_wh,
            1040: VOLTS,
            1042: VOLTS,
            1044: VOLTS,
            1100: 1000 * self.rating,
            1600: 1000 * self.safe_a,
            1602: self.timeout_s,
        }
        return {address: words(U32, value) for address, value in values.items()}

    def told(self, address, registers):
        (value,) = registers
        match address:
            case 5004:
                self.limited(value / 1000)
            case 5014:
                self.enabled = value == 1
            case 5016:
                self.safe_a = value / 1000
            case 5018:
                self.timeout_s = value
                self.fed()
            case 5020 if value == 1:
                self.kept = (self.safe_a, self.timeout_s)
            case _:
                return False
        return True


class KebaP40(KebaP30):
    """KeContact P40: nothing to enable, 0 pauses; the limit can be read where it is written."""

    PRODUCT, FIRMWARE = 4_241_231, 10_203

    def shows(self, function):
        return super().shows(function) | {5004: words(U16, 1000 * self.told_a)}

    def told(self, address, registers):
        return address != 5014 and super().told(address, registers)


class AlfenEve(Wallbox):
    """Eve NG9xx, one socket: floats, each written whole. A limit is valid for a time, then the safe current
    counts, which only the installer can set. What is not there reads as not-a-number."""

    functions = (HOLDING, WRITE_ONE, WRITE_MANY)
    gap = 0xFFFF

    def shows(self, _function):
        left = max(0.0, self.timeout_s - (time.monotonic() - self.fed_at))
        amps = self.amps()
        floats = {306 + 2 * phase: VOLTS for phase in range(3)}
        floats |= {320 + 2 * phase: amps[phase] for phase in range(3)}
        floats |= {338 + 2 * phase: VOLTS * amps[phase] for phase in range(3)}
        floats |= {326: sum(amps), 344: self.watts()}
        # The limit that counts, the one that was written, and the safe one.
        floats |= {1206: min(self.allowed(), self.rating), 1210: self.told_a, 1212: self.safe_a}
        return {address: words(F32, value) for address, value in floats.items()} | {
            374: words(F64, self.energy_wh),
            1200: [1],
            1201: letters(self.state(empty="A", ready="B2", charging="C2", held="C1"), 5),
            1208: words(U32, 0 if self.fallen_back else left),
            1214: [0 if self.fallen_back else 1],
            1215: [3],
        }

    def told(self, address, registers):
        match address, len(registers):
            case 1210, 2:
                self.limited(number(F32, registers))
                self.fed()
            case 1215, 1:
                pass
            case _:
                return False
        return True


class AbbTerraAc(Wallbox):
    """Terra AC: whole blocks of 32 bit are read, only write-multiple writes. Any request feeds its
    communication timeout; the fallback is set with the vendor's own software."""

    functions = (HOLDING, WRITE_MANY)
    SERIAL, FIRMWARE = 0x0000_5441_4357_3232, 0x01_08_15_00

    def shows(self, _function):
        milliamps = [1000 * amps for amps in self.amps()]
        values = [
            (0x4000, self.SERIAL >> 32),
            (0x4002, self.SERIAL & 0xFFFF_FFFF),
            (0x4004, self.FIRMWARE),
            (0x4006, 1000 * self.rating),
            (0x4008, 0),
            (0x400A, 0x0111 if self.plugged else 0),
            # Bit 15: the communication timeout has struck. Bits 8 to 14: the state.
            (0x400C, self.fallen_back << 15 | self.state(empty=0, ready=2, charging=4, held=3) << 8),
            (0x400E, 1000 * min(self.allowed(), self.rating)),
            *[(0x4010 + 2 * phase, milliamps[phase]) for phase in range(3)],
            *[(0x4016 + 2 * phase, 10 * VOLTS) for phase in range(3)],
            (0x401C, self.watts()),
            (0x401E, self.energy_wh % 50_000),
        ]
        return {address: words(U32, value) for address, value in values} | {0x4106: [round(self.timeout_s)]}

    def heard(self, function):
        self.allowed()
        self.fed()

    def told(self, address, registers):
        match address, len(registers):
            case 0x4100, 2:
                self.limited(number(U32, registers) / 1000)
            case 0x4105, 1:
                self.enabled = registers == [0]
            case 0x4106, 1:
                self.timeout_s = registers[0]
            case _:
                return False
        return True


class VestelEvc04(Wallbox):
    """EVC04, also Webasto Unite: whole amperes; 1 must stand in the alive register within half of the timeout.
    A new connection finds it as it was delivered."""

    unit = 255
    functions = (HOLDING, INPUT, WRITE_ONE, WRITE_MANY)
    one_value_per_read = True

    def connected(self):
        self.safe_a, self.timeout_s = 6.0, 20.0
        self.fed()

    def shows(self, function):
        if function == HOLDING:
            return {2000: words(U16, self.safe_a), 2002: words(U16, self.timeout_s), 5004: words(U16, self.told_a), 405: [1]}
        milliamps = [1000 * amps for amps in self.amps()]
        return {
            100: letters("7101850000", 25, bytes_each=2),
            190: letters("Webasto", 10, bytes_each=2),
            210: letters("EVC04", 5, bytes_each=2),
            230: letters("v3.187.0-1.0.155.0", 50, bytes_each=2),
            404: [1],
            1000: [self.state(empty=0, ready=4, charging=2, held=3)],
            1001: [1 if self.draws() else 0],
            1004: [3 if self.plugged else 0],
            1008: words(U16, milliamps[0]),
            1010: words(U16, milliamps[1]),
            1012: words(U16, milliamps[2]),
            1014: words(U16, VOLTS),
            1016: words(U16, VOLTS),
            1018: words(U16, VOLTS),
            1020: words(U32, self.watts()),
            1036: words(U32, self.energy_wh / 100),
            1502: words(U32, 0),
        }

    def told(self, address, registers):
        (value,) = registers
        match address:
            case 5004:
                self.limited(value)
            case 2000:
                self.safe_a = value
            case 2002:
                self.timeout_s = value
            case 6000:
                if value == 1:
                    self.fed()
            case _:
                return False
        return True


class Heidelberg(Wallbox):
    """Energy Control, on RS-485: tenths of amperes, read with read-input, settings with read-holding; written
    with write-multiple. Any request feeds its watchdog, which counts milliseconds."""

    rating = 16.0
    functions = (HOLDING, INPUT, WRITE_MANY)

    def __init__(self, unit, **rest):
        super().__init__(timeout_s=15.0, **rest)
        self.unit = unit
        self.remote_lock = 0

    def heard(self, function):
        self.allowed()
        self.fed()

    def allowed(self):
        return super().allowed() if self.remote_lock == 1 else 0.0

    def shows(self, function):
        if function == HOLDING:
            tenths = words(U16, 10 * self.told_a) + words(U16, 10 * self.safe_a)
            return {257: words(U16, 1000 * self.timeout_s) + [4, self.remote_lock], 261: tenths}
        tenths = [round(10 * amps) for amps in self.amps()]
        volts = [round(VOLTS)] * 3
        state = self.state(empty=2, ready=5, charging=7, held=6)
        head = [0x108, state, *tenths, 210, *volts, 1, round(self.watts())]
        return {4: head + words(U32, self.energy_wh % 50_000) + words(U32, self.energy_wh), 100: [16, 6]}

    def told(self, address, registers):
        match address, registers:
            case 257, [value]:
                self.timeout_s = value / 1000
            case 258, [_]:
                pass
            case 259, [value]:
                self.remote_lock = value
            case 261, [value]:
                self.limited(value / 10)
            case 262, [value]:
                self.safe_a = value / 10
            case _:
                return False
        return True
