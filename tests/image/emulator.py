"""A box in the emulator: power on, power cut, commands inside through QEMU's guest agent, its page from outside.

The agent is the test image's only way in; the product has none.
"""

import base64
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import tomllib

import requests

from box import Box, free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = pathlib.Path(os.environ.get("DLB_IMAGE_DIR", ROOT / "target" / "image")).resolve()
# Emulation on a busy machine is slow; these bound a hang, nothing is measured against them.
BOOT_S = 900
COMMAND_S = 300
# A port of the box that is forwarded, too: for a page that is moved there.
MOVED = 8081


class AgentAway(Exception):
    """The guest agent does not answer: the system is not up, or no longer."""


class Emulator(Box):
    """One box with a disk of its own in `directory`; asks its API as a box on loopback is asked."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.page_port, self.ocpp_port, self.moved_port = free_port(), free_port(), free_port()
        self.disk = self.directory / "disk.img"
        self.console_file = self.directory / "console.log"
        self.agent_path = self.directory / "agent.sock"
        self.monitor_path = self.directory / "monitor.sock"
        self.process = None
        self.http = requests.Session()

    # -- power ----------------------------------------------------------------------------------------

    def on(self):
        """Power on. Returns at once; the console of each life is kept."""
        if self.console_file.exists():
            with open(self.directory / "console-before.log", "ab") as past:
                past.write(self.console_file.read_bytes())
            self.console_file.unlink()
        self.process = subprocess.Popen(
            [ROOT / "tests/image/boot", "--page", str(self.page_port), "--ocpp", str(self.ocpp_port),
             "--also", f"{self.moved_port}:{MOVED}", "--disk", self.disk, "--log", self.console_file, "--agent", self.agent_path,
             "--monitor", self.monitor_path],
            stdin=subprocess.DEVNULL,
            stdout=open(self.directory / "emulator.log", "ab"),
            stderr=subprocess.STDOUT,
        )
        return self

    def cut(self):
        """Power cut: no farewell, nothing flushed by the guest."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.process = None

    def press(self):
        """The machine's button, for a tenth of a second: line 3 of its GPIO chip goes high."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.monitor_path))
            reader = line.makefile()
            line.sendall(b"system_powerdown\n")
            while "system_powerdown" not in reader.readline():
                pass

    def restart(self):
        """An orderly reboot, from inside; returns when the next start has begun."""
        lives = len(self.starts())
        self.run("systemctl --no-block reboot", check=False)
        self.until(lambda: len(self.starts()) > lives, what="the reboot")

    def console(self):
        if not self.console_file.exists():
            return ""
        text = self.console_file.read_bytes().decode(errors="replace")
        return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)

    def starts(self):
        """What the boot script chose in this life, in order: `["A", "B"]`."""
        return re.findall(r"^dlb: starting ([AB])", self.console(), re.M)

    # -- from outside -----------------------------------------------------------------------------------

    def health(self):
        try:
            return requests.get(f"{self.url}/api/v1/health", timeout=5).json()
        except (requests.RequestException, ValueError):
            return None

    def balancing(self):
        health = self.health()
        return bool(health and health["balancing"])

    def configure(self, toml):
        """Puts a configuration in force, as the page does; returns its version."""
        toml = toml.replace("{page}", "0.0.0.0:8080").replace("{ocpp}", "0.0.0.0:9000")
        # The emulated network has this machine's loopback at this address.
        return self.write_config(tomllib.loads(toml.replace("127.0.0.1", "10.0.2.2")))

    def write_config(self, config):
        version = self.get("config")["version"]
        answer = self.http.put(
            f"{self.url}/api/v1/config", json=config, headers={"Origin": self.url, "If-Match": f'"{version}"'}, timeout=60
        )
        if not answer.ok:
            raise RuntimeError(f"config: {answer.status_code} {answer.text}")
        return answer.json()["version"]

    def steady(self):
        """Waits until the system has been marked good, with the page open to us."""
        self.until(self.balancing, what="balancing")
        self.until(lambda: self.up() and self.unit("dlb-mark-good.service") == "active", what="the mark")
        self.login()
        return self

    def until(self, condition, seconds=BOOT_S, every=1.0, what=None):
        """Waits until `condition()` is true and returns it."""
        end = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if self.process.poll() is not None:
                raise AssertionError(f"the emulator ended: {(self.directory / 'emulator.log').read_text()[-2000:]}")
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what or condition}\n{self.console()[-3000:]}")
            time.sleep(every)

    # -- from inside --------------------------------------------------------------------------------------

    def run(self, command, seconds=COMMAND_S, check=True):
        """Runs a shell command in the box: (exit status, what it wrote)."""
        status = self._ask("guest-exec", path="/bin/sh", arg=["-c", f"exec 2>&1; {command}"], **{"capture-output": True})
        end = time.monotonic() + seconds
        while True:
            answer = self._ask("guest-exec-status", pid=status["pid"])
            if answer["exited"]:
                break
            if time.monotonic() > end:
                raise AssertionError(f"{command}: still running after {seconds} s")
            time.sleep(0.3)
        text = base64.b64decode(answer.get("out-data", "")).decode(errors="replace")
        code = answer.get("exitcode", -answer.get("signal", 0))
        if check and code != 0:
            raise AssertionError(f"{command}: exit status {code}\n{text}")
        return code, text

    def say(self, command, **rest):
        """The output of a command that must end well."""
        return self.run(command, **rest)[1].strip()

    def unit(self, name):
        """`active`, `activating`, `failed` …"""
        return self.run(f"systemctl is-active {name}", check=False)[1].strip()

    def variables(self):
        """The boot script's."""
        return dict(line.split("=", 1) for line in self.say("fw_printenv").splitlines())

    def slot(self):
        return re.search(r"rauc\.slot=(\w)", self.say("cat /proc/cmdline"))[1]

    def image_version(self):
        return self.say(". /etc/os-release; echo $IMAGE_VERSION")

    def bundle(self, name):
        """Path of a bundle inside the box."""
        self.run("mountpoint -q /run/bundles || { mkdir -p /run/bundles && mount -o ro /dev/disk/by-label/bundles /run/bundles; }")
        return f"/run/bundles/{name}.raucb"

    def _ask(self, name, **arguments):
        # One connection per question: what an agent of an earlier boot left unread goes away with it.
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(30)
                line.connect(str(self.agent_path))
                number = time.monotonic_ns() & 0x7FFFFFFF
                self._send(line, "guest-sync-delimited", {"id": number})
                reader = line.makefile("rb")
                while (answer := self._read(reader)).get("return") != number:
                    pass
                self._send(line, name, arguments)
                answer = self._read(reader)
        except (OSError, ValueError) as error:
            raise AgentAway(f"{name}: {error}") from error
        if "error" in answer:
            raise AgentAway(f"{name}: {answer['error']}")
        return answer["return"]

    @staticmethod
    def _send(line, name, arguments):
        line.sendall(b"\xff" + json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")

    @staticmethod
    def _read(reader):
        while True:
            raw = reader.readline()
            if not raw:
                raise ValueError("the agent's line ended")
            text = raw.replace(b"\xff", b"").strip()
            if not text:
                continue
            answer = json.loads(text)
            if "error" in answer and "JSON" in str(answer["error"]):
                continue  # its complaint about the byte that resets its parser
            return answer

    def up(self):
        try:
            self._ask("guest-ping")
            return True
        except AgentAway:
            return False
