#!/usr/bin/env bash
# Begin the fault "memory" on this host: memory_on.sh [--level N] [--for 2m]
exec "$(dirname -- "${BASH_SOURCE[0]}")/simulator.sh" on memory "$@"
