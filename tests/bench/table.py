"""Measures what the command line names, or everything, and prints one table in Markdown.

Figures are what this machine gave this time, with whatever else it was doing: compare within one table.
"""

import asyncio
import contextlib
import datetime
import gzip
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = ROOT / "target" / "release" / "dlb"
os.environ.setdefault("DLB", str(RELEASE))
os.environ.setdefault("RUST_LOG", "warn")
sys.path.insert(0, str(ROOT / "tests" / "peers"))

import requests  # noqa: E402

import reaction as reacting  # noqa: E402
from box import BINARY, Box  # noqa: E402
from garage import garage  # noqa: E402
from meters import Meter  # noqa: E402
from process import Load, peer_central, resident_mib, threads  # noqa: E402

HOLD_S = 30
FLOOD_S = 10
SITES = (12, 500)


@contextlib.contextmanager
def running(bays):
    """A dlb with a configured garage and a meter that is read once a second."""
    meter = Meter()
    meter.start()
    meter.show(20, 20, 20)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="dlb-bench-"))
    box = Box(directory, garage(bays, meter))
    try:
        yield box.start()
    finally:
        box.stop()
        meter.stop()
        shutil.rmtree(directory)


def allocation():
    """One decision in a three-level tree, by the engine's own benchmark."""
    output = subprocess.run(
        ["cargo", "bench", "-q", "-p", "dlb-engine", "--bench", "allocate", "--", "equal", "first-come"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout
    for line in output.splitlines():
        match = re.match(r"([a-z][\w, -]*?)\s{2,}([\d.]+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s+(.*)", line)
        if match:
            name, *micros, growth = match.groups()
            sizes = " / ".join(f"{float(figure):,.0f}" for figure in micros)
            yield f"one allocation, {name}: 10 / 100 / 1,000 / 10,000 chargers", f"{sizes} µs (× {growth})"


def size():
    stripped = pathlib.Path(tempfile.gettempdir()) / f"dlb-stripped-{os.getpid()}"
    subprocess.run(["strip", "-s", "-o", stripped, BINARY], check=True)
    whole, bare = BINARY_PATH.stat().st_size, stripped.stat().st_size
    packed = len(gzip.compress(stripped.read_bytes(), 9))
    stripped.unlink()
    yield "the program: as built / stripped / stripped and gzipped", f"{mib(whole)} / {mib(bare)} / {mib(packed)}"
    with running(1) as box:
        first = fetched(box.url)
    yield "the page: bytes until it shows, as sent", f"{first / 1000:.1f} kB"


def fetched(url):
    """Bytes on the wire for the page and what it names, packed as a browser gets them."""
    http = requests.Session()

    def get(path):
        answer = http.get(f"{url}/{path}", headers={"Accept-Encoding": "gzip"}, stream=True, timeout=10)
        answer.raise_for_status()
        packed = answer.raw.read(decode_content=False)
        unpacked = gzip.decompress(packed) if answer.headers.get("Content-Encoding") == "gzip" else packed
        return len(packed), unpacked

    total, page = get("")
    for path in re.findall(rb'(?:src|href)="/?\.?/?([^":]+)"', page):
        total += get(path.decode())[0]
    return total


def memory():
    resident = {}
    for bays in SITES:
        with running(bays) as box:
            pid = box.process.pid
            idle = resident_mib(pid)
            with Load(box.ocpp_url, bays, HOLD_S, every=10) as load:
                result = load.measure(pid)
                resident[bays] = resident_mib(pid)
                yield f"resident with {bays} chargers: before they connect / charging", f"{idle:.1f} / {resident[bays]:.1f} MiB"
                share = 100 * result["processor"] / result["seconds"]
                yield (
                    f"processor with {bays} chargers that measure every 10 s",
                    f"{share:.1f} % of one core ({result['answered'] / result['seconds']:.1f} messages/s in, "
                    f"{result['limits'] / result['seconds']:.1f} limits/s out)",
                )
                yield f"threads with {bays} chargers", f"{threads(pid)}"
                if bays == SITES[0]:
                    box.login()
                    yield "resident after somebody logged in (Argon2)", f"{resident_mib(pid):.1f} MiB"
    few, many = SITES
    each = (resident[many] - resident[few]) * 1024 / (many - few)
    yield "resident for each further charger", f"{each:.1f} KiB"


def throughput():
    for count in SITES:
        with running(count) as box:
            ours, our_memory = flood(box.process.pid, box.ocpp_url, count)
        with peer_central() as (process, url):
            theirs, their_memory = flood(process.pid, url, count)
        for name, result in (("dlb", ours), ("`ocpp` package", theirs)):
            yield f"MeterValues, {count} chargers, {name}", rates(result)
        yield (
            f"MeterValues, {count} chargers, dlb : `ocpp` package",
            f"{per_processor(ours) / per_processor(theirs):.1f} × for the processor time, "
            f"{per_second(ours) / per_second(theirs):.1f} × by the clock",
        )
        yield f"resident meanwhile, {count} chargers, dlb / `ocpp` package", f"{our_memory:.1f} / {their_memory:.1f} MiB"


def flood(pid, url, count):
    with Load(url, count, FLOOD_S) as load:
        return load.measure(pid), resident_mib(pid)


def rates(result):
    busy = 100 * result["processor"] / result["seconds"]
    return (
        f"{per_processor(result):,.0f} per second of its processor time, {per_second(result):,.0f} by the clock "
        f"(answered in {1000 * result['p50']:.1f} ms, p99 {1000 * result['p99']:.1f} ms; server at {busy:.0f} % of a "
        f"core, load generator at {100 * result['own_processor'] / result['seconds']:.0f} %)"
    )


def per_processor(result):
    return result["answered"] / result["processor"]


def per_second(result):
    return result["answered"] / result["seconds"]


def reaction():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="dlb-bench-"))
    try:
        steps = asyncio.run(reacting.measure(directory))
    finally:
        shutil.rmtree(directory)
    millis = sorted(1000 * seconds for seconds in steps if seconds is not None)
    at = lambda share: millis[int((len(millis) - 1) * share)]  # noqa: E731
    yield (
        f"from the meter's answer to the last of three lowered limits, {len(millis)} of {len(steps)} steps",
        f"p50 {at(0.5):.1f} ms, p99 {at(0.99):.1f} ms, longest {millis[-1]:.1f} ms",
    )


def mib(size):
    return f"{size / 2**20:.1f} MiB"


def machine():
    cpu = next(
        (line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?"
    )
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    revision = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    load = " ".join(f"{average:.1f}" for average in os.getloadavg())
    return (
        f"{datetime.date.today()}, {revision}; {platform.machine()}, {os.cpu_count()} × {cpu}, {memory_gib:.0f} GiB; "
        f"Linux {platform.release().split('-')[0]}, {platform.libc_ver()[0]} {platform.libc_ver()[1]}, "
        f"Python {platform.python_version()}; load average at the start {load}"
    )


BINARY_PATH = pathlib.Path(BINARY)
PARTS = {part.__name__: part for part in (allocation, size, memory, throughput, reaction)}


def main(names):
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.exit(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    print(machine(), "| what | figure |", "|---|---|", sep="\n", flush=True)
    for name in names or PARTS:
        for what, figure in PARTS[name]():
            print(f"| {what} | {figure} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
