"""Contacts and relays on a real GPIO character device: the emulated machine's chip (ARM PL061), of which the emulator can
move one line."""

import re

from sites import site

LINES = """
[[input]]
id = "ripple-control"
chip = "/dev/gpiochip0"
line = 3
active = "high"
bias = "none"
debounce_ms = 1
circuit = "grid"
inhibit = true

[[output]]
id = "lamp"
chip = "/dev/gpiochip0"
line = 5
does = "lamp"
"""


def contacts(box, key):
    return [contact[key] for contact in box.site()["inputs"]]


def times_closed(box):
    events = box.get("events", about="ripple-control")["events"]
    return len([it for it in events if it["code"] == "limit-by-input" and not it["cleared"]])


def test_a_contact_that_closes_for_a_moment_is_seen_and_a_lamp_is_driven(box, meter):
    box.steady()
    box.configure(site(meter, []) + LINES)
    box.until(lambda: contacts(box, "level") == ["inactive"], seconds=120, what="the contact's level")
    box.say("mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug")
    ours = re.findall(r"\|dlb: (\S+)\s*\) (in|out)", box.say("cat /sys/kernel/debug/gpio"))
    assert ours == [("ripple-control", "in"), ("lamp", "out")]
    box.until(lambda: re.search(r"lamp\s*\) out hi", box.say("cat /sys/kernel/debug/gpio")), seconds=60, what="light")

    before = times_closed(box)
    box.press()
    box.until(lambda: times_closed(box) == before + 1, seconds=60, what="the contact to be seen closed")
    box.until(lambda: contacts(box, "in_force") == [False], seconds=60, what="the contact to be seen open")
