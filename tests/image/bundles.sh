# Signing keys and bundles. Sourced by tests/image/build.
# shellcheck shell=bash

# A certificate authority and a signer for this clone, and a stranger's signer.
keys() {
  [ -e "$work/keys/signer.pem" ] && return
  local room=$work/keys name
  mkdir -p "$room"
  for name in ca stranger-ca; do
    openssl req -x509 -newkey rsa:2048 -nodes -days 7300 -subj "/CN=dlb test $name" -keyout "$room/$name.key" -out "$room/$name.pem" \
      -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
  done
  signer "$room" ca stranger-not
  signer "$room" stranger-ca stranger
  mv "$room/stranger-not.pem" "$room/signer.pem" && mv "$room/stranger-not.key" "$room/signer.key"
}

signer() {
  local room=$1 ca=$2 name=$3
  openssl req -newkey rsa:2048 -nodes -subj "/CN=dlb test $name" -keyout "$room/$name.key" -out "$room/$name.csr" 2>/dev/null
  printf 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=emailProtection\n' > "$room/$name.ext"
  openssl x509 -req -in "$room/$name.csr" -CA "$room/$ca.pem" -CAkey "$room/$ca.key" -CAcreateserial -days 7300 \
    -extfile "$room/$name.ext" -out "$room/$name.pem" 2>/dev/null
}

# bundle NAME VERSION IMAGE [COMPATIBLE [SIGNER]]
bundle() {
  local name=$1 number=$2 image=$3 compatible=${4:-dlb-$machine} signer=${5:-signer}
  local room=$work/content out=$work/bundles/$name.raucb
  rm -rf "$room" "$out" && mkdir -p "$room" "$work/bundles"
  ln "$image" "$room/rootfs.ext4"
  echo "$number" > "$room/version"
  cat > "$room/manifest.raucm" <<MANIFEST
[update]
compatible=$compatible
version=$number

[bundle]
format=verity

[image.rootfs]
filename=rootfs.ext4
adaptive=block-hash-index
MANIFEST
  rauc bundle --cert="$work/keys/$signer.pem" --key="$work/keys/$signer.key" --mksquashfs-args="-comp zstd -Xcompression-level 3 -processors 1" \
    "$room" "$out" >/dev/null 2>&1
  rm -rf "$room"
}

# variant OUT VERSION: a copy of the image that calls itself so; debugfs commands on standard input change it further.
variant() {
  local out=$1 number=$2
  cp --sparse=always "$work/rootfs.ext4" "$out"
  sed "s/^IMAGE_VERSION=.*/IMAGE_VERSION=\"$number\"/" "$work/rootfs/usr/lib/os-release" > "$work/os-release"
  { printf 'rm /usr/lib/os-release\nwrite %s /usr/lib/os-release\n' "$work/os-release"; cat; } | debugfs -w -f - "$out" >/dev/null 2>&1
}

# program TEXT: a shell script to be put in the place of another program.
program() {
  printf '#!/bin/sh\n%s\n' "$1" > "$work/program"
}

all_bundles() {
  [ "$work/bundles.ext4" -nt "$work/rootfs.ext4" ] && return
  echo "bundles"
  local image=$work/variant.ext4 out=$work/bundles
  : | variant "$image" 0.2.0
  bundle good 0.2.0 "$image"
  bundle other-machine 0.2.0 "$image" dlb-other-machine
  bundle stranger 0.2.0 "$image" "dlb-$machine" stranger
  head -c $(($(stat -c %s "$out/good.raucb") * 2 / 3)) "$out/good.raucb" > "$out/truncated.raucb"
  unsigned "$image"
  bundle older 0.0.9 "$work/rootfs.ext4"

  program 'echo "this program dies"; exit 1'
  printf 'rm /usr/bin/dlb\nwrite %s /usr/bin/dlb\nsif /usr/bin/dlb mode 0100755\n' "$work/program" | variant "$image" 0.3.1
  bundle crashing 0.3.1 "$image"
  echo 'rm /usr/lib/systemd/systemd' | variant "$image" 0.3.2
  bundle no-init 0.3.2 "$image"
  program 'echo "this system hangs"; while :; do sleep 1000; done'
  printf 'rm /usr/lib/systemd/systemd\nwrite %s /usr/lib/systemd/systemd\nsif /usr/lib/systemd/systemd mode 0100755\n' "$work/program" | variant "$image" 0.3.3
  bundle hanging 0.3.3 "$image"
  rm -f "$image" "$work/program" "$work/os-release"
  mke2fs -q -t ext4 -L bundles -E root_owner=0:0 -d "$out" "$work/bundles.ext4.new" $(($(du -sm "$out" | cut -f1) * 11 / 10 + 16))M
  mv "$work/bundles.ext4.new" "$work/bundles.ext4"
}

# The same content in the same container, and nobody's signature below it.
unsigned() {
  local room=$work/content
  rm -rf "$room" && mkdir -p "$room"
  ln "$1" "$room/rootfs.ext4"
  echo 0.2.0 > "$room/version"
  printf '[update]\ncompatible=dlb-%s\nversion=0.2.0\n\n[image.rootfs]\nfilename=rootfs.ext4\n' "$machine" > "$room/manifest.raucm"
  mksquashfs "$room" "$work/bundles/unsigned.raucb" -quiet -no-progress -comp zstd -Xcompression-level 3 -noappend >/dev/null
  rm -rf "$room"
}
