#!/usr/bin/env bash
# End the fault "io" on this host.
exec "$(dirname -- "${BASH_SOURCE[0]}")/simulator.sh" off io "$@"
