#!/usr/bin/env bash
# Soak: every proof by force at the scale that we promise, one line for each;
# the status is not 0 unless lost, doubled and unexplained are 0 everywhere.
#   scripts/soak.sh                      all of it: some hours
#   scripts/soak.sh kills cuts           some parts; --list says which
#   scripts/soak.sh --scale 0.1 nodes    a tenth of it
# Results, and all that was said, are kept under var/soak/.
set -euo pipefail
# It would lead elsewhere whoever goes to a folder by its name.
unset CDPATH

HOME_FOLDER="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd -- "$HOME_FOLDER"
PYTHON_HERE="$HOME_FOLDER/.venv/bin/python"
[ -x "$PYTHON_HERE" ] || {
  echo 'Error: .venv is not here. Run ./scripts/test.sh once: it installs' \
    'what the soak needs.' >&2
  exit 2
}
# Whoever works on this machine meanwhile comes first.
exec nice -n 10 "$PYTHON_HERE" -m scripts.soak "$@"
