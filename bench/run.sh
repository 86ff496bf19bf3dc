#!/usr/bin/env bash
# Every figure of docs/performance.md by one command, beside its reference
# and what it was before. --help says what else there is.
set -euo pipefail
# It would lead elsewhere whoever goes to a folder by its name.
unset CDPATH

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
PYTHON=.venv/bin/python
[ -x "$PYTHON" ] || {
  echo 'Error: .venv is not here. Run ./scripts/test.sh once: it installs' \
    'what the benches need.' >&2
  exit 2
}
exec "$PYTHON" -m bench.book "$@"
