"""What Linux says of a process: memory, processor time, threads. And the processes that are measured or
measure: each is ended by whoever started it."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")


def status(pid) -> dict:
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":", 1) for line in lines)


def resident_mib(pid) -> float:
    return int(status(pid)["VmRSS"].split()[0]) / 1024


def threads(pid) -> int:
    return int(status(pid)["Threads"])


def processor_seconds(pid) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def end(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def peer_central():
    """The central system on PyPI's `ocpp`: its process and its URL."""
    process = subprocess.Popen([sys.executable, HERE / "peer_central.py"], stdout=subprocess.PIPE, text=True)
    try:
        yield process, f"ws://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        end(process)


class Load:
    """A load generator: connected when the `with` block begins."""

    def __init__(self, url, count, seconds, every=None):
        command = [sys.executable, HERE / "load.py", url, "--count", str(count), "--seconds", str(seconds)]
        self.command = command + (["--every", str(every)] if every else [])

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self.process.stdout.readline().strip() != "ready":
            end(self.process)
            raise RuntimeError("the chargers did not all start")
        return self

    def measure(self, pid) -> dict:
        """Runs the measured part; adds what it cost the server `pid`. The chargers stay connected."""
        before = processor_seconds(pid)
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        result = json.loads(self.process.stdout.readline())
        return result | {"processor": processor_seconds(pid) - before}

    def __exit__(self, *_):
        end(self.process)
