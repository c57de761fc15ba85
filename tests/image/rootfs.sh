# The root file system of the test image. Sourced by tests/image/build.
# shellcheck shell=bash

include=systemd-sysv,udev,dbus,rauc,rauc-service,libubootenv-tool,kmod,e2fsprogs,systemd-resolved,systemd-timesyncd
include+=,nftables,busybox,qemu-guest-agent,iproute2

# What the emulated machine and RAUC load; the other modules are 250 MB of drivers.
modules=(arch crypto lib fs/ext4 fs/jbd2 fs/mbcache.ko fs/squashfs fs/nls fs/fat net/netfilter net/ipv4 net/ipv6 net/core
  fs/autofs drivers/block drivers/dax/dax.ko drivers/virtio drivers/watchdog drivers/md drivers/char/virtio_console.ko drivers/char/hw_random
  drivers/net/virtio_net.ko drivers/net/net_failover.ko)

# Debian's packages, fetched once. No kernel package: its initrd takes minutes to build under emulation.
base_system() {
  [ -e "$work/base.tar" ] && return
  echo "Debian's packages for arm64 (several minutes)"
  as_root nice -n 15 mmdebstrap --quiet --format=tar --variant=essential --arch=arm64 --include=$include \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' bookworm "$work/base.tar.new"
  mv "$work/base.tar.new" "$work/base.tar"
}

kernel_package() {
  [ -e "$work/kernel/boot" ] && return
  if ! dpkg --print-foreign-architectures | grep -qx arm64; then
    as_root dpkg --add-architecture arm64
    as_root apt-get update -q
  fi
  local name
  name=$(apt-cache depends linux-image-arm64:arm64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
  mkdir -p "$work/kernel.new"
  (cd "$work" && apt-get download "$name" && dpkg -x linux-image-*.deb kernel.new && rm linux-image-*.deb)
  mv "$work/kernel.new" "$work/kernel"
}

# Puts the root file system together and makes an ext4 of it, a little larger than its content.
system_image() {
  local out=$1 root=$work/rootfs newest
  newest=$(find rootfs-overlay tests/image/rootfs.sh tests/image/initrd tests/image/lib.sh "$binary" -newer "$out" 2>/dev/null | head -n 1 || true)
  [ -e "$out" ] && [ -z "$newest" ] && return
  echo "root file system"
  as_root rm -rf "$root"
  mkdir "$root"
  as_root tar -C "$root" -xf "$work/base.tar" --exclude=./dev/* --exclude=./var/cache --exclude=./var/lib/apt
  as_root mkdir -p "$root/data"
  kernel_into "$root"
  overlay_into "$root"
  initrd_into "$root"
  local used
  used=$(as_root du -sm "$root" | cut -f1)
  as_root mke2fs -q -t ext4 -O ^orphan_file,^metadata_csum_seed -m 0 -L rootfs -d "$root" "$out.new" $((used * 11 / 10 + 24))M
  mv "$out.new" "$out"
}

kernel_into() {
  local root=$1 release part
  release=$(basename "$work"/kernel/lib/modules/*)
  as_root cp "$work/kernel/boot/vmlinuz-$release" "$root/boot/Image"
  for part in "${modules[@]}"; do
    as_root mkdir -p "$root/usr/lib/modules/$release/kernel/$(dirname "$part")"
    as_root cp -r "$work/kernel/lib/modules/$release/kernel/$part" "$root/usr/lib/modules/$release/kernel/$(dirname "$part")/"
  done
  as_root cp "$work/kernel/lib/modules/$release/"modules.{order,builtin,builtin.modinfo} "$root/usr/lib/modules/$release/"
  as_root chroot "$root" depmod "$release"
  # Built in on the product: bundles that are read over the network.
  echo nbd | as_root tee "$root/etc/modules-load.d/nbd.conf" >/dev/null
}

overlay_into() {
  local root=$1
  # Not README.md. Links stay links; what Debian has in the same place gives way.
  as_root rm -f "$root/etc/resolv.conf"
  (cd rootfs-overlay && tar -c --owner=0 --group=0 etc usr) | as_root tar -C "$root" -x --no-same-permissions --keep-directory-symlink
  as_root sed -i "s/@COMPATIBLE@/dlb-$machine/" "$root/etc/rauc/system.conf"
  # Debian 12's RAUC reads no bundle over the network piece by piece, as the product's does: it fetches all of it.
  as_root sed -i 's/^\[system\]/&\nmax-bundle-download-size=300000000/' "$root/etc/rauc/system.conf"
  as_root install -m 644 "$work/keys/ca.pem" "$root/etc/rauc/keyring.pem"
  as_root install -m 755 "$binary" "$root/usr/bin/dlb"
  echo "IMAGE_VERSION=\"$version\"" | as_root tee -a "$root/usr/lib/os-release" >/dev/null
  as_root cp "$root/usr/share/systemd/tmp.mount" "$root/usr/lib/systemd/system/tmp.mount"
  as_root rm -f "$root/etc/fstab" "$root"/etc/systemd/system/*.wants/nftables.service
  patience_into "$root"
  as_root chroot "$root" systemd-sysusers
  as_root chroot "$root" systemctl preset data.mount var.mount var-lib.mount var-log.mount $(sed -n 's/^enable \(dlb.*\)/\1/p' rootfs-overlay/usr/lib/systemd/system-preset/20-dlb.preset) \
    systemd-networkd.service systemd-resolved.service systemd-timesyncd.service systemd-networkd-wait-online.service 2>/dev/null
  as_root chroot "$root" systemctl enable tmp.mount 2>/dev/null
  as_root chroot "$root" systemctl disable dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service getty@.service 2>/dev/null
}

# The product's bounds suit a board that boots in seconds; an emulator on a busy machine needs minutes.
patience_into() {
  local root=$1/etc/systemd
  as_root mkdir -p "$root/system/boot-complete.target.d" "$root/system/dlb-health.service.d" "$root/system/dlb.service.d"
  printf '[Manager]\nDefaultTimeoutStartSec=5min\nDefaultDeviceTimeoutSec=5min\nRuntimeWatchdogSec=3min\n' | as_root tee "$root/system.conf.d/emulator.conf" >/dev/null
  printf '[Unit]\nJobTimeoutSec=15min\n' | as_root tee "$root/system/boot-complete.target.d/emulator.conf" >/dev/null
  printf '[Service]\nTimeoutStartSec=8min\n' | as_root tee "$root/system/dlb-health.service.d/emulator.conf" >/dev/null
  printf '[Service]\nTimeoutStartSec=5min\n' | as_root tee "$root/system/dlb.service.d/emulator.conf" >/dev/null
  # Every rule is matched against hundreds of devices: half of the boot, for cameras and joysticks.
  find "$1/usr/lib/udev/rules.d" -name '*.rules' | grep -vE '/(50-udev-default|55-dm|60-(block|dlb|persistent-storage(-dm)?|qemu-guest-agent|serial)|80-(drivers|net-setup-link)|99-systemd)\.rules$' |
    as_root xargs rm
  as_root rm -f "$1"/usr/lib/udev/hwdb.bin
}

# Modules that the root file system needs, a watchdog that runs from here on, and the way over. Built here in a
# second; Debian's own takes ten minutes under emulation.
initrd_into() {
  local root=$1 room release name
  room=$(mktemp -d)
  release=$(basename "$work"/kernel/lib/modules/*)
  mkdir -p "$room"/{bin,lib,modules,proc,sys,dev,root}
  as_root cp "$root/usr/bin/busybox" "$room/bin/"
  for name in ld-linux-aarch64.so.1 libc.so.6 libresolv.so.2; do
    as_root cp -L "$root/usr/lib/aarch64-linux-gnu/$name" "$room/lib/"
  done
  for name in virtio virtio_ring virtio_mmio virtio_blk i6300esb crc16 crc32c_generic libcrc32c mbcache jbd2 ext4; do
    find "$root/usr/lib/modules/$release" -name "$name.ko" -exec cp {} "$room/modules/" \;
  done
  install -m 755 tests/image/initrd "$room/init"
  (cd "$room" && find . | cpio -o -H newc -R 0:0 2>/dev/null | gzip -1) | as_root tee "$root/boot/initrd" >/dev/null
  rm -rf "$room"
}
