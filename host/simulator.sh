#!/usr/bin/env bash
# Ask the simulator that runs on this host: simulator.sh on cpu --level 90
#
# The scripts beside this one are short for it: cpu_on.sh, cpu_off.sh, ...
# PYTHON names the Python to use; without it, that of the repository's .venv.
set -euo pipefail
# It would lead elsewhere whoever goes to a folder by its name.
unset CDPATH

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
home="$(dirname -- "$here")"
python="${PYTHON:-$home/.venv/bin/python}"
command -v -- "$python" >/dev/null || {
  echo "Error: there is no $python. Run ./start_environment.sh once, or let" \
    "PYTHON name a Python that has what requirements.txt lists." >&2
  exit 2
}
# What is typed, such as --json FILE, and SIMULATOR_CONFIG are meant from
# where it is typed; the settings without it are those of the repository.
if [ -z "${SIMULATOR_CONFIG:-}" ] && [ ! -e config/simulator.yaml ]; then
  export SIMULATOR_CONFIG="$home/config/simulator.yaml"
fi
PYTHONPATH="$home${PYTHONPATH:+:$PYTHONPATH}" exec "$python" -P -m simulator "$@"
