"""A new box boots, balances, and is what `rootfs-overlay/README.md` says."""

import re

from emulator import MOVED


def test_a_new_box_balances_and_its_page_answers_from_outside(box):
    box.until(box.balancing, what="balancing")
    assert "<title>" in box.http.get(f"{box.url}/", timeout=10).text


def test_the_health_check_marks_the_system_good(box):
    box.steady()
    assert box.variables()["BOOT_A_LEFT"] == "3"
    assert box.slot() == "A"
    slots = {slot["name"]: slot for slot in box.get("system")["slots"]}
    assert slots["rootfs.0"]["booted"] and not slots["rootfs.1"]["booted"]


def test_no_unit_fails(box):
    assert box.say("systemctl list-units --failed --no-legend --plain") == ""


def test_the_service_is_hardly_exposed(box):
    overall = box.say("systemd-analyze security dlb.service | tail -n 1")
    assert float(re.search(r"dlb.service: (\d+\.\d)", overall)[1]) <= 2.0, overall


def test_the_data_partition_has_grown_to_the_disks_end(box):
    assert int(box.say("df --output=size -m /data | tail -n 1")) > 800


def test_the_root_file_system_is_read_only(box):
    assert box.run("touch /etc/x /usr/x", check=False)[0] != 0


def opened(box):
    elements = re.search(r"elements = \{([^}]*)\}", box.say("nft list set inet dlb served"))[1]
    return {int(port) for port in elements.split(",")}


def test_nothing_listens_but_what_the_firewall_opens(box):
    """And what has no business outside listens on loopback only."""
    listening = box.say("ss -Hltn | awk '{print $4}'").split()
    outside = {int(place.rsplit(":", 1)[1]) for place in listening if not place.startswith(("127.", "[::1]"))}
    # 5355 would be LLMNR, which is switched off.
    assert outside == {8080, 9000}
    assert opened(box) == outside
    assert "policy drop" in box.say("nft list chain inet dlb input")


def test_the_firewall_follows_a_page_that_is_moved(box):
    box.steady()
    present = box.get("config")["config"]["server"]
    box.write_config({**box.get("config")["config"], "server": {**present, "page": f"0.0.0.0:{MOVED}"}})
    box.page_port, before = box.moved_port, box.page_port
    try:
        box.until(box.balancing, seconds=120, what="the page at its new place")
        box.until(lambda: opened(box) == {MOVED, 9000}, seconds=60, what="the new port to be open")
        assert f"redirect to :{MOVED}" in box.say("nft list chain inet dlb_page prerouting")
        box.login()
        box.write_config({**box.get("config")["config"], "server": present})
    finally:
        box.page_port = before
    box.until(box.balancing, seconds=120, what="the page where it was")
    box.until(lambda: opened(box) == {8080, 9000}, seconds=60, what="the old port to be open")
    box.login()


def test_a_watchdog_is_fed(box):
    assert box.say("cat /sys/class/watchdog/watchdog0/state") == "active"
    # The product's 30 s are stretched here, see tests/image/README.md.
    assert box.say("systemctl show -P RuntimeWatchdogUSec") == "3min"


def test_the_box_is_called_by_name_on_its_network(box):
    assert "+mDNS" in box.say("resolvectl status eth0")
    assert "Protocols" in box.say("resolvectl status eth0")
    assert box.say("hostname") == "dlb"


def test_the_program_is_killed_and_comes_back(box):
    before = box.say("systemctl show -P MainPID dlb.service")
    box.run("kill -9 $(systemctl show -P MainPID dlb.service)")
    box.until(lambda: box.balancing() and box.say("systemctl show -P MainPID dlb.service") != before, seconds=60)
