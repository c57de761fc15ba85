"""The appliance's figures as a table: sizes, boot to balancing, memory, exposure of the service.

    tests/image/figures

Times are those of an emulated CPU on this machine. What can be carried over to a board are the ratios: the share of
the boot that is dlb's own start.
"""

import pathlib
import re
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))

from emulator import WORK, Emulator  # noqa: E402


def megabytes(path):
    return f"{path.stat().st_size / 1e6:.0f} MB"


def main():
    directory = WORK / "figures"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    rows = [
        ("binary, arm64", megabytes(WORK / "rootfs/usr/bin/dlb")),
        ("root file system (Debian, not the product's)", megabytes(WORK / "rootfs.ext4")),
        ("bundle, verity, zstd 3", megabytes(WORK / "bundles/good.raucb")),
        ("disk with both slots and data, used", f"{(WORK / 'disk.img').stat().st_blocks * 512 / 1e6:.0f} MB"),
    ]
    box = Emulator(directory)
    try:
        rows += first_boot(box) + second_boot(box)
    finally:
        box.cut()
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name.ljust(width)}  {value}")


def first_boot(box):
    seconds = powered_to_balancing(box)
    box.steady()
    return [("first boot: power to balancing", f"{seconds:.0f} s")]


def second_boot(box):
    box.cut()
    seconds = powered_to_balancing(box)
    box.steady()
    share = float(box.say("systemctl show -P ActiveEnterTimestampMonotonic dlb.service")) / 1e6
    begun = float(box.say("systemctl show -P InactiveExitTimestampMonotonic dlb.service")) / 1e6
    memory = box.say("grep -E 'VmRSS|VmHWM' /proc/$(systemctl show -P MainPID dlb.service)/status")
    rss, peak = (int(re.search(rf"{name}:\s+(\d+)", memory)[1]) / 1024 for name in ("VmRSS", "VmHWM"))
    used = box.say("awk '/^MemTotal/ {t=$2} /^MemAvailable/ {a=$2} END {print int((t-a)/1024)}' /proc/meminfo")
    exposure = re.search(r"(\d+\.\d)", box.say("systemd-analyze security dlb.service | tail -n 1"))[1]
    return [
        ("second boot: power to balancing", f"{seconds:.0f} s"),
        ("  of that dlb's own start", f"{share - begun:.1f} s ({100 * (share - begun) / seconds:.0f} %)"),
        ("dlb resident, idle", f"{rss:.1f} MB (peak {peak:.1f} MB)"),
        ("whole system, memory used", f"{used} MB"),
        ("exposure of dlb.service", exposure),
    ]


def powered_to_balancing(box):
    began = time.monotonic()
    box.on()
    box.until(box.balancing, every=0.5, what="balancing")
    return time.monotonic() - began


if __name__ == "__main__":
    main()
