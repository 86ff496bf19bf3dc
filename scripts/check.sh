#!/usr/bin/env bash
# Every static check, in seconds: format, rules, types, imports, docstrings,
# sizes, shell. Uses .venv when it is there, else what is on the PATH.
set -euo pipefail
# It would lead elsewhere whoever goes to a folder by its name.
unset CDPATH

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
[ ! -d .venv/bin ] || PATH="$PWD/.venv/bin:$PATH"
FAILED=''

# Run one check quietly; show what it says only when it fails.
check() {
  local name="$1" output
  shift
  if output="$("$@" 2>&1)"; then
    printf 'ok      %s\n' "$name"
  else
    printf '%s\n\nFAILED  %s: %s\n\n' "$output" "$name" "$*"
    FAILED="$FAILED $name"
  fi
}

bash_reads_them() {
  local file
  for file in start_environment.sh scripts/*.sh .ci/run; do
    bash -n "$file"
  done
}

for program in ruff mypy lint-imports interrogate; do
  command -v "$program" >/dev/null || {
    echo "Error: $program is not here. Run ./scripts/test.sh once: it" \
      "installs what the checks need." >&2
    exit 2
  }
done

PYTHON_FILES='main.py app docker simulator tests bench scripts'
# shellcheck disable=SC2086 # these are words
{
  check format ruff format --check .
  check rules ruff check .
  check types python -m mypy
  check imports lint-imports
  check docstrings interrogate $PYTHON_FILES
  check sizes python scripts/house.py
  check web python scripts/webhouse.py
  check shell bash_reads_them
}

[ -z "$FAILED" ] || {
  echo "These failed:$FAILED" >&2
  exit 1
}
echo 'All checks pass.'
