"""Simulated chargers on this machine, a real program in an emulated box, an emulated network between them."""

import asyncio

from charge_points import Car, ObedientCharger, WattsCharger, connected
from sites import Loads, ocpp, site
from waiting import eventually


async def test_chargers_on_the_network_share_what_the_building_leaves(box, meter):
    await asyncio.to_thread(box.steady)
    loads = Loads(meter, building=(20, 25, 30))
    await asyncio.to_thread(box.configure, site(meter, ocpp("CP-1", "CP-2")))
    async with connected(ObedientCharger, box, "CP-1") as one, connected(WattsCharger, box, "CP-2") as two:
        loads.chargers = [one, two]
        for charger in loads.chargers:
            await charger.plug(Car())
        await eventually(lambda: 31.5 <= one.draws() + two.draws() <= 33.05, seconds=120)
        assert max(loads.amps()) <= 63.05

        loads.building = [45, 45, 45]
        await eventually(lambda: one.draws() + two.draws() <= 18.05, seconds=30, every=0.05)
        loads.building = [20, 25, 30]
        await eventually(lambda: one.draws() + two.draws() >= 31.5, seconds=120)
