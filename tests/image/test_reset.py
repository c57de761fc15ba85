"""A factory reset, asked for by the program's own means: a file in its directory."""

import pytest


@pytest.mark.parametrize("cut", [False, True], ids=["", "over_a_power_cut"])
def test_a_factory_reset_forgets_everything(box, cut):
    box.steady()
    box.write_config({**box.get("config")["config"], "name": "To be forgotten"})
    machine, slot = box.say("cat /etc/machine-id"), box.slot()
    lives = len(box.starts())
    box.run("touch /var/lib/dlb/factory-reset")
    box.until(lambda: len(box.starts()) > lives, what="the reboot")
    if cut:
        box.cut()
        box.on()
    box.until(box.balancing, what="balancing")
    assert box.http.get(f"{box.url}/api/v1/setup", timeout=10).json()["needs_password"]
    box.steady()
    assert box.get("config")["config"].get("name", "") != "To be forgotten"
    assert box.say("cat /etc/machine-id") != machine
    assert box.slot() == slot
    assert "FACTORY_RESET" not in box.variables()
    assert int(box.say("df --output=size -m /data | tail -n 1")) > 800
