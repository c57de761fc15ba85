#!/bin/sh
# What sled and redb ask of the kernel when they say that a record is safe. Needs cargo and strace;
# builds and runs in temporary directories, leaves nothing behind.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$work/target}" cargo build --quiet --release --manifest-path "$here/Cargo.toml"
program="${CARGO_TARGET_DIR:-$work/target}/release/sled-beside-redb"
for store in sled redb; do
    mkdir "$work/$store"
    echo "== $store"
    strace -f -c -o "$work/$store.calls" -e trace=fsync,fdatasync,sync_file_range,msync \
        "$program" "$store" "$work/$store"
    # Columns of strace -c: time, seconds, usecs/call, calls, [errors], syscall.
    awk '$NF ~ /sync/ { print $NF, $4 }' "$work/$store.calls"
    echo "disk_bytes $(du -sB1 "$work/$store" | cut -f1)"
done
