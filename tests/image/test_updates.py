"""Bundles: good ones are installed and proven, bad ones refused or left again."""

import time

import pytest

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


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("no-init", id="whose_system_does_not_come_up"),
        pytest.param("hanging", id="that_hangs_in_boot"),
        pytest.param("crashing", id="whose_program_crashes"),
    ],
)
def test_a_bundle_is_left_again_by_itself(box, name):
    box.steady()
    good, version = box.slot(), box.image_version()
    status, told = install(box, name)
    assert status == 0, told
    lives = len(box.starts())
    box.restart()
    bad = box.starts()[lives]
    assert bad != good
    box.until(lambda: box.starts()[-1] == good, seconds=1500, every=5, what=f"back on {good}")
    assert box.starts()[lives:] == [bad] * 3 + [good]
    box.steady()
    assert (box.slot(), box.image_version()) == (good, version)
    assert box.variables()[f"BOOT_{bad}_LEFT"] == "0"
