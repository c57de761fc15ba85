"""A factory reset of a box that runs: the password opens it once more, and nothing of the site is left."""

import time

import pytest

from box import PASSWORD
from sites import ocpp, site


def test_a_box_that_is_reset_forgets_its_site_and_its_password(make_box, meter):
    box = make_box(site(meter, ocpp("CP-1")))
    with pytest.raises(RuntimeError, match="401"):
        box.post("factory-reset", {"password": "something else"})
    assert box.config.exists()
    box.post("factory-reset", {"password": PASSWORD})
    until = time.monotonic() + 30
    while box.config.exists() or (box.data / "factory-reset").exists():
        assert time.monotonic() < until, box.read_log()
        time.sleep(0.1)
    # It starts anew at once, on its first address, if that is free.
    assert not (box.data / "password").exists()
    assert not (box.data / "clamps.toml").exists()


def test_a_box_that_is_told_to_go_while_it_is_reset_goes(make_box, meter):
    box = make_box(site(meter, ocpp("CP-1")))
    box.post("factory-reset", {"password": PASSWORD})
    # Between the end of one run and the beginning of the next.
    while box.config.exists():
        time.sleep(0.001)
    box.process.terminate()
    assert box.process.wait(10) == 0
