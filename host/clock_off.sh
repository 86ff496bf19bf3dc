#!/usr/bin/env bash
# End the fault "clock" on this host.
exec "$(dirname -- "${BASH_SOURCE[0]}")/simulator.sh" off clock "$@"
