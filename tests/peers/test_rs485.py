"""Modbus RTU: a meter and a charger that are not ours, as units of one RS-485 line."""

import asyncio
import time

import pytest

from devices import Server
from meters import Sdm630
from rs485 import BITS_PER_CHARACTER, SILENCE_CHARACTERS, Cable
from sites import Loads, site
from test_modbus_chargers import FALLBACK, fed
from waiting import eventually, eventually_alert, in_thread
from wallboxes import Heidelberg

BAUD = 19_200


class Bus:
    """The line with its two devices."""

    def __init__(self):
        self.cable = Cable(BAUD)
        self.meter, self.wallbox = Sdm630(), Heidelberg(unit=2)
        self.server = Server(self.meter, self.wallbox, serial=self.cable.far_end, baud=BAUD).start()
        self.loads = Loads(self.meter, building=[46, 47, 48])
        self.loads.chargers = [self.wallbox]
        self.meter.line = f'serial = "{self.cable.dlb_end}"\nbaud = {BAUD}\nparity = "none"\nstop_bits = 1'

    def site(self):
        keys = {"port": "cabinet", "unit": 2, "map": "heidelberg-energy-control", "fallback_a": FALLBACK}
        return site(self.meter, [{"id": "bay", "max_a": 16} | keys], assumed_a=55)

    async def charging(self, make_box):
        """A box that has found both, and a car that came then and gets what the building leaves."""
        box = await in_thread(make_box, self.site())
        await eventually(lambda: self.wallbox.safe_a == FALLBACK, seconds=10)
        self.wallbox.plugged = True
        await eventually(lambda: 14.5 <= self.wallbox.draws() <= 15.05, seconds=30)
        return box

    def close(self):
        self.server.stop()
        self.cable.close()


@pytest.fixture
def bus():
    bus = Bus()
    yield bus
    bus.close()


async def test_a_meter_and_a_charger_share_one_rs485_line(make_box, bus):
    box = await bus.charging(make_box)
    bus.loads.building = [40, 40, 40]
    await eventually(lambda: bus.wallbox.draws() == 16, seconds=30)
    bus.loads.building = [50, 50, 50]
    await eventually(lambda: 6 <= bus.wallbox.draws() <= 13.05, seconds=10)
    await fed(bus.wallbox, 5)
    # Silence before each request, by which devices on the line know where a frame begins.
    assert min(bus.cable.silences) >= SILENCE_CHARACTERS * BITS_PER_CHARACTER / BAUD, min(bus.cable.silences)
    # The meter is read as often as it was asked for, beside the charger.
    seen = len(bus.meter.answered_at)
    await asyncio.sleep(4)
    assert len(bus.meter.answered_at) - seen >= 7
    await in_thread(box.kill)
    await eventually(lambda: bus.wallbox.allowed() == FALLBACK, seconds=bus.wallbox.timeout_s + 3)


async def test_a_meter_falls_silent_on_a_line_that_its_charger_shares(make_box, bus):
    box = await bus.charging(make_box)
    bus.meter.silent = True
    went = time.monotonic()
    await eventually_alert(box, ("main", "meter-lost"), seconds=8)
    assert time.monotonic() - went < 8
    assert (await in_thread(box.circuit))["measured_a"] is None, "its last reading counts for nothing any more"
    # 63 A less the 55 A that the building is assumed to take.
    await eventually(lambda: bus.wallbox.draws() == 8, seconds=8)
    # The charger on the same line is still told and fed, though every other request has no answer.
    await fed(bus.wallbox, bus.wallbox.timeout_s + 5)
    told = next(it["text"] for it in (await in_thread(box.site))["alerts"] if it["about"] == "main")
    assert "check its cable" in told, told
    bus.meter.silent = False
    await eventually_alert(box, ("main", "meter-lost"), there=False, seconds=15)
    await eventually(lambda: 14.5 <= bus.wallbox.draws() <= 15.05, seconds=30)


async def test_a_charger_falls_silent_on_the_line_of_the_meter(make_box, bus):
    box = await bus.charging(make_box)
    bus.wallbox.silent = True
    await eventually_alert(box, ("bay", "charger-lost"))
    seen = len(bus.meter.answered_at)
    await asyncio.sleep(4)
    assert len(bus.meter.answered_at) - seen >= 4, "the meter is still read, once a second at least"
    bus.wallbox.silent = False
    await eventually_alert(box, ("bay", "charger-lost"), there=False)
    await eventually(lambda: 14.5 <= bus.wallbox.draws() <= 15.05, seconds=40)
