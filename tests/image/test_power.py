"""The power fails at random instants: nothing that was acknowledged is lost, and the box boots.

Short form: three cuts. Long form: `DLB_CUTS=20`. The seed is printed; `DLB_SEED` repeats it (the guest's own
scheduling remains random).
"""

import os
import random
import threading
import time

import pytest
import requests

CUTS = int(os.environ.get("DLB_CUTS", "3"))
SEED = int(os.environ.get("DLB_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
AFTER = ("booting", "configuring", "updating", "idle")


class Scribe(threading.Thread):
    """Saves one configuration after the other, and remembers what the box acknowledged last."""

    def __init__(self, box):
        super().__init__(daemon=True)
        self.box, self.acknowledged, self.tried, self.ending = box, None, None, False
        self.config = box.get("config")["config"]

    def run(self):
        number = 0
        while not self.ending:
            number += 1
            self.tried = {**self.config, "name": f"Site {SEED} {time.monotonic_ns()}"}
            try:
                self.acknowledged = (self.box.write_config(self.tried), self.tried["name"])
            except (requests.RequestException, RuntimeError):
                return


def cut_while(box, what, random):
    """Brings the box into this state, cuts the power, and returns the scribe if there was one."""
    scribe = None
    if what == "booting":
        box.cut()
        box.on()
        time.sleep(random.uniform(1, 60))
    else:
        if what == "configuring":
            scribe = Scribe(box)
            scribe.start()
            box.until(lambda: scribe.acknowledged, seconds=60)
        if what == "updating":
            bundle = box.bundle("good")
            box.run(f"systemd-run --collect rauc install {bundle}")
        time.sleep(random.uniform(0, 90 if what == "updating" else 5))
    box.cut()
    return scribe


@pytest.mark.parametrize("number", range(CUTS))
def test_a_power_cut_loses_nothing_and_leaves_a_system_that_boots(box, number):
    dice = random.Random(SEED + number)
    what = AFTER[(number + 1) % len(AFTER)]
    print(f"cut {number} of {CUTS}, {what}, seed {SEED}")
    box.steady()
    before = {"config": box.get("config"), "machine": box.say("cat /etc/machine-id"), "version": box.image_version()}

    scribe = cut_while(box, what, dice)
    box.on()
    box.steady()

    after = box.get("config")
    if scribe:
        scribe.ending = True
        version, name = scribe.acknowledged
        assert after["version"] >= version
        assert after["config"]["name"] in (name, scribe.tried["name"])
    else:
        assert after == before["config"]
    assert box.say("cat /etc/machine-id") == before["machine"]
    assert box.image_version() in (before["version"], "0.2.0" if what == "updating" else before["version"])
    assert box.say("systemctl list-units --failed --no-legend --plain") == ""


def test_torn_variables_start_what_was_started_last(box):
    box.steady()
    slot, order = box.slot(), box.variables()["BOOT_ORDER"]
    box.run("dd if=/dev/urandom of=/dev/disk/by-partlabel/env bs=512 count=1 conv=fsync")
    box.cut()
    box.on()
    box.steady()
    assert "dlb: variables torn, taking the copy" in box.console()
    assert (box.slot(), box.variables()["BOOT_ORDER"]) == (slot, order)
