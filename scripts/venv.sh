# Make .venv and install pinned packages; read by start_environment.sh and
# test.sh with 'source'. The caller has set HOME_FOLDER and gone there.
# shellcheck shell=bash

VENV="$HOME_FOLDER/.venv"
VENV_PYTHON="$VENV/bin/python"
OLDEST='3.11'

say() {
  printf '%s\n' "$*"
}

fail() {
  printf 'Error: %s\n' "$*" >&2
  exit 1
}

# Tell whether a Python runs and is new enough; a shim may do neither.
is_new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    >/dev/null 2>&1
}

# Print the first Python that is new enough; PYTHON in the environment wins.
find_python() {
  local name
  if [ -n "${PYTHON:-}" ]; then
    is_new_enough "$PYTHON" ||
      fail "PYTHON=$PYTHON is not Python $OLDEST or newer. Unset it, or" \
        "point it at one that is."
    printf '%s\n' "$PYTHON"
    return
  fi
  for name in python3.13 python3.12 python3.11 python3 python; do
    if is_new_enough "$name"; then
      command -v "$name"
      return
    fi
  done
  fail "there is no Python $OLDEST or newer. Install it:
  Debian, Ubuntu  sudo apt-get install python3 python3-venv
  Fedora          sudo dnf install python3
  macOS           brew install python@3.13
or name one that is elsewhere: PYTHON=/path/to/python $0"
}

has_uv() {
  command -v uv >/dev/null 2>&1
}

has_pip() {
  "$VENV_PYTHON" -m pip --version >/dev/null 2>&1
}

# Make .venv unless it is there; a broken one is made anew.
make_venv() {
  local python
  if [ -e "$VENV" ] || [ -L "$VENV" ]; then
    is_new_enough "$VENV_PYTHON" && return
    [ -L "$VENV" ] &&
      fail "$VENV is a link to a Python that does not work. Remove it."
    say 'The packages in .venv do not work any more: making them anew.'
    remove_venv
  fi
  python="$(find_python)"
  [ -w "$HOME_FOLDER" ] ||
    fail "this user may not write $HOME_FOLDER. Clone it into a folder" \
      "of your own, or run this as the owner of that one."
  say "Making .venv with $("$python" --version) ..."
  if has_uv && uv venv --quiet --python "$python" "$VENV"; then
    return
  fi
  make_venv_without_uv "$python"
}

make_venv_without_uv() {
  local output
  if output="$("$1" -m venv "$VENV" 2>&1)"; then
    return
  fi
  remove_venv
  if "$1" -c 'import ensurepip' >/dev/null 2>&1; then
    printf '%s\n' "$output" >&2
    fail ".venv could not be made; the lines above say why. Mend that and" \
      "run this again; nothing was left behind."
  fi
  say 'This Python comes without pip: fetching it.'
  output="$(make_venv_and_fetch_pip "$1" 2>&1)" && return
  remove_venv
  printf '%s\n' "$output" >&2
  fail "this Python comes without venv. Add it:
  Debian, Ubuntu  sudo apt-get install python3-venv
or, where you have no rights to, set PIP_INDEX_URL to the address of a package
index: pip is fetched from there, and is checked. Or install uv
(https://docs.astral.sh/uv/), which needs no venv."
}

# Debian parts Python from its pip; whoever is not root gets one all the same.
make_venv_and_fetch_pip() {
  local wheel
  "$1" -m venv --without-pip "$VENV" &&
    wheel="$("$VENV_PYTHON" scripts/fetch_pip.py "$VENV/pip")" &&
    "$VENV_PYTHON" "$wheel/pip" install --quiet --no-index --no-deps \
      --disable-pip-version-check "$wheel" &&
    rm -rf "$VENV/pip"
}

remove_venv() {
  rm -rf "$VENV" || fail "cannot remove $VENV. Remove it as its owner."
}

# Print what the given requirement files amount to.
checksum() {
  "$VENV_PYTHON" - "$@" <<'PYTHON'
import hashlib
import pathlib
import sys

digest = hashlib.sha256(sys.version.encode())
for name in sys.argv[1:]:
    digest.update(pathlib.Path(name).read_bytes())
print(digest.hexdigest())
PYTHON
}

# Install what a list asks for, unless exactly that was done before. The files
# are those of its lock: every other one is refused.
#   $1 names the stamp, $2 is the list, further ones are what it takes in
install_requirements() {
  local stamp="$VENV/.installed-$1" list="$2" lock="locks/$2" wanted said
  shift
  wanted="$(checksum "${@/#/locks/}")"
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    return
  fi
  [ -w "$VENV" ] ||
    fail "this user may not write $VENV. Run this as its owner, or" \
      "remove it to have it made anew."
  say "Installing the packages of $list ..."
  if ! said="$(install_lock "$lock" 2>&1)"; then
    printf '%s\n' "$said" >&2
    refuse_other_files "$list" "$lock" "$said"
    fail "the packages of $list could not be installed; the lines above say" \
      "why. Usual reasons:
  no network   connect to it, or set HTTPS_PROXY=http://proxy:port
  a mirror     set PIP_INDEX_URL (with uv: UV_DEFAULT_INDEX) to its address
  no wheel     of a package for this system or Python: take another Python
               (PYTHON=...), or the containers: start_environment.sh --docker
  a full disk  'df -h .' tells
Then run this again; it goes on where it stopped."
  fi
  [ -z "$said" ] || printf '%s\n' "$said"
  drop_setuptools
  printf '%s\n' "$wanted" >"$stamp"
}

# End with what to do when a file is not the one of the lock.
refuse_other_files() {
  case "$3" in
  *'DO NOT MATCH THE HASHES'* | *'Hash mismatch'*) ;;
  *) return 0 ;;
  esac
  fail "a package of $1 is not the file that this release was tested with:
its hash differs from $2, and nothing of it was installed. Either the file
was cut off on its way (run this again), or whoever served it has another one:
a mirror or cache that makes its own (set PIP_INDEX_URL and UV_DEFAULT_INDEX
to the index itself, PIP_NO_CACHE_DIR=1), or somebody who wants it to run on
your machine. Do not change the hash before you know which."
}

install_lock() {
  { has_uv && install_by_uv "$1"; } || install_by_pip "$1"
}

install_by_uv() {
  uv pip install --quiet --python "$VENV_PYTHON" \
    --require-hashes --only-binary :all: -r "$1" && return
  say 'uv could not; trying pip, which may know another index.'
  return 1
}

install_by_pip() {
  has_pip || "$VENV_PYTHON" -m ensurepip >/dev/null 2>&1 || return 1
  "$VENV_PYTHON" -m pip install --quiet --disable-pip-version-check \
    --retries 2 --require-hashes --only-binary :all: --requirement "$1"
}

# Older Pythons put a setuptools of their own into a new .venv, as old as they
# are. Nothing here needs it, and what is not there has no holes.
drop_setuptools() {
  ! has_pip || "$VENV_PYTHON" -m pip uninstall --quiet --yes \
    --disable-pip-version-check setuptools 2>/dev/null || true
}
