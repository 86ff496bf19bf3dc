#!/usr/bin/env bash
# Begin the fault "zombies" on this host: zombies_on.sh [--level N] [--for 2m]
exec "$(dirname -- "${BASH_SOURCE[0]}")/simulator.sh" on zombies "$@"
