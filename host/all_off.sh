#!/usr/bin/env bash
# End the scenario and all faults on this host.
exec "$(dirname -- "${BASH_SOURCE[0]}")/simulator.sh" off --all "$@"
