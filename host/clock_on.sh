#!/usr/bin/env bash
# Begin the fault "clock" on this host: clock_on.sh [--level N] [--for 2m]
exec "$(dirname -- "${BASH_SOURCE[0]}")/simulator.sh" on clock "$@"
