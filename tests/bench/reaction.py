"""How long from a meter's answer to the lowered limit on the wire: a pymodbus meter, and charge points on
PyPI's `ocpp`. The building takes a little more a hundred times; each time all three cars must be lowered.

The chargers measure often, so that each step finds them settled: a step that could be cars that have not
followed their last limit yet is not taken for the building's, until they report."""

import asyncio
import random
import time

from box import Box
from charge_points import Car, ObedientCharger, connected
from meters import Meter
from sites import Loads, ocpp, site

STEPS = 100
STEP_A = 0.6
LIMIT_A = 200
BUILDING_A = 104.0
PATIENCE_S = 3.0


class Timed(ObedientCharger):
    """Remembers when each frame came, before anything is parsed."""

    came = 0.0
    measure_every = 0.3

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.measure_every = type(self).measure_every
        self.told = []

    async def route_message(self, raw):
        self.came = time.monotonic()
        await super().route_message(raw)

    def refuses(self, purpose, schedule):
        if purpose == "TxProfile":
            limit = float(schedule["charging_schedule_period"][0]["limit"])
            self.told.append((self.came, limit))
        return super().refuses(purpose, schedule)


class SteppedMeter(Meter):
    """Notes when it answers with a changed building for the first time."""

    def __init__(self):
        super().__init__()
        self.changed = False
        self.answered_change_at = None

    async def _asked(self, *arguments):
        answer = await super()._asked(*arguments)
        if self.changed:
            self.changed = False
            self.answered_change_at = time.monotonic()
        return answer


async def step(meter, loads, chargers):
    """One step of the building; the seconds until the last of the three heard of it, or nothing."""
    counts = [len(charger.told) for charger in chargers]
    limits = [charger.told[-1][1] for charger in chargers]
    meter.answered_change_at = None
    loads.building = [amps + STEP_A for amps in loads.building]
    meter.changed = True
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        await asyncio.sleep(0.02)
        lowered = [
            next((came for came, limit in charger.told[count:] if limit < before), None)
            for charger, count, before in zip(chargers, counts, limits)
        ]
        if meter.answered_change_at and all(lowered):
            return max(lowered) - meter.answered_change_at
    return None


async def measure(directory):
    meter = SteppedMeter()
    meter.start()
    loads = Loads(meter, building=(BUILDING_A,) * 3)
    names = ["CP-1", "CP-2", "CP-3"]
    box = Box(directory, site(meter, ocpp(*names), limit_a=LIMIT_A))
    try:
        await asyncio.to_thread(box.start)
        async with connected(Timed, box, names[0]) as a, connected(Timed, box, names[1]) as b:
            async with connected(Timed, box, names[2]) as c:
                return await steps(meter, loads, [a, b, c])
    finally:
        await asyncio.to_thread(box.stop)
        meter.stop()


async def steps(meter, loads, chargers):
    loads.chargers = chargers
    for charger in chargers:
        await charger.plug(Car())
    until = time.monotonic() + 40
    while sum(charger.draws() for charger in chargers) < 95.9:
        if time.monotonic() > until:
            raise RuntimeError("the chargers did not get what is there")
        await asyncio.sleep(0.1)
    await asyncio.sleep(3)
    chance = random.Random(7)
    seconds = []
    for _ in range(STEPS):
        seconds.append(await step(meter, loads, chargers))
        await asyncio.sleep(0.45 + chance.random() * 0.3)
    return seconds
