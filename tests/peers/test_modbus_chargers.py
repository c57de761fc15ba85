"""Chargers that are reached by Modbus, not ours: pymodbus servers with the registers, and the watchdogs,
of a KEBA and of an Alfen. Both share one connection with an OCPP charge point."""

import asyncio
import contextlib
import pathlib
import time

import pytest

from box import free_port
from charge_points import Car, ObedientCharger, connected, eventually
from modbus_servers import ChargerServer
from sites import Loads, ocpp, site

MAPS = pathlib.Path(__file__).resolve().parents[2] / "controller" / "links" / "maps" / "chargers"
FALLBACK = 8


class Wallbox(ChargerServer):
    """A charger with a car that takes all it gets, as `Loads` counts them."""

    rating = 32.0

    def __init__(self, name, **rest):
        super().__init__(MAPS / f"{name}.toml", port=free_port(), car_amps=32.0, plugged=False, **rest)
        self.car = Car()

    def draws(self):
        return self.amps()[0]

    def allowed(self):
        return self.offered()

    def obeyed(self, allowed):
        return allowed


@pytest.fixture
def keba():
    server = Wallbox("keba-p30", unit=255).start()
    yield server
    server.stop()


@pytest.fixture
def alfen():
    server = Wallbox("alfen-eve-ng9xx", safe_amps=FALLBACK)
    server.timeout_s = 10  # the shortest validity that a station can be set to
    server.start()
    yield server
    server.stop()


@contextlib.asynccontextmanager
async def three_that_share(make_box, meter, keba, alfen, building=20):
    """The site, its loads and its OCPP charge point, once all three charge alike."""
    loads = Loads(meter, building=[building] * 3)
    chargers = [
        {"id": "keba", "port": "keba", "unit": 255, "map": "keba-p30", "fallback_a": FALLBACK},
        {"id": "alfen", "port": "alfen", "unit": 1, "map": "alfen-eve-ng9xx", "fallback_a": FALLBACK},
        *ocpp("CP-1", fallback_a=FALLBACK),
    ]
    ports = {"keba": keba.port, "alfen": alfen.port}
    box = await in_thread(make_box, site(meter, chargers, ports=ports, assumed_a=30))
    async with connected(ObedientCharger, box, "CP-1") as point:
        loads.chargers = [keba, alfen, point]
        # Cars that charge before the OCPP charge point is back would be switched off for some minutes:
        # until it is heard of, all that it may draw is set aside.
        keba.plugged = alfen.plugged = True
        await point.plug(Car())
        await shared(box, loads)
        yield box, loads, point


async def shared(box, loads, seconds=40):
    """All draw the same, together what the building leaves, and the box knows that: right after a raise, what
    flows before a charger has said so may as well be an oven."""
    building = max(loads.building)
    share = (63 - building) / len(loads.chargers)
    until = time.monotonic() + seconds
    while True:
        site = await in_thread(box.site)
        other = max(site["circuits"][0]["other_load_a"])
        heard = [max(charger["drawn_a"] or [0.0]) for charger in site["chargers"]]
        if abs(other - building) < 0.5 and all(abs(drawn - share) < 0.5 for drawn in heard + draws(loads)):
            return
        told = f"{share} A for each, but they draw {draws(loads)}; the box knows of {heard} and of {other} A else"
        assert time.monotonic() < until, told
        await asyncio.sleep(0.05)


async def in_thread(work, *arguments):
    return await asyncio.to_thread(work, *arguments)


def draws(loads):
    return [charger.draws() for charger in loads.chargers]


async def never_over(loads, seconds, most=63.2):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert max(loads.permitted()) <= most, (loads.permitted(), draws(loads))
        await asyncio.sleep(0.02)


async def alert(box, wanted, there=True, seconds=30):
    until = time.monotonic() + seconds
    while (wanted in (alerts := await in_thread(box.alerts))) is not there:
        assert time.monotonic() < until, alerts
        await asyncio.sleep(0.2)


async def test_modbus_and_ocpp_chargers_share_and_never_promise_too_much(make_box, meter, keba, alfen):
    async with three_that_share(make_box, meter, keba, alfen) as (box, loads, _):
        await never_over(loads, 2)
        loads.building = [35, 35, 35]
        await eventually(lambda: sum(draws(loads)) <= 28.1, seconds=10, every=0.02)
        await never_over(loads, 5)
        loads.building = [10, 10, 10]
        raising = asyncio.ensure_future(never_over(loads, 25))
        await eventually(lambda: sum(draws(loads)) > 51, seconds=25)
        await raising
        spread = max(draws(loads)) - min(draws(loads))
        assert spread < 1.0, draws(loads)
        until = time.monotonic() + 20
        while not (seen := await in_thread(box.charger, "keba"))["confirmed"]:
            assert time.monotonic() < until, seen
            await asyncio.sleep(0.1)
        assert seen["reason"].endswith("of grid is full"), seen


async def test_a_keba_is_kept_alive_and_falls_back_by_itself_when_the_box_dies(make_box, meter, keba, alfen):
    async with three_that_share(make_box, meter, keba, alfen) as (box, _, point):
        assert keba.safe_amps == FALLBACK, "the box has armed what the KEBA falls back to"
        assert 10 <= keba.timeout_s <= 30, keba.timeout_s
        quiet = keba.timeout_s + 8
        until = time.monotonic() + quiet
        while time.monotonic() < until:
            keba.offered(), alfen.offered()
            assert not keba.fallen_back and not alfen.fallen_back, "the watchdogs must be fed in time"
            await asyncio.sleep(0.1)
        await in_thread(box.kill)
        died = time.monotonic()
        await eventually(lambda: keba.offered() == FALLBACK and keba.fallen_back, seconds=keba.timeout_s + 3)
        await eventually(lambda: alfen.offered() == FALLBACK and alfen.fallen_back, seconds=15)
        await eventually(lambda: point.allowed() == FALLBACK, seconds=25)
        assert time.monotonic() - died < 32

        # It comes back, and so do the shares.
        await in_thread(box.start)
        await eventually(lambda: not keba.fallen_back and not alfen.fallen_back, seconds=30)


async def test_a_wallboxs_cable_is_pulled_and_the_others_go_on(make_box, meter, keba, alfen):
    async with three_that_share(make_box, meter, keba, alfen) as (box, loads, point):
        share = keba.draws()
        await in_thread(keba.stop)
        lost = asyncio.ensure_future(alert(box, ("keba", "charger-lost")))
        # It goes on drawing its share until its watchdog lowers it; that must stay reserved.
        await never_over(loads, 8)
        await lost
        assert (await in_thread(box.charger, "keba"))["online"] is False
        assert point.draws() > 13 and alfen.draws() > 13, draws(loads)
        await eventually(lambda: keba.offered() == FALLBACK, seconds=30)
        rising = asyncio.ensure_future(never_over(loads, 30))
        await eventually(lambda: point.draws() > share + 2 and alfen.draws() > share + 2, seconds=40)
        await rising

        await in_thread(keba.start)
        await alert(box, ("keba", "charger-lost"), there=False)
        back = asyncio.ensure_future(never_over(loads, 20))
        await eventually(lambda: max(draws(loads)) - min(draws(loads)) < 1.0, seconds=30)
        await back
        assert sum(draws(loads)) > 41
