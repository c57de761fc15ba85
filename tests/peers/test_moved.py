"""The page and the chargers' door are moved by saving a configuration."""

import os
import socket

import pytest
import requests

from box import free_port
from charge_points import Car, ObedientCharger, connected
from sites import ocpp, site
from waiting import eventually, in_thread


def save(box, server):
    told = box.get("config")
    answer = box.http.put(
        f"{box.url}/api/v1/config", json=told["config"] | {"server": server}, timeout=20,
        headers={"Origin": box.url, "If-Match": f'"{told["version"]}"'},
    )
    return answer.status_code, answer.json()


def answers(url):
    try:
        return requests.get(f"{url}/api/v1/health", timeout=2).json()["balancing"]
    except requests.RequestException:
        return False


async def test_page_and_chargers_move_where_the_saved_configuration_says(make_box, meter, tmp_path, monkeypatch):
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(runtime))
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    told = runtime / "listening"
    assert told.read_text() == f"page 127.0.0.1:{box.page_port}\nocpp 127.0.0.1:{box.ocpp_port}\n"
    before, pid = box.url, box.process.pid
    page, door = free_port(), free_port()
    status, _ = await in_thread(save, box, {"page": f"127.0.0.1:{page}", "ocpp": f"127.0.0.1:{door}"})
    assert status == 200
    box.page_port, box.ocpp_port = page, door
    await eventually(lambda: answers(box.url), seconds=60)
    assert not answers(before)
    assert box.process.poll() is None and box.process.pid == pid
    await eventually(lambda: told.read_text() == f"page 127.0.0.1:{page}\nocpp 127.0.0.1:{door}\n")
    async with connected(ObedientCharger, box, "CP-1") as charger:
        await charger.plug(Car())
        await eventually(lambda: charger.allowed() == pytest.approx(32, abs=0.05), seconds=60)


async def test_a_place_where_the_page_could_never_be_reached_again_is_refused(make_box, meter):
    box = await in_thread(make_box, site(meter, []))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        status, told = await in_thread(save, box, {"page": taken, "ocpp": f"127.0.0.1:{box.ocpp_port}"})
    assert (status, told["problems"][0]["key"]) == (422, "server.page")
    assert "another port" in told["problems"][0]["remedy"]
    assert (await in_thread(box.get, "config"))["config"]["server"]["page"] == f"127.0.0.1:{box.page_port}"
    if os.getuid() != 0:
        status, told = await in_thread(save, box, {"page": "127.0.0.1:80", "ocpp": f"127.0.0.1:{box.ocpp_port}"})
        assert (status, told["problems"][0]["key"]) == (422, "server.page")


async def test_health_says_that_the_configuration_on_the_disk_cannot_be_used(make_box, meter):
    box = await in_thread(make_box, site(meter, []))
    health = f"{box.url}/api/v1/health"
    assert (await in_thread(lambda: requests.get(health, timeout=5).json()))["config_in_force"]
    await in_thread(box.kill)
    box.config.write_text(box.config.read_text().replace("limit_a", "limit_of_a_later_version"))
    await in_thread(box.start)
    told = await in_thread(lambda: requests.get(health, timeout=5).json())
    assert not told["config_in_force"]
    await in_thread(box.login)
    status, _ = await in_thread(save, box, (await in_thread(box.get, "config"))["config"]["server"])
    assert status == 200
    assert (await in_thread(lambda: requests.get(health, timeout=5).json()))["config_in_force"]
