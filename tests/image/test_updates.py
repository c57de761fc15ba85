"""Bundles, handed to RAUC or named by an address: a good one is installed and proven, wrong ones are refused.
test_update_page.py has the rest."""

import time

import pytest

from download import Download
from emulator import WORK

REFUSED = {
    "unsigned": "Invalid bundle format: Signature size is 0",
    "stranger": "signature verification failed",
    "truncated": "Invalid bundle format",
    "other-machine": "Compatible mismatch: Expected 'dlb-qemuarm64-test' but bundle manifest has 'dlb-other-machine'",
    "older": "The bundle is version 0.0.9, older than the running",
}


def install(box, name):
    return box.run(f"rauc install {box.bundle(name)}; status=$?; journalctl -u rauc -n 20 -o cat; exit $status", check=False, seconds=900)


@pytest.mark.parametrize("name", REFUSED)
def test_a_bundle_that_is_not_for_this_box_is_refused_with_a_sentence(box, name):
    box.steady()
    before = box.variables()
    status, told = install(box, name)
    assert status != 0 and REFUSED[name] in told
    assert box.variables() == before


def test_a_good_bundle_starts_in_the_other_slot_and_is_marked_good(box):
    box.steady()
    config, machine, slot = box.get("config"), box.say("cat /etc/machine-id"), box.slot()
    status, told = install(box, "good")
    assert status == 0, told
    ended = time.monotonic()
    box.restart()
    box.until(lambda: not box.balancing(), seconds=60)
    box.until(box.balancing, what="balancing after the update")
    print(f"balancing was interrupted for at most {time.monotonic() - ended:.0f} s")
    box.steady()
    assert box.slot() != slot
    assert box.image_version() == "0.2.0"
    assert box.variables()["BOOT_ORDER"].split()[0] == box.slot()
    assert box.variables()[f"BOOT_{box.slot()}_LEFT"] == "3"
    assert (box.get("config"), box.say("cat /etc/machine-id")) == (config, machine)


@pytest.fixture
def download():
    """The bundles, on a web server on this machine."""
    server = Download(WORK / "bundles")
    yield server
    server.stop()


def test_a_bundle_at_an_address_is_installed_and_where_rauc_can_only_what_changed_is_fetched(box, download):
    box.steady()
    slot, lives, size = box.slot(), len(box.starts()), (WORK / "bundles/good.raucb").stat().st_size
    box.post("update/fetch", {"url": f"http://10.0.2.2:{download.port}/good.raucb"})
    looked_at = box.until(lambda: (it := box.get("update")) and (it["phase"] == "ready" or it["problem"]) and it, what="a look at the bundle")
    assert looked_at["phase"] == "ready", looked_at["problem"]
    box.post("update/install", {"wait_for_cars": False})
    box.until(lambda: len(box.starts()) > lives, what="the restart")
    print(f"{download.sent / 1e6:.1f} of {size / 1e6:.1f} MB were fetched, {download.pieces} times a piece")
    box.steady()
    box.until(lambda: box.get("update")["phase"] == "idle", what="the update's end")
    assert box.get("update")["history"][0]["outcome"] == "done"
    assert box.slot() != slot and box.image_version() == "0.2.0"
    # Debian 12's RAUC cannot: it fetches the bundle to look at it, and again to install it.
    assert download.sent < size / 2 if download.pieces else download.sent == 2 * size
