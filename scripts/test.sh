#!/usr/bin/env bash
# Everything that a newcomer needs to see it pass: from a bare clone it makes
# .venv, installs what is pinned, runs all checks and the tests that are quick.
# What needs a program that is not here is skipped, and the end says what would
# add it. What takes long is left to CI: faults by force, browsers, real
# monitoring, images, what runs on SQLite once more on PostgreSQL, and what
# tests/slow.txt lists. TESTS=all ./scripts/test.sh runs all of it.
# Arguments go to pytest: ./scripts/test.sh tests/unit -k limits -n 0
set -euo pipefail
# It would lead elsewhere whoever goes to a folder by its name.
unset CDPATH

HOME_FOLDER="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd -- "$HOME_FOLDER"
# shellcheck source=scripts/venv.sh
source scripts/venv.sh

case "${1:-}" in
-h | --help)
  sed -n '2,8s/^# //p' scripts/test.sh
  exit 0
  ;;
esac

# Whoever names tests gets those.
LEFT_OUT=''
if [ "${TESTS:-}" != all ] && [ $# = 0 ]; then
  LEFT_OUT='chaos docker e2e real simulation ui upgrade'
  export TESTS=quick
fi

make_venv
install_requirements dev dev-requirements.txt requirements.txt \
  ansible-requirements.txt
install_requirements run requirements.txt

# Some images forbid it; but whatever is compiled here is needed by hundreds
# of processes, and by the next run.
unset PYTHONDONTWRITEBYTECODE

# Both are run even when the first fails: one round shows all there is to do.
# In their own order: what waits longest (chaos) then comes first, not last.
# One more at once than CI has cores: many wait for clocks and other programs.
STATUS=0
scripts/check.sh || STATUS=$?
# shellcheck disable=SC2086 # these are words
"$VENV_PYTHON" -m pytest -n 3 --dist loadfile --no-loadscope-reorder \
  ${LEFT_OUT:+$(printf -- '--ignore=tests/%s ' $LEFT_OUT)} "$@" || STATUS=$?
if [ -n "$LEFT_OUT" ]; then
  echo "Left out, since they take long: tests/{${LEFT_OUT// /,}}," \
    'and what is skipped above as run by TESTS=all ./scripts/test.sh,' \
    'as in CI.'
fi
exit "$STATUS"
