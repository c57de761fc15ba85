"""Updates by a person in a real browser: a good bundle, and three that are left again by themselves."""

import asyncio
import contextlib
import time

import pytest
import websockets
from playwright.async_api import expect

from charge_points import Car, ObedientCharger, connected
from emulator import BOOT_S, WORK
from sites import Loads, ocpp, site
from visitor import browser
from waiting import eventually

SLOW_MS = 600_000
expect.set_options(timeout=120_000)
FALLBACK_A = 6


class PersistentCharger(ObedientCharger):
    """Keeps its car, its transaction and its profiles over a lost connection, as a real one does."""

    present = None

    def __init__(self, identity, socket):
        super().__init__(identity, socket)
        if self.present:
            for kept in ("profiles", "transaction", "began", "car", "energy_wh", "status", "received"):
                setattr(self, kept, getattr(self.present, kept))
        type(self).present = self


async def stay_connected(box):
    """Connects, and connects again whenever the box has gone away."""
    while True:
        with contextlib.suppress(OSError, websockets.WebSocketException, asyncio.TimeoutError):
            async with connected(PersistentCharger, box, "CP-1") as charger:
                if charger.transaction is None:
                    await charger.plug(Car())
                await charger._connection.wait_closed()
        await asyncio.sleep(2)


async def watch(drawn):
    while True:
        drawn.append((time.monotonic(), PersistentCharger.present.draws()))
        await asyncio.sleep(0.2)


def interruption(drawn, began):
    """From the fall to the fallback until more is allowed again, and the most that flowed in between."""
    since = [(at, amps) for at, amps in drawn if at >= began]
    fell = next(at for at, amps in since if amps <= FALLBACK_A)
    rose = next(at for at, amps in since if at > fell and amps > FALLBACK_A)
    return rose - fell, max(amps for at, amps in since if fell <= at < rose)


async def install_on_the_page(box, bundle):
    """Uploads, installs, and returns when the machine has begun to start again."""
    lives = len(box.starts())
    async with browser() as visit:
        visitor = await visit(box)
        visitor.context.set_default_timeout(120_000)
        visitor.expect_trouble("Failed to load resource")
        visitor.expect_trouble("WebSocket")
        page = await visitor.sign_in("#/system")
        panel = page.get_by_role("region", name="Updates")
        await panel.get_by_label("Bundle from this device").set_input_files(bundle)
        await panel.get_by_role("button", name="Upload").click()
        await expect(panel).to_contain_text("may be installed", timeout=SLOW_MS)
        await panel.get_by_label("Restart only when no car charges").uncheck()
        await panel.get_by_role("button", name="Install").click()
        began = time.monotonic()
        await asyncio.to_thread(box.until, lambda: len(box.starts()) > lives, 900, 0.5, "the restart")
        print(f"written and restarted within {time.monotonic() - began:.0f} s")


async def story(box):
    """How updates ended, newest first; waits until none is under way."""
    def ended():
        told = box.get("update")
        return told["phase"] == "idle" and told["history"]

    await asyncio.to_thread(box.steady)
    return await asyncio.to_thread(box.until, ended, BOOT_S, 2, "the update's end")


async def test_a_person_installs_a_signed_bundle_in_the_browser(box, meter):
    await asyncio.to_thread(box.steady)
    loads = Loads(meter, building=(20, 20, 20))
    await asyncio.to_thread(box.configure, site(meter, ocpp("CP-1", fallback_a=FALLBACK_A)))
    slot = await asyncio.to_thread(box.slot)
    drawn, began = [], time.monotonic()
    charging = asyncio.ensure_future(stay_connected(box))
    await eventually(lambda: PersistentCharger.present and PersistentCharger.present.draws() > 20, seconds=400)
    loads.chargers = [PersistentCharger.present]
    watching = asyncio.ensure_future(watch(drawn))
    try:
        await install_on_the_page(box, WORK / "bundles/good.raucb")
        history = await story(box)
        await eventually(lambda: PersistentCharger.present.draws() > 20, seconds=600)
    finally:
        watching.cancel()
        charging.cancel()
    seconds, most = interruption(drawn, began)
    print(f"balancing was interrupted for {seconds:.0f} s, the charger on at most {most:.1f} A")
    assert most <= FALLBACK_A
    assert (history[0]["outcome"], history[0]["to_version"]) == ("done", "0.2.0")
    assert await asyncio.to_thread(box.slot) != slot
    assert await asyncio.to_thread(box.image_version) == "0.2.0"


async def told_on_the_page(box, text):
    """Whether the page's list of updates says this."""
    async with browser() as visit:
        visitor = await visit(box)
        page = await visitor.sign_in("#/system")
        await expect(page.get_by_role("region", name="Updates")).to_contain_text(text)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        pytest.param("no-init", "0.3.2", id="whose_system_does_not_come_up"),
        pytest.param("hanging", "0.3.3", id="that_hangs_in_boot"),
        pytest.param("crashing", "0.3.1", id="whose_program_crashes"),
    ],
)
async def test_a_bundle_is_left_again_by_itself_and_the_page_says_so(box, name, version):
    await asyncio.to_thread(box.steady)
    good, before = await asyncio.to_thread(lambda: (box.slot(), box.image_version()))
    bad, lives = {"A": "B", "B": "A"}[good], len(box.starts())
    await install_on_the_page(box, WORK / f"bundles/{name}.raucb")
    await asyncio.to_thread(box.until, lambda: box.starts()[-1] == good, 1500, 5, "the old system")
    assert box.starts()[lives:] == [bad] * 3 + [good]
    history = await story(box)
    assert (history[0]["outcome"], history[0]["to_version"]) == ("rolled-back", version)
    assert "went back" in history[0]["text"]
    assert await asyncio.to_thread(lambda: (box.slot(), box.image_version())) == (good, before)
    assert (await asyncio.to_thread(box.variables))[f"BOOT_{bad}_LEFT"] == "0"
    await told_on_the_page(box, f"{version} failed, back on {before}")
