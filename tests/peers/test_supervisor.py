"""As a service: what the supervisor hears, and how quickly the program goes."""

import ctypes
import os
import pathlib
import signal
import socket
import threading
import time

import pytest
import requests

from box import Box
from charge_points import Car, ObedientCharger, connected
from sites import Loads, ocpp, site
from waiting import eventually, in_thread

WATCHDOG_S = 3.0


class Supervisor:
    """The datagram socket of a service manager, and what came over it, with the time."""

    def __init__(self, directory):
        self.path = directory / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.heard = []
        self.at_ready = None
        # Where to ask at the very moment when it says that it is ready.
        self.health = None
        threading.Thread(target=self._listen, daemon=True).start()

    def environment(self):
        return {"NOTIFY_SOCKET": str(self.path), "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))}

    def _listen(self):
        while True:
            lines = self.socket.recv(4096).decode().split("\n")
            if "READY=1" in lines and self.health:
                self.at_ready = requests.get(self.health, timeout=2).json()
            self.heard += [(line, time.monotonic()) for line in lines]

    def times(self, line):
        return [at for heard, at in self.heard if heard == line]


class Frozen:
    """One thread of a process, stopped as a debugger stops it: the others go on."""

    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17

    def __init__(self, process, name):
        tasks = pathlib.Path(f"/proc/{process}/task").iterdir()
        self.thread = next(int(task.name) for task in tasks if (task / "comm").read_text().strip() == name)
        self.libc = ctypes.CDLL(None, use_errno=True)

    def _trace(self, request):
        if self.libc.ptrace(request, self.thread, None, None):
            error = ctypes.get_errno()
            if request == self.SEIZE:
                pytest.skip(f"this machine lets nobody stop a thread: {os.strerror(error)}")
            raise OSError(error, os.strerror(error))

    def __enter__(self):
        self._trace(self.SEIZE)
        self._trace(self.INTERRUPT)
        os.waitpid(self.thread, 0x40000000)  # __WALL: threads, too

    def __exit__(self, *_):
        self._trace(self.DETACH)


@pytest.fixture
def supervisor(tmp_path, monkeypatch):
    supervisor = Supervisor(tmp_path)
    for key, value in supervisor.environment().items():
        monkeypatch.setenv(key, value)
    return supervisor


def wait_for(wanted, seconds=10):
    until = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_the_supervisor_hears_that_the_box_balances_lives_and_goes(tmp_path, meter, supervisor):
    box = Box(tmp_path, site(meter, []))
    supervisor.health = f"{box.url}/api/v1/health"
    box.start()
    wait_for(lambda: supervisor.times("READY=1"))
    assert supervisor.at_ready["balancing"] is True, "ready means that the site is balanced and the page answers"
    time.sleep(3 * WATCHDOG_S)
    alive = supervisor.times("WATCHDOG=1")
    gaps = [after - before for before, after in zip(alive, alive[1:])]
    assert len(alive) > 5 and max(gaps) <= WATCHDOG_S / 2, gaps
    assert not supervisor.times("STOPPING=1")
    box.process.send_signal(signal.SIGTERM)
    wait_for(lambda: supervisor.times("STOPPING=1"))
    assert box.process.wait(10) == 0
    assert len(supervisor.times("READY=1")) == 1


def test_a_box_whose_balancing_hangs_gives_no_sign_of_life(make_box, meter, supervisor):
    box = make_box(site(meter, []), login=False)
    wait_for(lambda: len(supervisor.times("WATCHDOG=1")) > 2)
    with Frozen(box.process.pid, "site"):
        time.sleep(0.2)
        alive = len(supervisor.times("WATCHDOG=1"))
        time.sleep(2 * WATCHDOG_S)
        assert len(supervisor.times("WATCHDOG=1")) == alive, "the supervisor would restart it by now"
    wait_for(lambda: len(supervisor.times("WATCHDOG=1")) > alive)


def stops_within(box, seconds):
    box.process.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    assert box.process.wait(10) == 0
    took = time.monotonic() - asked
    print(f"stopped after {took:.3f} s")
    assert took < seconds, took


def test_a_site_without_chargers_is_left_at_once(make_box, meter):
    box = make_box(site(meter, ocpp("NEVER-CAME")), login=False)
    time.sleep(2)
    stops_within(box, 0.7)


async def test_a_charger_that_has_taken_its_fallback_is_waited_for_no_longer(make_box, meter):
    loads = Loads(meter, building=(10, 10, 10))
    box = await in_thread(make_box, site(meter, ocpp("CP-1")))
    async with connected(ObedientCharger, box, "CP-1") as charger:
        loads.chargers = [charger]
        await charger.plug(Car())
        await eventually(lambda: charger.draws() > 31, seconds=30)
        await in_thread(stops_within, box, 1.5)
        assert charger.allowed() == 6.0
