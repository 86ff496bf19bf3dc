#!/usr/bin/env bash
# Begin the fault "disk" on this host: disk_on.sh [--level N] [--for 2m]
exec "$(dirname -- "${BASH_SOURCE[0]}")/simulator.sh" on disk "$@"
