#!/usr/bin/env bash
# Begin the fault "files" on this host: files_on.sh [--level N] [--for 2m]
exec "$(dirname -- "${BASH_SOURCE[0]}")/simulator.sh" on files "$@"
