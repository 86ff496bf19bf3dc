#!/usr/bin/env bash
# The one command: set Smokejumper up, start it and say where it is.
set -euo pipefail

# It would lead elsewhere whoever goes to a folder by its name.
unset CDPATH
# Where this file itself is, also when a link led here.
SELF="${BASH_SOURCE[0]}"
while [ -L "$SELF" ]; do
  TARGET="$(readlink "$SELF")"
  case "$TARGET" in
  /*) SELF="$TARGET" ;;
  *) SELF="$(dirname -- "$SELF")/$TARGET" ;;
  esac
done
HOME_FOLDER="$(cd -- "$(dirname -- "$SELF")" && pwd -P)"
cd -- "$HOME_FOLDER"
# shellcheck source=scripts/venv.sh
source scripts/venv.sh

RUNS=0       # exit status of --status when it runs
RUNS_NOT=3   # and when it does not
START_SECONDS=60
STOP_SECONDS=30
LOCK_SECONDS=600
STATE="$HOME_FOLDER/var"
LOG="$STATE/smokejumper.log"
PID_FILE="$STATE/smokejumper.pid"
LOCK="$STATE/start.lock"
STARTING=''  # pid of a service that is not yet known to be well
SERVICE_PID='' SERVICE_SINCE='' SERVICE_URL=''

usage() {
  cat <<'TEXT'
Set Smokejumper up and start it in the background. Needs bash and Python
3.11 or newer; no root, no Docker, no network beyond the package index.

  ./start_environment.sh            install what is missing, start, say where
  ./start_environment.sh --port N   the same, listening on port N
  ./start_environment.sh --status   tell whether it runs (exit 0; 3 if not)
  ./start_environment.sh --stop     finish what waits, then stop
  ./start_environment.sh --demo     a guided run: a real fault, noticed, fixed;
                                    --demo all, or cpu, disk, service, memory
  ./start_environment.sh --docker   in containers; --docker --help says more
  ./start_environment.sh --help     this text

To start it twice is harmless. Settings are in config/smokejumper.yaml, or in
the file that SMOKEJUMPER_CONFIG names; variables such as
SMOKEJUMPER_SERVER__PORT=9000 win over the file. The packages go to .venv/,
database, log and pid to var/. PYTHON=/path/to/python chooses a Python.
TEXT
}

# Print when a process started, so that a recycled pid is not taken for ours.
started_at() {
  local boot='' stat
  if [ -r "/proc/$1/stat" ]; then
    [ ! -r /proc/sys/kernel/random/boot_id ] ||
      boot="$(cat /proc/sys/kernel/random/boot_id)"
    stat="$(cat "/proc/$1/stat" 2>/dev/null)" || return 1
    # A zombie has ended; the name before the last ')' may hold anything.
    stat="${stat##*) }"
    [ "${stat%% *}" != Z ] || return 1
    printf '%s %s\n' "$boot" "$(printf '%s' "$stat" | cut -d ' ' -f 20)"
    return
  fi
  [ ! -d /proc/self ] || return 1
  LC_ALL=C ps -o lstart= -p "$1" 2>/dev/null | grep .
}

# Where this user may not know, "it does not run" would be a guess.
need_to_know() {
  [ -d "$STATE" ] || return 0
  [ -x "$STATE" ] && [ ! -e "$PID_FILE" ] && return
  [ -f "$PID_FILE" ] && [ -r "$PID_FILE" ] ||
    fail "this user may not read $PID_FILE, so it is not known whether it" \
      "runs. Run this as the owner of that file."
}

# Tell whether the service runs, and read its pid and address.
is_running() {
  need_to_know
  [ -r "$PID_FILE" ] || return 1
  {
    read -r SERVICE_PID && read -r SERVICE_SINCE && read -r SERVICE_URL
  } <"$PID_FILE" || return 1
  is_alive
}

# Tell whether the process that was started is still that process.
is_alive() {
  local since
  since="$(started_at "$SERVICE_PID")" && [ "$since" = "$SERVICE_SINCE" ]
}

# Wait for other starts and stops; the lock ends with this script.
take_lock() {
  local deadline=$((SECONDS + LOCK_SECONDS)) told=''
  until try_lock; do
    [ "$SECONDS" -lt "$deadline" ] ||
      fail "another start or stop has been at work for $LOCK_SECONDS" \
        "seconds. If there is none, remove $LOCK*"
    [ -n "$told" ] || say 'Another start or stop is at work; waiting for it.'
    told=yes
    sleep 0.2
  done
}

try_lock() {
  if command -v flock >/dev/null 2>&1; then
    exec 9>>"$LOCK"
    flock -n 9
    return
  fi
  # A link is made and named in one step; a dead owner's is taken over.
  local mine owner
  mine="$$ $(started_at $$)"
  if ln -s "$mine" "$LOCK.link" 2>/dev/null; then
    LOCK_IS_MINE=yes
    return
  fi
  owner="$(readlink "$LOCK.link" 2>/dev/null)" || return 1
  [ "$(started_at "${owner%% *}" || true)" = "${owner#* }" ] ||
    rm -f "$LOCK.link"
  return 1
}

make_state_folder() {
  (umask 077 && mkdir -p "$STATE") 2>/dev/null && [ -w "$STATE" ] ||
    fail "this user may not write $STATE, where database and log belong." \
      "Clone it into a folder of your own, or run this as its owner."
}

# Leave nothing half-started behind, however this script ends.
clean_up() {
  if [ -n "$STARTING" ]; then
    end_half_started
    rm -f "$PID_FILE"
  fi
  [ -z "${LOCK_IS_MINE:-}" ] || rm -f "$LOCK.link"
}

end_half_started() {
  local deadline=$((SECONDS + STOP_SECONDS))
  kill -TERM "$STARTING" 2>/dev/null || return 0
  while is_alive; do
    [ "$SECONDS" -lt "$deadline" ] || kill -KILL "$STARTING" 2>/dev/null
    sleep 0.1
  done
}

doorstep() {
  "$VENV_PYTHON" scripts/doorstep.py "$@"
}

# Print check-config's JSON, or what is wrong with the settings.
check_settings() {
  local checked status=0
  checked="$("$VENV_PYTHON" main.py check-config --json 2>/dev/null)" ||
    status=$?
  if [ "$status" -ne 0 ]; then
    "$VENV_PYTHON" main.py check-config >&2 || true
    fail 'it was not started. Mend the settings that are named above, then' \
      'run this again.'
  fi
  printf '%s\n' "$checked"
}

prepare_database() {
  local output
  output="$("$VENV_PYTHON" main.py migrate 2>&1)" && return
  printf '%s\n' "$output" >&2
  fail 'the database cannot be used; the lines above say why. Mend that, or' \
    'choose another one in database.url of the settings.'
}

# Start the service in a session of its own, and write down who it is.
launch() {
  local detach=nohup
  command -v setsid >/dev/null 2>&1 && detach=setsid
  (umask 077 && : >>"$LOG") 2>/dev/null ||
    fail "this user may not write $LOG. Remove it as its owner."
  "$detach" "$VENV_PYTHON" main.py serve </dev/null >>"$LOG" 2>&1 9>&- &
  STARTING=$!
  SERVICE_PID="$STARTING"
  SERVICE_SINCE="$(started_at "$SERVICE_PID" || true)"
  (
    umask 077
    printf '%s\n' "$SERVICE_PID" "$SERVICE_SINCE" "$SERVICE_URL" \
      >"$PID_FILE.new"
  )
  mv "$PID_FILE.new" "$PID_FILE"
}

wait_until_ready() {
  local deadline=$((SECONDS + START_SECONDS)) answer=''
  until answer="$(doorstep ready "$SERVICE_URL")"; do
    if ! is_alive; then
      show_log
      fail 'the service ended at once; the lines above are the end of its log.'
    fi
    if [ "$SECONDS" -ge "$deadline" ]; then
      show_log
      fail "the service was not ready within $START_SECONDS seconds and was" \
        "stopped again. It said: $answer"
    fi
    sleep 0.1
  done
}

show_log() {
  say "The end of $LOG:" >&2
  tail -n 15 "$LOG" >&2
}

show_welcome() {
  SMOKEJUMPER_SERVER__PORT="${SERVICE_URL##*:}" \
    "$VENV_PYTHON" -m scripts.welcome "$SERVICE_URL"
}

start() {
  local checked
  make_state_folder
  take_lock
  if is_running; then
    say "It runs already: $SERVICE_URL (pid $SERVICE_PID)."
    [ -z "$PORT" ] || [ "$PORT" = "${SERVICE_URL##*:}" ] ||
      say "To move it to port $PORT, stop it first with --stop."
    say ''
    show_welcome
    return
  fi
  make_venv
  install_requirements run requirements.txt
  checked="$(check_settings)"
  SERVICE_URL="$(printf '%s' "$checked" | doorstep url)"
  [ "${SERVICE_URL##*:}" != 0 ] ||
    fail 'port 0 means any; choose one with --port.'
  printf '%s' "$checked" | doorstep free || exit 1
  prepare_database
  launch
  wait_until_ready
  STARTING=''
  say "Smokejumper is ready: $SERVICE_URL (pid $SERVICE_PID," \
    "log var/smokejumper.log)."
  say ''
  show_welcome
  say ''
  say 'Stop it with ./start_environment.sh --stop'
}

stop() {
  local begin
  make_state_folder
  take_lock
  # Waiting for the lock is no part of it: the service was not asked yet.
  begin=$SECONDS
  if ! is_running; then
    rm -f "$PID_FILE"
    say 'It does not run.'
    return
  fi
  kill -TERM "$SERVICE_PID" ||
    fail "this user may not stop process $SERVICE_PID. Run this as its owner."
  while is_alive; do
    [ $((SECONDS - begin)) -lt "$STOP_SECONDS" ] ||
      fail "process $SERVICE_PID has not ended within $STOP_SECONDS seconds." \
        "What it acknowledged is on disk, so 'kill -9 $SERVICE_PID' loses" \
        "nothing."
    sleep 0.1
  done
  rm -f "$PID_FILE"
  say "Stopped (it took $((SECONDS - begin)) s). Nothing that was" \
    "acknowledged is lost."
}

# Run the demo in the foreground: settings, database and ports of its own.
demo() {
  make_state_folder
  take_lock
  make_venv
  install_requirements run requirements.txt
  # Nobody waits for the lock while somebody watches the demo.
  exec 9>&-
  [ -z "${LOCK_IS_MINE:-}" ] || rm -f "$LOCK.link"
  exec "$VENV_PYTHON" -m scripts.demo ${WORDS[@]+"${WORDS[@]}"}
}

status() {
  local answer
  if ! is_running; then
    say 'It does not run. Start it with ./start_environment.sh'
    return "$RUNS_NOT"
  fi
  if answer="$(doorstep ready "$SERVICE_URL")"; then
    say "It runs and is ready: $SERVICE_URL (pid $SERVICE_PID)."
    "$VENV_PYTHON" -m scripts.welcome "$SERVICE_URL" setup
  else
    say "It runs (pid $SERVICE_PID) but cannot take alerts now: $answer"
  fi
  return "$RUNS"
}

wrong_use() {
  printf 'Error: %s\n\n' "$1" >&2
  usage >&2
  exit 2
}

choose_port() {
  case "$1" in
  '' | *[!0-9]*) wrong_use "--port needs a number, such as 8080." ;;
  esac
  PORT="$1"
  export SMOKEJUMPER_SERVER__PORT="$PORT"
}

# Take what is to be done; two of them at once are a mistake.
choose_command() {
  case "$COMMAND" in
  start | "$1") COMMAND="$1" ;;
  *) wrong_use "--$COMMAND and --$1 do not go together." ;;
  esac
}

# Without --demo no word says anything.
check_words() {
  [ "$COMMAND" = demo ] || [ ${#WORDS[@]} -eq 0 ] ||
    wrong_use "there is no option ${WORDS[0]}."
}

PORT=''
COMMAND=start
WORDS=()
while [ $# -gt 0 ]; do
  case "$1" in
  --stop | --status | --demo) choose_command "${1#--}" ;;
  --port)
    choose_port "${2:-}"
    shift
    ;;
  --port=*) choose_port "${1#--port=}" ;;
  --docker)
    check_words
    [ "$COMMAND" != demo ] ||
      wrong_use '--demo and --docker do not go together.'
    # shellcheck source=scripts/docker.sh
    source scripts/docker.sh
    shift
    docker_main "$COMMAND" "$@"
    exit
    ;;
  -h | --help)
    usage
    exit 0
    ;;
  -*) wrong_use "there is no option $1." ;;
  *) WORDS+=("$1") ;;
  esac
  shift
done
check_words
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$COMMAND"
