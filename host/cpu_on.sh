#!/usr/bin/env bash
# Begin the fault "cpu" on this host: cpu_on.sh [--level N] [--for 2m]
exec "$(dirname -- "${BASH_SOURCE[0]}")/simulator.sh" on cpu "$@"
