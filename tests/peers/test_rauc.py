"""Slots of an appliance, told by a RAUC service on a D-Bus of its own."""

import asyncio
import contextlib
import shutil
import subprocess

import pytest
from dbus_fast import Variant
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_method

from box import Box
from sites import site


class Installer(ServiceInterface):
    """As much of RAUC as tells about slots."""

    def __init__(self):
        super().__init__("de.pengutronix.rauc.Installer")

    @dbus_method()
    def GetSlotStatus(self) -> "a(sa{sv})":
        def slot(bootname, state, status, **more):
            fields = {"class": "rootfs", "device": f"/dev/{bootname}", "type": "ext4", "bootname": bootname}
            fields |= {"state": state, "boot-status": status} | more
            return {key.replace("_", "."): Variant("s", value) for key, value in fields.items()}

        return [
            ["rootfs.0", slot("A", "booted", "good", bundle_version="1.2.3",
                              installed_timestamp="2026-11-01T12:00:00Z")],
            ["rootfs.1", slot("B", "inactive", "bad")],
        ]


@contextlib.asynccontextmanager
async def rauc_on_a_bus():
    command = [shutil.which("dbus-daemon"), "--session", "--nofork", "--print-address=1"]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        address = (await asyncio.to_thread(daemon.stdout.readline)).strip()
        bus = await MessageBus(bus_address=address).connect()
        bus.export("/", Installer())
        await bus.request_name("de.pengutronix.rauc")
        yield address
        bus.disconnect()
    finally:
        daemon.kill()
        daemon.wait()


async def slots(box, wanted, seconds=15):
    end = asyncio.get_running_loop().time() + seconds
    while True:
        system = await asyncio.to_thread(box.get, "system")
        if system["appliance"] == wanted:
            return system
        assert asyncio.get_running_loop().time() < end, system
        await asyncio.sleep(0.1)


@pytest.mark.skipif(not shutil.which("dbus-daemon"), reason="install dbus-daemon to run this")
async def test_an_appliance_shows_both_of_its_systems(tmp_path, meter, monkeypatch):
    async with rauc_on_a_bus() as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        box = Box(tmp_path, site(meter, []))
        try:
            await asyncio.to_thread(lambda: box.start().login())
            system = await slots(box, True)
            assert system["note"] is None
            assert system["slots"] == [
                {"name": "rootfs.0", "booted": True, "version": "1.2.3", "status": "good",
                 "installed_ms": 1793534400000},
                {"name": "rootfs.1", "booted": False, "version": None, "status": "bad", "installed_ms": None},
            ]
        finally:
            await asyncio.to_thread(box.stop)


async def test_a_box_without_rauc_says_so_and_logs_nothing_of_it(make_box, meter, monkeypatch):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent")
    box = await asyncio.to_thread(make_box, site(meter, []))
    system = await slots(box, False)
    assert "not an appliance" in system["note"] and system["slots"] == []
    assert "rauc" not in box.read_log().lower()
