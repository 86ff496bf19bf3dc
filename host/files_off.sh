#!/usr/bin/env bash
# End the fault "files" on this host.
exec "$(dirname -- "${BASH_SOURCE[0]}")/simulator.sh" off files "$@"
