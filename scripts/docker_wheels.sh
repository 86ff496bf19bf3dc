#!/usr/bin/env bash
# Fetch the pinned packages to var/wheels, for images that are built where
# containers reach no package index, or all from the same files. It asks the
# index that pip of this machine is set up for.
set -euo pipefail
# It would lead elsewhere whoever goes to a folder by its name.
unset CDPATH

HOME_FOLDER="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd -- "$HOME_FOLDER"
# shellcheck source=scripts/venv.sh
source scripts/venv.sh

WHEELS="$HOME_FOLDER/var/wheels"
make_venv
has_pip || "$VENV_PYTHON" -m ensurepip >/dev/null

# For Python 3.11 of the image on the engine's kind of machine, not for ours.
MACHINE="${1:-$(uname -m)}"
rm -rf "$WHEELS.new"
(umask 022 && mkdir -p "$WHEELS.new")
"$VENV_PYTHON" -m pip download --quiet --disable-pip-version-check \
  --only-binary :all: --no-deps --python-version 3.11 --implementation cp \
  --abi cp311 --abi abi3 --abi none \
  --platform "manylinux_2_34_$MACHINE" --platform "manylinux_2_28_$MACHINE" \
  --platform "manylinux_2_17_$MACHINE" --platform "manylinux2014_$MACHINE" \
  --platform "manylinux_2_26_$MACHINE" --platform "manylinux_2_24_$MACHINE" \
  --platform "manylinux_2_12_$MACHINE" --platform "manylinux2010_$MACHINE" \
  --platform "manylinux_2_5_$MACHINE" --platform "manylinux1_$MACHINE" \
  --dest "$WHEELS.new" --require-hashes \
  --requirement locks/requirements.txt ||
  fail 'not all packages could be fetched; the lines above say why.'
rm -rf "$WHEELS"
mv "$WHEELS.new" "$WHEELS"
say "$(find "$WHEELS" -name '*.whl' | wc -l) wheels are in $WHEELS."
