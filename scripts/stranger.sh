#!/usr/bin/env bash
# Follow the README as a stranger: in a bare Debian with python3 and git and
# nothing else, from a fresh clone, without any cache, each step timed.
# What is committed counts, as for whoever clones. Needs root, debootstrap,
# git and unshare; leaves nothing behind, also when it is interrupted.
#
#   scripts/stranger.sh                 both commands; of the tests: tests/unit
#   scripts/stranger.sh --first-only    the first command only
#   scripts/stranger.sh --whole         the second one with all tests (long)
#   scripts/stranger.sh --as root       as root too, in a folder of its own
#   scripts/stranger.sh -- ARGUMENTS    what the second command is to be given
#
# DEBIAN_MIRROR and DEBIAN_RELEASE choose where the bare system comes from,
# PORT (8080) where the service listens; SYSTEM=FILE keeps the bare system in a
# tar, for the next time. What pip of this machine is set up
# for, pip of the bare one is, too: index, certificates and folders of wheels.
set -euo pipefail
# It would lead elsewhere whoever goes to a folder by its name.
unset CDPATH

HOME_FOLDER="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd -- "$HOME_FOLDER"
RELEASE="${DEBIAN_RELEASE:-bookworm}"
PORT="${PORT:-8080}"
PACKAGES=python3,git,ca-certificates
USERS=stranger
SECOND=(tests/unit)
FIRST_ONLY=''
STATUS=0
SAID='' SECONDS_OF='' WORK='' MINE=''

fail() {
  printf 'Error: %s\n' "$*" >&2
  exit 1
}

usage() {
  sed -n '2,17s/^# \{0,1\}//p' scripts/stranger.sh
}

# Print how long something took, and how it ended.
tell() {
  printf '%8.1f s  %s\n' "$1" "$2"
}

now() {
  date +%s.%N
}

since() {
  awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'
}

need_programs() {
  local program
  [ "$(id -u)" = 0 ] ||
    fail 'a bare system is made by root. Run this as root.'
  for program in debootstrap git unshare chroot mount; do
    command -v "$program" >/dev/null ||
      fail "there is no $program. On Debian: apt-get install debootstrap" \
        'git util-linux'
  done
  # It shares the network of this machine, so the port must be free.
  ! (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null ||
    fail "port $PORT is taken. Choose another one: PORT=9090 $0"
}

# Make the bare system. Its own caches go: a stranger has none.
make_system() {
  local begin
  begin="$(now)"
  if [ -n "${SYSTEM:-}" ] && [ -f "$SYSTEM" ]; then
    mkdir "$ROOT"
    tar -C "$ROOT" -xf "$SYSTEM"
    tell "$(since "$begin")" "the bare system of $SYSTEM"
    return
  fi
  debootstrap --variant=minbase --include="$PACKAGES" "$RELEASE" "$ROOT" \
    ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$WORK/debootstrap.log" 2>&1 || {
    tail -n 20 "$WORK/debootstrap.log" >&2
    fail 'the bare system could not be made; the lines above say why.'
  }
  [ -z "${SYSTEM:-}" ] || tar -C "$ROOT" -cf "$SYSTEM" .
  tell "$(since "$begin")" "a bare $RELEASE with $PACKAGES"
}

# Let it see kernel, network and whatever pip of this machine reads.
furnish() {
  local name
  mount -t proc proc "$ROOT/proc"
  mount --rbind /dev "$ROOT/dev"
  mount -t tmpfs -o mode=1777 tmpfs "$ROOT/tmp"
  for name in resolv.conf hosts; do
    cat "/etc/$name" >"$ROOT/etc/$name" 2>/dev/null || true
  done
  ! command -v apt-config >/dev/null ||
    apt-config dump Acquire >"$ROOT/etc/apt/apt.conf.d/90here"
  make_pip_settings
}

make_pip_settings() {
  local python=python3 name value word
  [ ! -x .venv/bin/python ] || python=.venv/bin/python
  "$python" -m pip config list 2>/dev/null |
    sed -n "s/^\(global\|:env:\)\.\([a-z-]*\)='\(.*\)'\$/\2 \3/p" \
      >"$WORK/pip" || true
  printf '[global]\n' >"$ROOT/etc/pip.conf"
  while read -r name value; do
    printf '%s = %s\n' "$name" "$value" >>"$ROOT/etc/pip.conf"
    for word in $value; do
      show_it "${word#file://}"
    done
  done < <(sort -u -k 1,1 "$WORK/pip")
}

# Let a file or a folder that pip reads be there, too; folders read-only.
show_it() {
  case "$1" in
  /*) [ -e "$1" ] || return 0 ;;
  *) return 0 ;;
  esac
  if [ -f "$1" ]; then
    mkdir -p "$ROOT$(dirname -- "$1")"
    cat "$1" >"$ROOT$1"
    return
  fi
  # The folder above: an index names its files by paths beside it.
  local place="$1"
  [ "$(basename -- "$place")" != simple ] || place="$(dirname -- "$place")"
  mkdir -p "$ROOT$place"
  mount --bind "$place" "$ROOT$place"
  mount -o remount,bind,ro "$ROOT$place"
}

# Put a fresh clone into the home of a user who is made for it.
move_in() {
  local user="$1" home
  [ "$user" = root ] ||
    chroot "$ROOT" useradd --create-home --shell /bin/bash "$user"
  home="$(home_of "$user")"
  git clone --quiet --no-hardlinks "file://$HOME_FOLDER" \
    "$ROOT$home/smokejumper"
  chroot "$ROOT" chown -R "$user:" "$home/smokejumper"
}

home_of() {
  chroot "$ROOT" getent passwd "$1" | cut -d : -f 6
}

# Run a line as a user of the bare system; nothing else is in its environment.
inside() {
  local user="$1" home
  home="$(home_of "$user")"
  env -i HOME="$home" USER="$user" LANG=C.UTF-8 TERM=dumb \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    ${https_proxy:+https_proxy="$https_proxy"} \
    ${http_proxy:+http_proxy="$http_proxy"} \
    chroot --userspec="$user:$user" "$ROOT" \
    bash -c "cd ${3-~/smokejumper} && $2"
}

# Time a line; show what it said when it did not end as it should.
#   $1 what to call it, $2 the user, $3 the line, $4 where, if not in the clone
step() {
  local begin status=0
  begin="$(now)"
  SAID="$(inside "$2" "$3" "${@:4}" 2>&1)" || status=$?
  SECONDS_OF="$(since "$begin")"
  tell "$SECONDS_OF" "$1"
  [ "$status" -ne 0 ] || return 0
  printf '%s\n' "$SAID" | tail -n 40 >&2
  printf 'exit status %s\n' "$status" >&2
  STATUS=1
  return 1
}

first_command() {
  local user="$1" port='' line
  [ "$PORT" = 8080 ] || port=" --port $PORT"
  if ! step "$user: ./start_environment.sh$port" "$user" \
    "./start_environment.sh$port"; then
    case "$SAID" in *python3-venv*) add_venv "$user" "$port" ;; *) return 1 ;;
    esac
  fi
  # The system has no curl, and the network is that of this machine.
  line="$(printf '%s\n' "$SAID" | sed -n 's/^  \(curl .*webhooks.*\)/\1/p')"
  knock "$user: the line to try" "$line" '"accepted":1'
  knock "$user: the same again" "$line" '"repeat":true'
  line="$(printf '%s\n' "$SAID" | sed -n 's/^  \(curl .*incidents.*\)/\1/p')"
  knock "$user: what became of it" "$line" '"problem":"TryMe"'
  step "$user: started once more" "$user" './start_environment.sh'
  step "$user: --status" "$user" './start_environment.sh --status'
  step "$user: --stop" "$user" './start_environment.sh --stop'
  step "$user: a second start, all installed" "$user" \
    "./start_environment.sh$port"
  step "$user: --stop" "$user" './start_environment.sh --stop'
}

# Do what the script says is missing, and begin anew.
add_venv() {
  local user="$1" port="$2"
  printf '%s\n' "            it asks for python3-venv; doing as it says"
  STATUS=0
  step 'root: apt-get install python3-venv' root \
    'apt-get update -q && apt-get install -q -y python3-venv' /
  step "$user: ./start_environment.sh$port" "$user" \
    "./start_environment.sh$port"
}

# Run a line that was printed, and look for what it must answer.
knock() {
  local begin answer='' until_then=$((SECONDS + 10))
  begin="$(now)"
  until answer="$(bash -c "$2" 2>&1)" && [[ $answer == *"$3"* ]]; do
    [ "$SECONDS" -lt "$until_then" ] || {
      printf 'no %s in: %s\n' "$3" "$answer" >&2
      STATUS=1
      return 1
    }
    sleep 0.1
  done
  tell "$(since "$begin")" "$1: $3"
}

second_command() {
  local user="$1" words=''
  [ "${#SECOND[@]}" -eq 0 ] || words="$(printf ' %q' "${SECOND[@]}")"
  step "$user: ./scripts/test.sh$words" "$user" \
    "./scripts/test.sh$words" || return 1
  printf '%s\n' "$SAID" | grep -E '^(ok|FAILED) |^All checks|passed|failed' |
    tail -n 20 | sed 's/^/            /'
}

# All of it, in namespaces of its own: its mounts and its processes end with
# it, however it ends.
live() {
  local user
  mount --make-rprivate /
  make_system
  furnish
  for user in $USERS; do
    move_in "$user"
    first_command "$user" || STATUS=1
    [ -n "$FIRST_ONLY" ] || second_command "$user" || STATUS=1
  done
  exit "$STATUS"
}

while [ $# -gt 0 ]; do
  case "$1" in
  --inside) WORK="$2" && shift ;;
  --first-only) FIRST_ONLY=yes ;;
  --whole) SECOND=() ;;
  --as) USERS="$USERS ${2:?whom?}" && shift ;;
  --) shift && SECOND=("$@") && break ;;
  -h | --help) usage && exit 0 ;;
  *) usage >&2 && fail "there is no option $1." ;;
  esac
  shift
done
need_programs
if [ -n "$WORK" ]; then
  ROOT="$WORK/root"
  live
fi
WORK="$(mktemp -d)"
# shellcheck disable=SC2317 # a trap calls it
clean_up() {
  [ -z "$MINE" ] || kill -KILL "$MINE" 2>/dev/null || true
  [ -z "$MINE" ] || wait "$MINE" 2>/dev/null || true
  rm -rf --one-file-system -- "$WORK"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
WORDS=(--inside "$WORK")
[ -z "$FIRST_ONLY" ] || WORDS+=(--first-only)
for user in ${USERS#stranger}; do WORDS+=(--as "$user"); done
unshare --mount --pid --fork --kill-child "$HOME_FOLDER/scripts/stranger.sh" \
  "${WORDS[@]}" -- ${SECOND[@]+"${SECOND[@]}"} &
MINE=$!
wait "$MINE" || STATUS=$?
MINE=''
exit "$STATUS"
