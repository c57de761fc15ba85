"""Updates of an appliance, told and done by a RAUC service on a D-Bus of its own."""

import asyncio
import contextlib
import io
import json
import tarfile
import tomllib

import pytest
import requests
import trustme
from playwright.async_api import expect

from box import PASSWORD, Box
from charge_points import Car, ObedientCharger, connected
from rauc import RAUC, Installer, Workshop, fake, rauc_on_a_bus
from sites import Loads, mqtt, ocpp, site
from visitor import browser
from waiting import eventually, in_thread

RESTART_MACHINE = 75


@contextlib.asynccontextmanager
async def appliance(tmp_path, config, address, monkeypatch):
    """A box that reaches RAUC on this bus, logged in."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    box = Box(tmp_path, config)
    try:
        await in_thread(lambda: box.start().login())
        yield box
    finally:
        await in_thread(box.stop)


async def until(box, path, wanted, seconds=30):
    return await eventually(lambda: in_thread(box.get, path), wanted, seconds)


async def phase(box, wanted):
    return await until(box, "update", lambda told: told["available"] and told["phase"] == wanted)


def answers(box):
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{box.url}/api/v1/health", timeout=2).ok
    return False


def put(box, path, body):
    answer = box.http.put(f"{box.url}/api/v1/{path}", json=body, headers={"Origin": box.url}, timeout=20)
    assert answer.ok, answer.text


def upload(box, name, content, piece=100_000):
    """As the page does it."""
    begun = box.post("update/upload", {"name": name, "size": len(content)})
    while begun["received"] < len(content):
        at = begun["received"]
        answer = box.http.put(f"{box.url}/api/v1/update/upload", params={"offset": at}, timeout=20,
                              data=content[at:at + piece],
                              headers={"Origin": box.url, "Content-Type": "application/octet-stream"})
        assert answer.ok, answer.text
        begun = answer.json()


async def test_an_appliance_shows_both_of_its_systems(tmp_path, meter, monkeypatch):
    async with rauc_on_a_bus() as address, appliance(tmp_path, site(meter, []), address, monkeypatch) as box:
        system = await until(box, "system", lambda told: told["appliance"])
        assert system["note"] is None
        assert system["slots"] == [
            {"name": "rootfs.0", "booted": True, "version": "1.2.3", "status": "good",
             "installed_ms": 1793534400000},
            {"name": "rootfs.1", "booted": False, "version": None, "status": "good", "installed_ms": None},
        ]


async def test_a_box_without_rauc_says_so_and_logs_nothing_of_it(make_box, meter, monkeypatch):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent")
    box = await in_thread(make_box, site(meter, []))
    system = await in_thread(box.get, "system")
    assert not system["appliance"]
    assert "not an appliance" in system["note"] and system["slots"] == []
    assert not (await in_thread(box.get, "update"))["available"]
    with pytest.raises(RuntimeError, match="not an appliance"):
        await in_thread(box.post, "update/fetch", {"url": "https://example.com/a.raucb"})
    assert "rauc" not in box.read_log().lower()


async def test_an_update_waits_for_the_car_and_the_chargers_are_safe_before_the_restart(
    tmp_path, meter, monkeypatch
):
    installer, loads = Installer(), Loads(meter)
    async with rauc_on_a_bus(installer) as address:
        config = site(meter, ocpp("CP-1"))
        async with appliance(tmp_path, config, address, monkeypatch) as box:
            async with connected(ObedientCharger, box, "CP-1") as charger:
                loads.chargers.append(charger)
                await charger.plug(Car())
                await eventually(lambda: charger.allowed() == pytest.approx(32, abs=0.05))
                await phase(box, "idle")
                await in_thread(upload, box, "a.raucb", fake("dlb-test", "2.0.0", 300_000))
                ready = await phase(box, "ready")
                assert (ready["version"], ready["description"]) == ("2.0.0", "Quieter limits")

                await in_thread(box.post, "update/install", {"wait_for_cars": True})
                written = await until(box, "update", lambda told: told["percent"] == 40)
                assert written["step"] == "Copying image to rootfs.1"
                with pytest.raises(RuntimeError, match="is being written"):
                    await in_thread(box.post, "update/upload", {"name": "b", "size": 5})
                # Balancing goes on while it is written.
                loads.building = [45.0, 45.0, 45.0]
                await eventually(lambda: charger.allowed() == pytest.approx(18, abs=0.05))
                installer.may_finish.set()
                waiting = await phase(box, "awaits-restart")
                assert waiting["waits_for_cars"]
                assert installer.installed[0][1] == {"require-manifest-hash": "abc123"}
                await asyncio.sleep(4)
                assert box.process.poll() is None, "a car charges"

                await in_thread(box.post, "update/restart")
                status = await in_thread(box.process.wait, 30)
                assert status == RESTART_MACHINE
                # Its fallback, before the program has ended.
                assert charger.allowed() == pytest.approx(6, abs=0.05)

                # The machine did not restart: the program tells, and does not ask for ever.
                await in_thread(lambda: box.start().login())
                told = await phase(box, "awaits-restart")
                assert told["problem"]["code"] == "not-restarted"


async def test_limits_return_and_the_page_tells_how_the_update_ended(tmp_path, meter, monkeypatch):
    installer = Installer()
    installer.may_finish.set()
    async with rauc_on_a_bus(installer) as address:
        async with appliance(tmp_path, site(meter, ocpp("CP-1")), address, monkeypatch) as box:
            await phase(box, "idle")
            await in_thread(box.post, "update/fetch", {"url": "https://example.com/dlb.raucb"})
            await phase(box, "ready")
            await in_thread(box.post, "update/install", {"wait_for_cars": False})
            assert await in_thread(box.process.wait, 30) == RESTART_MACHINE
            asleep(box)

            # The new system comes up twice and does not prove itself.
            for _ in range(2):
                installer.restart_into("B", good=False)
                await in_thread(lambda: box.start().login())
                await phase(box, "on-trial")
                await in_thread(box.kill)
                asleep(box)
            installer.restart_into("A", good=True)
            await in_thread(lambda: box.start().login())
            told = await phase(box, "idle")
            assert told["history"][0]["outcome"] == "rolled-back"
            assert "came up 2 times, but did not prove itself" in told["history"][0]["text"]
            await until(box, "site", lambda picture: "update-rolled-back" in str(picture["alerts"]))

            # Once more, and it proves itself.
            await in_thread(box.post, "update/fetch", {"url": "https://example.com/dlb.raucb"})
            await phase(box, "ready")
            await in_thread(box.post, "update/install", {"wait_for_cars": False})
            assert await in_thread(box.process.wait, 30) == RESTART_MACHINE
            asleep(box)
            installer.restart_into("B", good=True)
            await in_thread(lambda: box.start().login())
            told = await until(box, "update", lambda told: len(told["history"]) == 2)
            assert told["history"][0]["outcome"] == "done"
            assert told["running_version"] == "3.0.0"
            async with connected(ObedientCharger, box, "CP-1") as charger:
                await charger.plug(Car())
                await eventually(lambda: charger.allowed() == pytest.approx(32, abs=0.05))


def asleep(box):
    """Between two starts of the machine. The notes of an update name the start in which they were made."""
    note = box.data / "update" / "pending.json"
    pending = json.loads(note.read_text())
    pending["boot"] = "an earlier start"
    note.write_text(json.dumps(pending))


async def test_what_rauc_says_of_a_failed_write_is_told_and_nothing_changes(tmp_path, meter, monkeypatch):
    installer = Installer()
    installer.may_finish.set()
    installer.fails_with = "Failed writing image: No space left on device"
    async with rauc_on_a_bus(installer) as address:
        async with appliance(tmp_path, site(meter, []), address, monkeypatch) as box:
            await phase(box, "idle")
            await in_thread(upload, box, "a.raucb", fake("dlb-test", "2.0.0"))
            await phase(box, "ready")
            await in_thread(box.post, "update/install", {"wait_for_cars": False})
            told = await until(box, "update", lambda told: told["problem"])
            assert told["phase"] == "idle" and told["problem"]["code"] == "no-space"
            assert told["history"][0]["outcome"] == "failed"
            assert "No space left" in told["history"][0]["text"]
            assert list((box.data / "update").glob("incoming*")) == []


@pytest.mark.skipif(not RAUC, reason="install rauc to run this")
async def test_the_real_rauc_refuses_what_is_not_for_this_box_with_a_sentence_each(
    tmp_path, meter, monkeypatch
):
    workshop = await in_thread(Workshop, tmp_path)
    await in_thread(workshop.key, "theirs")
    good = (await in_thread(workshop.bundle, "good")).read_bytes()
    cases = {
        "unsigned": (good[:16384], "not-a-bundle"),
        "no-bundle": (b"hello" * 9000, "not-a-bundle"),
        "truncated": (good[:-700], "not-a-bundle"),
        "stranger": ((await in_thread(workshop.bundle, "stranger", key="theirs")).read_bytes(), "wrong-signature"),
        "older": ((await in_thread(workshop.bundle, "older", version="0.0.1")).read_bytes(), "older"),
        "other": ((await in_thread(workshop.bundle, "other", compatible="toaster")).read_bytes(), "wrong-machine"),
    }
    async with workshop.service() as address:
        async with appliance(tmp_path, site(meter, []), address, monkeypatch) as box:
            await phase(box, "idle")
            for name, (content, code) in cases.items():
                await in_thread(upload, box, f"{name}.raucb", content)
                told = await until(box, "update", lambda told: told["problem"] and told["phase"] == "idle")
                assert told["problem"]["code"] == code, (name, told["problem"])
                assert told["upload"] is None
            await in_thread(upload, box, "good.raucb", good)
            assert (await phase(box, "ready"))["version"] == "9.0.0"


async def test_home_assistant_sees_the_update_and_installs_it(tmp_path, meter, monkeypatch, broker, listen):
    installer = Installer()
    ear = listen()
    config = site(meter, [], mqtt=mqtt(broker))
    async with rauc_on_a_bus(installer) as address:
        async with appliance(tmp_path, config, address, monkeypatch) as box:
            await phase(box, "idle")
            await in_thread(box.post, "update/fetch", {"url": "https://example.com/dlb.raucb"})

            def seen(**wanted):
                told = ear.json(f"{box.id}/update") or {}
                return all(told.get(key) == value for key, value in wanted.items())

            await in_thread(ear.until, lambda: seen(installed_version="1.2.3", latest_version="3.0.0",
                                                    in_progress=False, update_percentage=None))
            config_topic = f"homeassistant/device/dlb_{box.id}/config"
            await in_thread(ear.until, lambda: "update" in ((ear.json(config_topic) or {}).get("cmps", {})))
            entity = ear.json(config_topic)["cmps"]["update"]
            assert entity["p"] == "update" and entity["device_class"] == "firmware"
            ear.client.publish(entity["command_topic"], entity["payload_install"], qos=1)
            await in_thread(ear.until, lambda: seen(in_progress=True, update_percentage=40))


async def test_somebody_uploads_and_installs_an_update_on_the_page(tmp_path, meter, monkeypatch):
    installer = Installer()
    bundle = tmp_path / "dlb-2.0.0.raucb"
    bundle.write_bytes(fake("dlb-test", "2.0.0", 1_500_000))
    wrong = tmp_path / "toaster.raucb"
    wrong.write_bytes(fake("toaster", "2.0.0"))
    async with rauc_on_a_bus(installer) as address:
        async with appliance(tmp_path, site(meter, []), address, monkeypatch) as box:
            await phase(box, "idle")
            async with browser() as visit:
                visitor = await visit(box)
                page = await visitor.sign_in("#/system")
                panel = page.get_by_role("region", name="Updates")
                await expect(panel).to_contain_text("1.2.3 runs on this box.")
                choose = panel.get_by_label("Bundle from this device")
                await choose.set_input_files(wrong)
                await panel.get_by_role("button", name="Upload").click()
                await expect(panel.get_by_role("alert")).to_contain_text("it is made for toaster")
                await page.get_by_role("button", name="DE: Deutsch").click()
                await expect(page.get_by_role("alert")).to_contain_text("für eine andere Maschine: für toaster")
                await page.get_by_role("button", name="EN: English").click()

                await choose.set_input_files(bundle)
                await panel.get_by_role("button", name="Upload").click()
                await expect(panel).to_contain_text("Version 2.0.0 may be installed.")
                await expect(panel.get_by_role("alert")).to_be_hidden()
                await visitor.photo("update-ready")
                await panel.get_by_role("button", name="Install").click()
                await expect(panel).to_contain_text("Writing 2.0.0: 40 %")
                await visitor.photo("update-installing")
                # The last state before the box goes away.
                installer.fails_with = "Failed to update slots: I/O error"
                installer.may_finish.set()
                await expect(panel.get_by_role("alert")).to_contain_text("I/O error")
                await expect(panel.get_by_role("listitem")).to_contain_text("2.0.0 not installed")
                await visitor.photo("update-failed")
                assert await visitor.sideways() is None


TURNED_CLAMP = """[[entry]]
step = 1
channel = "i2"
act = "turned"
by = "K. Meier"
ratio = 2000.0
gain_correction = 1.0
phase_error_deg = 0.0
reversed = true
phase = "L2"
"""


async def test_a_backup_moves_a_box_and_opens_with_its_passphrase_only(make_box, meter, tmp_path):
    first = await in_thread(make_box, site(meter, ocpp("CP-1")))
    await in_thread(first.kill)
    (first.data / "secrets.toml").write_text('mqtt_password = "hush"\n')
    (first.data / "clamps.toml").write_text(TURNED_CLAMP)
    await in_thread(lambda: first.start().login())
    pem = trustme.CA().cert_pem.bytes().decode()
    await in_thread(put, first, "broker/authority", {"pem": pem})
    second = await in_thread(make_box, site(meter, []), login=False)
    await in_thread(second.post, "setup", {"password": "quite another one"})
    await in_thread(second.post, "login", {"password": "quite another one"})
    async with browser() as visit:
        visitor = await visit(first)
        page = await visitor.sign_in("#/system")
        panel = page.get_by_role("region", name="Backup")
        await panel.get_by_label("Passphrase of the backup").fill("four unrelated words")
        async with page.expect_download() as download:
            await panel.get_by_role("button", name="Download backup").click()
        backup = tmp_path / "backup.json"
        await (await download.value).save_as(backup)
        assert "hush" not in backup.read_text() and "CP-1" not in backup.read_text()

        # The second box takes the place of the first, its addresses too.
        await in_thread(first.kill)
        other = await visit(second)
        other.expect_trouble("409", "backup/restore")
        for gone in (visitor, other):
            gone.expect_trouble("net::ERR_")
        await other.open("#/system")
        await other.page.get_by_label("Password", exact=True).fill("quite another one")
        await other.page.get_by_role("button", name="Sign in").click()
        panel = other.page.get_by_role("region", name="Backup")
        await panel.get_by_label("Restore from a backup").set_input_files(backup)
        await panel.get_by_label("Passphrase of the backup").fill("four related words")
        await panel.get_by_role("button", name="Restore", exact=True).click()
        await expect(panel.get_by_role("alert")).to_contain_text("The passphrase is wrong")
        assert await in_thread(second.charger_names) == []
        await panel.get_by_label("Passphrase of the backup").fill("four unrelated words")
        await panel.get_by_role("button", name="Restore", exact=True).click()
        await expect(panel).to_contain_text("Restored and in force.")
    second.page_port, second.ocpp_port = first.page_port, first.ocpp_port
    await eventually(lambda: answers(second), seconds=60)
    await in_thread(second.login)
    await until(second, "site", lambda picture: [one["id"] for one in picture["chargers"]] == ["cp-1"])
    assert "hush" in (second.data / "secrets.toml").read_text()
    assert (second.data / "broker-ca.pem").read_text() == pem
    assert tomllib.loads((second.data / "clamps.toml").read_text()) == tomllib.loads(TURNED_CLAMP)
    login = requests.post(f"{second.url}/api/v1/login", json={"password": PASSWORD}, timeout=20)
    assert login.ok, "the password came along"


async def test_the_bundle_for_support_has_everything_but_secrets(make_box, meter):
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    (box.data / "secrets.toml").write_text('mqtt_password = "hush-hush"\n')
    async with connected(ObedientCharger, box, "CP-1") as charger:
        await charger.plug(Car())
        await until(box, "site", lambda picture: picture["chargers"][0]["session"])
        tag = (await in_thread(box.site))["chargers"][0]["session"]["tag"]
        answer = await in_thread(box.http.get, f"{box.url}/api/v1/diagnostics", timeout=20)
    archive = tarfile.open(fileobj=io.BytesIO(answer.content))
    files = {member.name.split("/")[-1]: archive.extractfile(member).read() for member in archive.getmembers()}
    assert json.loads(files["config.json"])["config"]["name"] == "Test site"
    assert json.loads(files["site.json"])["chargers"][0]["id"] == "cp-1"
    assert b"balancing" in files["log.txt"] and b"version" in files["system.json"]
    secret = [b"hush-hush", PASSWORD.encode(), b"argon2id"] + ([tag.encode()] if tag else [])
    for word in secret:
        assert word not in answer.content.replace(b"(removed)", b""), word
