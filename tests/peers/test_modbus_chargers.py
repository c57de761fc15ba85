"""Chargers that are reached by Modbus, and are not ours: each required make by itself, and a KEBA and an Alfen
that share one connection with an OCPP charge point."""

import asyncio
import contextlib
import time

import pytest

from charge_points import Car, ObedientCharger, connected
from sites import Loads, ocpp, site
from wallboxes import AbbTerraAc, AlfenEve, KebaP30, KebaP40, VestelEvc04
from waiting import eventually, eventually_alert, eventually_shown, in_thread

FALLBACK = 8


@pytest.fixture
def keba():
    server = KebaP30().start()
    yield server.devices[0]
    server.stop()


@pytest.fixture
def alfen():
    # The shortest validity that a station can be set to.
    server = AlfenEve(safe_a=FALLBACK, timeout_s=10).start()
    yield server.devices[0]
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
    ports = {"keba": keba.line, "alfen": alfen.line}
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


def draws(loads):
    return [charger.draws() for charger in loads.chargers]


async def never_over(loads, seconds, most=63.2):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert max(loads.permitted()) <= most, (loads.permitted(), draws(loads))
        await asyncio.sleep(0.02)


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
        seen = await eventually_shown(box, "keba", seconds=20, confirmed=True)
        assert seen["reason"].endswith("of grid is full"), seen


async def test_a_keba_is_kept_alive_and_falls_back_by_itself_when_the_box_dies(make_box, meter, keba, alfen):
    async with three_that_share(make_box, meter, keba, alfen) as (box, _, point):
        assert keba.safe_a == FALLBACK, "the box has armed what the KEBA falls back to"
        assert 10 <= keba.timeout_s <= 30, keba.timeout_s
        assert keba.kept == (keba.safe_a, keba.timeout_s), "also over a restart of its own"
        quiet = keba.timeout_s + 8
        until = time.monotonic() + quiet
        while time.monotonic() < until:
            keba.allowed(), alfen.allowed()
            assert not keba.fallen_back and not alfen.fallen_back, "the watchdogs must be fed in time"
            await asyncio.sleep(0.1)
        await in_thread(box.kill)
        died = time.monotonic()
        await eventually(lambda: keba.allowed() == FALLBACK and keba.fallen_back, seconds=keba.timeout_s + 3)
        await eventually(lambda: alfen.allowed() == FALLBACK and alfen.fallen_back, seconds=15)
        await eventually(lambda: point.allowed() == FALLBACK, seconds=25)
        assert time.monotonic() - died < 32

        # It comes back, and so do the shares.
        await in_thread(box.start)
        await eventually(lambda: not keba.fallen_back and not alfen.fallen_back, seconds=30)


async def test_a_wallboxs_cable_is_pulled_and_the_others_go_on(make_box, meter, keba, alfen):
    async with three_that_share(make_box, meter, keba, alfen) as (box, loads, point):
        share = keba.draws()
        await in_thread(keba.stop)
        lost = asyncio.ensure_future(eventually_alert(box, ("keba", "charger-lost")))
        # It goes on drawing its share until its watchdog lowers it; that must stay reserved.
        await never_over(loads, 8)
        await lost
        assert (await in_thread(box.charger, "keba"))["online"] is False
        assert point.draws() > 13 and alfen.draws() > 13, draws(loads)
        await eventually(lambda: keba.allowed() == FALLBACK, seconds=30)
        rising = asyncio.ensure_future(never_over(loads, 30))
        await eventually(lambda: point.draws() > share + 2 and alfen.draws() > share + 2, seconds=40)
        await rising

        await in_thread(keba.start)
        await eventually_alert(box, ("keba", "charger-lost"), there=False)
        back = asyncio.ensure_future(never_over(loads, 20))
        await eventually(lambda: max(draws(loads)) - min(draws(loads)) < 1.0, seconds=30)
        await back
        assert sum(draws(loads)) > 41


MAKES = {
    "keba-p30": (KebaP30, {}),
    "keba-p40": (KebaP40, {}),
    "alfen-eve-ng9xx": (AlfenEve, {"safe_a": FALLBACK, "timeout_s": 10}),
    "abb-terra-ac": (AbbTerraAc, {"safe_a": FALLBACK}),
    "vestel-evc04": (VestelEvc04, {}),
}


@pytest.fixture(params=MAKES)
def wallbox(request):
    make, keys = MAKES[request.param]
    wallbox = make(**keys)
    wallbox.map = request.param
    wallbox.start()
    yield wallbox
    wallbox.stop()


async def test_every_make_is_read_held_fed_and_left_to_its_fallback(make_box, meter, wallbox):
    loads = Loads(meter, building=[60, 60, 60])
    loads.chargers = [wallbox]
    charger = {"id": "bay", "port": "bay", "unit": wallbox.unit, "map": wallbox.map, "fallback_a": FALLBACK}
    text = site(meter, [charger], ports={"bay": wallbox.line}, assumed_a=30)
    box = await in_thread(make_box, text)
    # No room: a car that comes is held at nothing.
    wallbox.plugged = True
    await seen(box, lambda it: it["state"] == "SuspendedEVSE" and it["limit_a"] == 0)
    assert wallbox.draws() == 0
    loads.building = [40, 42, 44]
    await eventually(lambda: 18 <= wallbox.draws() <= 19.05, seconds=30)
    await seen(box, lambda it: it["state"] == "Charging" and abs(it["drawn_a"][0] - wallbox.draws()) < 0.2)
    loads.building = [51, 51, 51]
    await eventually(lambda: 11 <= wallbox.draws() <= 12.05, seconds=10)
    await seen(box, lambda it: it["confirmed"] and it["limit_a"] == 12.0)
    await fed(wallbox, wallbox.timeout_s + 5)
    await in_thread(box.kill)
    await eventually(lambda: wallbox.draws() == FALLBACK and wallbox.fallen_back, seconds=wallbox.timeout_s + 3)


async def fed(wallbox, seconds):
    assert 10 <= wallbox.timeout_s <= 30, "the box has armed the watchdog for as long as limits may last"
    assert wallbox.safe_a == FALLBACK, wallbox.safe_a
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        wallbox.allowed()
        assert not wallbox.fallen_back, "the watchdog must be fed in time"
        await asyncio.sleep(0.1)


async def seen(box, wanted, seconds=15):
    return await eventually(lambda: in_thread(box.charger, "bay"), wanted, seconds)
