#!/usr/bin/env bash
# Everything that a newcomer needs to see it pass: from a bare clone it makes
# .venv, installs what is pinned, runs all checks and all tests. What needs a
# program that is not here is skipped, and the end says what would add it;
# so are the few tests that take long (TESTS=all ./scripts/test.sh runs them).
# Arguments go to pytest: ./scripts/test.sh tests/unit -k limits -n 0
set -euo pipefail

HOME_FOLDER="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd -- "$HOME_FOLDER"
# shellcheck source=scripts/venv.sh
source scripts/venv.sh

case "${1:-}" in
-h | --help)
  sed -n '2,6s/^# //p' scripts/test.sh
  exit 0
  ;;
esac

make_venv
install_requirements dev dev-requirements.txt requirements.txt \
  ansible-requirements.txt
install_requirements run requirements.txt

# Some images forbid it; but whatever is compiled here is needed by hundreds
# of processes, and by the next run.
unset PYTHONDONTWRITEBYTECODE

# Both are run even when the first fails: one round shows all there is to do.
# In their own order: what waits longest (chaos) then comes first, not last.
STATUS=0
scripts/check.sh || STATUS=$?
"$VENV_PYTHON" -m pytest -n 2 --dist loadfile \
  --no-loadscope-reorder "$@" || STATUS=$?
exit "$STATUS"
