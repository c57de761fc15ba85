# What the commands in tests/image share. Sourced, in the clone's top directory.
# shellcheck shell=bash

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# packages NAME:WITNESS… installs the Debian packages whose command or file is not there.
packages() {
  local missing=() pair witness
  for pair in "$@"; do
    witness=${pair#*:}
    command -v "$witness" >/dev/null || [ -e "$witness" ] || missing+=("${pair%%:*}")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "installing: ${missing[*]}"
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}

# Where images, bundles and keys lie.
# shellcheck disable=SC2034
work=$(realpath -m "${DLB_IMAGE_DIR:-target/image}")
machine=qemuarm64-test
