"""A dlb under test: its own process, its own data directory, ports of its own on loopback."""

import fcntl
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import tempfile
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("DLB", ROOT / "target" / "debug" / "dlb"))
PASSWORD = "correct horse battery"


# Below the ports that the kernel gives to outgoing connections: nothing takes one by chance.
PORTS = range(20_000, 32_000)
RESERVED = []


def free_port() -> int:
    """A port that no other test gets, in this process or another, even while nobody listens on it."""
    locks = pathlib.Path(tempfile.gettempdir()) / f"dlb-test-ports-{os.getuid()}"
    locks.mkdir(exist_ok=True)
    for port in random.Random().sample(PORTS, 200):
        lock = open(locks / str(port), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        RESERVED.append(lock)
        return port
    raise RuntimeError("no port is free")


class Box:
    """Starts, stops and kills `dlb run`, and asks its API."""

    def __init__(self, directory: pathlib.Path, config: str):
        self.directory = directory
        self.page_port = free_port()
        self.ocpp_port = free_port()
        self.config = directory / "site.toml"
        self.config.write_text(
            config.replace("{page}", f"127.0.0.1:{self.page_port}").replace(
                "{ocpp}", f"127.0.0.1:{self.ocpp_port}"
            )
        )
        self.data = directory / "data"
        self.log = open(directory / "dlb.log", "ab")
        self.process = None
        self.http = requests.Session()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.page_port}"

    @property
    def ocpp_url(self) -> str:
        return f"ws://127.0.0.1:{self.ocpp_port}"

    @property
    def id(self) -> str:
        """By which MQTT topics name it."""
        return (self.data / "box-id").read_text()

    def start(self):
        self.process = subprocess.Popen(
            [BINARY, "run", "--config", self.config, "--data", self.data],
            stdout=self.log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"RUST_LOG": os.environ.get("RUST_LOG", "info")},
        )
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"dlb ended with {self.process.returncode}:\n{self.read_log()}")
            try:
                if requests.get(f"{self.url}/api/v1/health", timeout=1).ok:
                    return self
            except requests.RequestException:
                time.sleep(0.05)
        raise RuntimeError(f"the page did not answer:\n{self.read_log()}")

    def login(self):
        if self.http.get(f"{self.url}/api/v1/setup", timeout=5).json()["needs_password"]:
            self.post("setup", {"password": PASSWORD})
        self.post("login", {"password": PASSWORD})
        return self

    def get(self, path, **query):
        answer = self.http.get(f"{self.url}/api/v1/{path}", params=query, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def post(self, path, body=None):
        answer = self.http.post(
            f"{self.url}/api/v1/{path}", json=body or {}, headers={"Origin": self.url}, timeout=20
        )
        if not answer.ok:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def site(self):
        return self.get("site")

    def charger(self, name):
        return next(charger for charger in self.site()["chargers"] if charger["id"] == name)

    def charger_names(self):
        return [charger["id"] for charger in self.site()["chargers"]]

    def circuit(self, name="grid"):
        return next(circuit for circuit in self.site()["circuits"] if circuit["id"] == name)

    def alerts(self):
        return [(alert["about"], alert["code"]) for alert in self.site()["alerts"]]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("dlb did not end within 10 s of SIGTERM")
        self.log.close()

    def read_log(self):
        return (self.directory / "dlb.log").read_text(errors="replace")[-6000:]


def pretty(value) -> str:
    return json.dumps(value, indent=1)
