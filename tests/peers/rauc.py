"""A RAUC service on a D-Bus of its own: a stand-in that can be told what happens, and Debian's real one."""

import asyncio
import contextlib
import os
import pathlib
import shutil
import subprocess

from dbus_fast import DBusError, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.constants import PropertyAccess
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

RAUC = shutil.which("rauc")
COMPATIBLE = "dlb-test"


def fake(compatible, version, size=20_000):
    """What the stand-in takes for a bundle: the shape of one, with its manifest in plain words."""
    content = f"hsqs {compatible} {version} ".encode()
    return content + os.urandom(size - len(content)) + b"\x30" * 700 + (700).to_bytes(8, "big")


class Installer(ServiceInterface):
    """RAUC's interface as of 1.15. Knows bundles that `fake` made."""

    def __init__(self):
        super().__init__("de.pengutronix.rauc.Installer")
        self.booted, self.other_version, self.good = "A", None, True
        self.operation, self.told, self.error = "idle", [0, "", 0], ""
        self.inspected, self.installed, self.may_finish = [], [], asyncio.Event()
        self.fails_with = None

    def restart_into(self, bootname, good):
        self.booted, self.good = bootname, good

    @dbus_method()
    def GetSlotStatus(self) -> "a(sa{sv})":
        def slot(bootname, version):
            state = "booted" if bootname == self.booted else "inactive"
            # To RAUC a slot with tries left is good, proved or not.
            status = "good"
            fields = {"class": "rootfs", "device": f"/dev/{bootname}", "type": "ext4", "bootname": bootname,
                      "state": state, "boot-status": status}
            if version:
                fields |= {"bundle.version": version, "installed.timestamp": "2026-11-01T12:00:00Z"}
            return {key: Variant("s", value) for key, value in fields.items()}

        return [["rootfs.0", slot("A", "1.2.3")], ["rootfs.1", slot("B", self.other_version)]]

    @dbus_method()
    def InspectBundle(self, source: "s", args: "a{sv}") -> "a{sv}":
        self.inspected.append((source, {key: value.value for key, value in args.items()}))
        compatible, version = self.read(source)

        def twice(signature, value):
            return Variant("v", Variant(signature, value))

        update = {"compatible": Variant("s", compatible), "version": Variant("s", version),
                  "description": Variant("s", "Quieter limits")}
        return {"manifest-hash": Variant("s", "abc123"), "update": twice("a{sv}", update),
                "bundle": twice("a{sv}", {"format": Variant("s", "verity")}),
                "images": twice("aa{sv}", []), "meta": twice("a{sa{ss}}", {})}

    def read(self, source):
        if source.startswith("http"):
            return COMPATIBLE, "3.0.0"
        words = pathlib.Path(source).read_bytes()[:200].split()[1:]
        if len(words) < 2:
            raise DBusError("org.gtk.GDBus.UnmappedGError.Quark._r_2dbundle_2derror_2dquark.Code0",
                            "signature verification failed: Verify error: self-signed certificate")
        return words[0].decode(), words[1].decode()

    @dbus_method()
    async def InstallBundle(self, source: "s", args: "a{sv}"):
        self.installed.append((source, {key: value.value for key, value in args.items()}))
        self.operation = "installing"
        asyncio.get_running_loop().create_task(self.install(source))

    async def install(self, source):
        self.told = [40, "Copying image to rootfs.1", 2]
        await self.may_finish.wait()
        if self.fails_with:
            self.error = self.fails_with
        else:
            self.other_version = self.read(source)[1]
        self.operation, self.told = "idle", [100, "Installing done.", 1]
        self.Completed(1 if self.fails_with else 0)

    @dbus_signal()
    def Completed(self, result) -> "i":
        return result

    @dbus_property(access=PropertyAccess.READ)
    def Operation(self) -> "s":
        return self.operation

    @dbus_property(access=PropertyAccess.READ)
    def LastError(self) -> "s":
        return self.error

    @dbus_property(access=PropertyAccess.READ)
    def Progress(self) -> "(isi)":
        return self.told

    @dbus_property(access=PropertyAccess.READ)
    def Compatible(self) -> "s":
        return COMPATIBLE


class Target(ServiceInterface):
    """systemd's `boot-complete.target`: active once the health check has passed."""

    PATH = "/org/freedesktop/systemd1/unit/boot_2dcomplete_2etarget"

    def __init__(self, installer):
        super().__init__("org.freedesktop.systemd1.Unit")
        self.installer = installer

    @dbus_property(access=PropertyAccess.READ)
    def ActiveState(self) -> "s":
        return "active" if self.installer.good else "inactive"


@contextlib.asynccontextmanager
async def a_bus():
    command = [shutil.which("dbus-daemon"), "--session", "--nofork", "--print-address=1"]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield (await asyncio.to_thread(daemon.stdout.readline)).strip()
    finally:
        daemon.kill()
        daemon.wait()


@contextlib.asynccontextmanager
async def rauc_on_a_bus(installer=None):
    async with a_bus() as address:
        bus = await MessageBus(bus_address=address).connect()
        installer = installer or Installer()
        bus.export("/", installer)
        bus.export(Target.PATH, Target(installer))
        await bus.request_name("de.pengutronix.rauc")
        await bus.request_name("org.freedesktop.systemd1")
        yield address
        bus.disconnect()


class Workshop:
    """Makes real bundles with keys of its own, made for one test and thrown away."""

    def __init__(self, directory):
        self.directory = directory
        self.key("ours")

    def key(self, name):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-keyout", self.directory / f"{name}.key", "-out", self.directory / f"{name}.crt", "-days", "3650",
             "-subj", f"/CN={name}", "-addext", "basicConstraints=CA:TRUE",
             "-addext", "keyUsage=keyCertSign,digitalSignature", "-addext", "extendedKeyUsage=emailProtection"],
            check=True, capture_output=True)

    def bundle(self, name, compatible=COMPATIBLE, version="9.0.0", key="ours"):
        content = self.directory / f"content-{name}"
        content.mkdir()
        (content / "rootfs.img").write_bytes(os.urandom(65_536))
        (content / "manifest.raucm").write_text(
            f"[update]\ncompatible={compatible}\nversion={version}\n\n[bundle]\nformat=verity\n\n"
            "[image.rootfs]\nfilename=rootfs.img\n")
        bundle = self.directory / f"{name}.raucb"
        subprocess.run(["rauc", "bundle", "--cert", self.directory / f"{key}.crt", "--key",
                        self.directory / f"{key}.key", content, bundle], check=True, capture_output=True)
        return bundle

    @contextlib.asynccontextmanager
    async def service(self):
        """Debian's RAUC, with two files for slots. It looks at bundles; nothing here can be mounted."""
        for slot in "ab":
            (self.directory / slot).write_bytes(bytes(65536))
        config = self.directory / "system.conf"
        config.write_text(
            f"[system]\ncompatible={COMPATIBLE}\nbootloader=noop\nbundle-formats=-plain\n"
            f"statusfile={self.directory}/status\n\n[keyring]\npath={self.directory}/ours.crt\n\n" + "".join(
                f"[slot.rootfs.{at}]\ndevice={self.directory}/{slot}\ntype=raw\nbootname={slot.upper()}\n\n"
                for at, slot in enumerate("ab")))
        async with a_bus() as address:
            service = subprocess.Popen(
                ["rauc", f"--conf={config}", "--override-boot-slot=A", "service"],
                env={"DBUS_SYSTEM_BUS_ADDRESS": address}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                yield address
            finally:
                service.kill()
                service.wait()
