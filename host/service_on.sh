#!/usr/bin/env bash
# Begin the fault "service" on this host: service_on.sh [--level N] [--for 2m]
exec "$(dirname -- "${BASH_SOURCE[0]}")/simulator.sh" on service "$@"
