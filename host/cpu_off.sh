#!/usr/bin/env bash
# End the fault "cpu" on this host.
exec "$(dirname -- "${BASH_SOURCE[0]}")/simulator.sh" off cpu "$@"
