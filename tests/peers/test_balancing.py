"""The main job against charge points and a meter that are not ours."""

import asyncio
import time

import pytest

from charge_points import (
    Car,
    GreedyCharger,
    LateCharger,
    NoTxProfileCharger,
    ObedientCharger,
    WattsCharger,
    connected,
)
from sites import Loads, ocpp, site
from waiting import eventually, eventually_alert, eventually_shown, holds, in_thread


async def test_a_car_gets_what_the_building_leaves(make_box, meter):
    loads = Loads(meter, building=(40, 45, 50))
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    async with connected(ObedientCharger, box, "CP-1") as charger:
        loads.chargers.append(charger)
        await charger.plug(Car())
        await eventually(lambda: 12.9 <= charger.draws() <= 13.0)
        await eventually_shown(box, "cp-1", reason="L3 of grid is full", state="Charging")


async def test_an_oven_starts_while_three_cars_charge(make_box, meter):
    loads = Loads(meter, building=(5, 5, 5))
    box = await in_thread(make_box, site(meter, ocpp("CP-1", "CP-2", "CP-3")))
    async with (
        connected(ObedientCharger, box, "CP-1") as one,
        connected(ObedientCharger, box, "CP-2") as two,
        connected(ObedientCharger, box, "CP-3") as three,
    ):
        chargers = [one, two, three]
        loads.chargers = chargers
        for charger in chargers:
            await charger.plug(Car())
        # A car draws what it likes until its charger has been told something.
        await eventually(lambda: sum(c.draws() for c in chargers) > 57 and max(loads.amps()) <= 63.0, seconds=40)

        answered = len(meter.answered_at)
        for charger in chargers:
            charger.received.clear()
        loads.building = [35, 35, 35]
        await eventually(lambda: sum(c.draws() for c in chargers) <= 28.05, seconds=10, every=0.01)
        seen_at = meter.answered_at[answered]
        lowered_at = max(charger.received[0][0] for charger in chargers)
        assert lowered_at - seen_at < 1.0, "the lowered limits must be on the wire within a second"

        # On the way back up no ampere may be promised twice.
        loads.building = [5, 5, 5]
        until = time.monotonic() + 15
        while time.monotonic() < until:
            assert max(loads.permitted()) <= 63.2, (loads.permitted(), [c.allowed() for c in chargers])
            await asyncio.sleep(0.02)
        assert sum(c.draws() for c in chargers) > 57


@pytest.mark.parametrize("kind", [LateCharger, NoTxProfileCharger, WattsCharger])
async def test_an_odd_charger_is_balanced_all_the_same(make_box, meter, kind):
    loads = Loads(meter, building=(40, 40, 40))
    box = await in_thread(make_box, site(meter, ocpp("ODD", "CP-2")))
    async with (
        connected(kind, box, "ODD") as odd,
        connected(ObedientCharger, box, "CP-2") as other,
    ):
        loads.chargers = [odd, other]
        await odd.plug(Car())
        await other.plug(Car())
        shown = lambda: in_thread(lambda: [(it["limit_a"], it["drawn_a"], it["reason"]) for it in box.site()["chargers"]])
        fair = lambda _: 9 <= odd.draws() <= 13 and 9 <= other.draws() <= 13
        await eventually(shown, fair, seconds=60)
        await eventually(lambda: max(loads.permitted()) <= 63.2, seconds=30)
        await holds(lambda: max(loads.permitted()) <= 63.2, seconds=5)
        # The building takes more, and gives it back: the odd one follows, and nothing is promised twice.
        loads.building = [44, 44, 44]
        await eventually(lambda: max(loads.permitted()) <= 63.2, seconds=30)
        loads.building = [40, 40, 40]
        await holds(lambda: max(loads.permitted()) <= 63.2, seconds=15)
        await eventually(shown, fair, seconds=60)


async def test_a_charger_that_takes_more_than_allowed_is_fenced_off(make_box, meter):
    loads = Loads(meter, building=(10, 10, 10))
    box = await in_thread(make_box, site(meter, ocpp("GREEDY", "CP-2")))
    async with (
        connected(GreedyCharger, box, "GREEDY") as greedy,
        connected(ObedientCharger, box, "CP-2") as other,
    ):
        loads.chargers = [greedy, other]
        await other.plug(Car())
        await greedy.plug(Car())
        loads.building = [25, 25, 25]
        alerts = await eventually_alert(box, ("greedy", "charger-disobeys"))
        assert ("greedy", "charger-disobeys") in alerts
        await eventually(lambda: max(loads.amps()) <= 63.2, seconds=10)


async def test_the_meters_cable_is_pulled(make_box, meter):
    loads = Loads(meter, building=(5, 5, 5))
    box = await in_thread(make_box, site(meter, ocpp("CP-1"), assumed_a=50))
    async with connected(ObedientCharger, box, "CP-1") as charger:
        loads.chargers = [charger]
        await charger.plug(Car())
        await eventually(lambda: charger.draws() > 31)
        pulled = time.monotonic()
        await in_thread(meter.pull)
        await eventually(lambda: charger.allowed() <= 13.0, seconds=6, every=0.02)
        assert time.monotonic() - pulled < 5.0
        await eventually_alert(box, ("main", "meter-lost"))
        assert (await in_thread(box.site))["mode"] == "static"
        await in_thread(meter.plug)
        await eventually_alert(box, ("main", "meter-lost"), there=False)
        await eventually(lambda: charger.draws() > 31, seconds=30)


async def test_a_chargers_cable_is_pulled_and_the_others_go_on(make_box, meter):
    loads = Loads(meter, building=(23, 23, 23))
    box = await in_thread(make_box, site(meter, ocpp("CP-1", "CP-2")))
    async with connected(ObedientCharger, box, "CP-2") as stays:
        async with connected(ObedientCharger, box, "CP-1") as goes:
            loads.chargers = [goes, stays]
            await goes.plug(Car())
            await stays.plug(Car())
            # Before they were told anything both draw all they can: a fair share shows that their profiles have come.
            share = lambda charger: 18 < charger.draws() <= 20.1
            await eventually(lambda: share(goes) and share(stays), seconds=40)
        # The connection is gone, the car is still there, and its profile has not run out yet.
        await eventually_alert(box, ("cp-1", "charger-lost"))
        assert max(loads.permitted()) <= 63.2
        # Later it has fallen back to 6 A by itself, and the other one gets the rest.
        await eventually(lambda: goes.allowed() == 6.0, seconds=40)
        await eventually(lambda: stays.draws() > 20, seconds=60)
        assert max(loads.permitted()) <= 63.2


async def test_the_box_dies_and_chargers_fall_back_by_themselves(make_box, meter):
    loads = Loads(meter, building=(10, 10, 10))
    box = await in_thread(make_box, site(meter, ocpp("CP-1", fallback_a=8)))
    async with connected(ObedientCharger, box, "CP-1") as charger:
        loads.chargers = [charger]
        transaction = await charger.plug(Car())
        await eventually(lambda: charger.draws() > 31, seconds=30)
        await eventually_shown(box, "cp-1", fallback_armed=True)
        await in_thread(box.kill)
        died = time.monotonic()
        await eventually(lambda: charger.draws() == 8.0, seconds=25)
        assert time.monotonic() - died < 21
        await in_thread(box.start)
        await in_thread(box.login)
    # The charger comes back without a boot, in the middle of its transaction.
    async with connected(ObedientCharger, box, "CP-1", boot=False) as again:
        again.car, again.transaction, again.status = charger.car, transaction, "Charging"
        again.energy_wh, again.profiles, again.began = charger.energy_wh, charger.profiles, charger.began
        loads.chargers = [again]
        await eventually(lambda: again.draws() > 31, seconds=40)
        seen = await eventually_shown(box, "cp-1", confirmed=True, seconds=20)
        assert seen["session"]["session"] == transaction
        again.energy_wh += 5000
        await again.unplug()
        await eventually_shown(box, "cp-1", session=None)
        now = int(time.time() * 1000)
        span = {"from_ms": now - 3_600_000, "to_ms": now + 60_000}
        sessions = (await in_thread(lambda: box.get("sessions", **span)))["sessions"]
        assert [s["session"] for s in sessions] == [transaction]
        assert sessions[0]["energy_wh"] >= 5000


async def test_a_restart_of_the_box_switches_no_running_car_off(make_box, meter):
    """Both wallboxes come back one after the other; together they could draw more than there is."""
    loads = Loads(meter, building=(5, 5, 5))
    box = await in_thread(make_box, site(meter, ocpp("CP-1", "CP-2"), limit_a=35, assumed_a=20))
    async with connected(ObedientCharger, box, "CP-1") as one, connected(ObedientCharger, box, "CP-2") as two:
        loads.chargers = [one, two]
        running = [(charger, await charger.plug(Car())) for charger in (one, two)]
        await eventually(lambda: all(14 <= charger.draws() <= 15 for charger in loads.chargers), seconds=40)
        await in_thread(box.kill)
        await in_thread(box.start)
        await in_thread(box.login)

    def resume(again, before, transaction):
        again.car, again.transaction, again.status = before.car, transaction, "Charging"
        again.energy_wh, again.profiles, again.began = before.energy_wh, before.profiles, before.began
        return again

    async with connected(ObedientCharger, box, "CP-1", boot=False) as one:
        first = resume(one, *running[0])
        loads.chargers = [first, running[1][0]]
        await holds(lambda: first.draws() >= 6, seconds=3)
        async with connected(ObedientCharger, box, "CP-2", boot=False) as two:
            second = resume(two, *running[1])
            loads.chargers = [first, second]
            await holds(lambda: min(first.draws(), second.draws()) >= 6, seconds=10)
            for name in ("cp-1", "cp-2"):
                await eventually_shown(box, name, confirmed=True, seconds=20)
            assert sum(charger.draws() for charger in loads.chargers) > 27


async def test_an_unknown_charger_waits_for_one_click(make_box, meter):
    loads = Loads(meter, building=(10, 10, 10))
    box = await in_thread(make_box, site(meter, []))
    async with connected(ObedientCharger, box, "NEW-1") as charger:
        loads.chargers = [charger]

        waiting = lambda site: "NEW-1" in [each["name"] for each in site["waiting"]]
        await eventually(lambda: in_thread(box.site), waiting)
        wish = {"id": "bay-1", "circuit": "grid", "rotation": "unknown", "max_a": 32}
        await in_thread(box.post, "waiting/NEW-1/adopt", wish)
        await charger.plug(Car())
        await eventually(lambda: charger.draws() > 31, seconds=30)
        assert "NEW-1" in box.config.read_text()


async def test_stopping_the_box_leaves_chargers_on_safe_limits(make_box, meter):
    loads = Loads(meter, building=(10, 10, 10))
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    async with connected(ObedientCharger, box, "CP-1") as charger:
        loads.chargers = [charger]
        await charger.plug(Car())
        await eventually(lambda: charger.draws() > 31, seconds=30)
        stopping = asyncio.create_task(in_thread(box.process.terminate))
        await eventually(lambda: charger.allowed() == 6.0, seconds=4)
        await stopping
        assert await in_thread(box.process.wait, 10) == 0
