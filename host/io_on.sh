#!/usr/bin/env bash
# Begin the fault "io" on this host: io_on.sh [--level N] [--for 2m]
exec "$(dirname -- "${BASH_SOURCE[0]}")/simulator.sh" on io "$@"
