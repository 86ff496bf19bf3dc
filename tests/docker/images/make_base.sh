#!/usr/bin/env bash
# Make a stand-in for python:3.11-slim-bookworm, where no registry is reached:
# Debian's smallest system with its Python, as a tar file $1.
set -euo pipefail

target="$1"
work="$(mktemp -d)"
trap 'rm -rf -- "$work"' EXIT
debootstrap --variant=minbase --include=python3,python3-venv \
  bookworm "$work/root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} \
  >"$work/log" 2>&1 || {
  tail -n 20 "$work/log" >&2
  exit 1
}
for name in python python3; do
  ln -s /usr/bin/python3 "$work/root/usr/local/bin/$name"
done
tar -C "$work/root" -c --exclude=./var/cache/apt --exclude=./var/lib/apt/lists \
  --exclude=./usr/share/doc --exclude=./usr/share/locale \
  --exclude=./usr/share/man --exclude=./dev . >"$target.$$"
mv "$target.$$" "$target"
