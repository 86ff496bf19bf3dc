# Start, look at, stop and clean up the containers; read by
# start_environment.sh, which has say and fail, and has gone to HOME_FOLDER.
# shellcheck shell=bash

DOCKER_FOLDER="$HOME_FOLDER/var/docker"
DOCKER_FILE="$HOME_FOLDER/docker/compose.yaml"
DOCKER_PROJECT=smokejumper
DOCKER_WAIT_SECONDS="${SMOKEJUMPER_WAIT_SECONDS:-600}"
DOCKER_STAGE=org.smokejumper.stage
DOCKER_SECRETS='database_password read_token simulator_token watch_token'
DOCKER_PROFILES='prometheus zabbix rundeck'
DOCKER_CHOSEN='' DOCKER_MODEL=yes DOCKER_YES=''
DOCKER_COMPOSE=()

docker_usage() {
  cat <<'TEXT'
Run Smokejumper in containers: the service, PostgreSQL, Ollama with a model,
and a simulated machine. Needs a Docker engine and its compose.

  ./start_environment.sh --docker                  build, start, wait, tell all
  ./start_environment.sh --docker --profile NAME   and prometheus, zabbix or
                                                   rundeck; may be repeated
  ./start_environment.sh --docker --without-model  without Ollama: the built-in
                                                   classifier decides alone
  ./start_environment.sh --docker --port N         the service on port N
  ./start_environment.sh --docker --status         how each container is
  ./start_environment.sh --docker --logs           what they write
  ./start_environment.sh --docker --stop           stop them; all data stays
  ./start_environment.sh --docker --clean          remove containers, data,
                                                   secrets and our images; it
                                                   asks first, unless --yes

Its secrets are made once and kept in var/docker/. See docs/docker.md.
TEXT
}

# Do what the rest of the command line says; $1 is the command so far.
docker_main() {
  local command="$1"
  shift
  [ -z "${PORT:-}" ] || docker_set_port "$PORT"
  docker_read_options "$@"
  docker_find_engine
  docker_find_compose
  "docker_$command"
}

docker_read_options() {
  while [ $# -gt 0 ]; do
    case "$1" in
    --stop | --status | --logs | --clean) docker_choose_command "${1#--}" ;;
    --profile)
      docker_choose "${2:-}"
      shift
      ;;
    --profile=*) docker_choose "${1#--profile=}" ;;
    --port)
      docker_set_port "${2:-}"
      shift
      ;;
    --port=*) docker_set_port "${1#--port=}" ;;
    --without-model) DOCKER_MODEL='' ;;
    --yes) DOCKER_YES=yes ;;
    -h | --help)
      docker_usage
      exit 0
      ;;
    *) docker_wrong_use "with --docker there is no option $1." ;;
    esac
    shift || break
  done
}

# Two commands at once are a mistake: one of them may remove all data.
docker_choose_command() {
  case "$command" in
  start | "$1") command="$1" ;;
  *) docker_wrong_use "--$command and --$1 do not go together." ;;
  esac
}

docker_wrong_use() {
  printf 'Error: %s\n\n' "$1" >&2
  docker_usage >&2
  exit 2
}

docker_choose() {
  case " $DOCKER_PROFILES " in
  *" ${1:-?} "*) DOCKER_CHOSEN="$DOCKER_CHOSEN $1" ;;
  *) docker_wrong_use "--profile needs one of: $DOCKER_PROFILES." ;;
  esac
  case "$DOCKER_CHOSEN" in
  *prometheus*zabbix* | *zabbix*prometheus*)
    docker_wrong_use 'there is one monitoring-server: prometheus or zabbix.'
    ;;
  esac
}

docker_set_port() {
  case "$1" in
  '' | *[!0-9]* | ??????*)
    docker_wrong_use '--port needs a number, such as 8080.'
    ;;
  esac
  { [ "$1" -ge 1 ] && [ "$1" -le 65535 ]; } ||
    docker_wrong_use "there is no port $1; take one from 1 to 65535."
  export SMOKEJUMPER_PORT="$1"
}

# Say what is wrong where no engine answers, and what to do.
docker_find_engine() {
  local said
  command -v docker >/dev/null 2>&1 ||
    fail "there is no docker on the PATH. Install a Docker engine:
  Debian, Ubuntu  sudo apt-get install docker.io docker-compose
  others          https://docs.docker.com/engine/install/
or start without containers: ./start_environment.sh"
  said="$(docker version --format '{{.Server.Version}}' 2>&1)" && return
  case "$said" in
  *[Pp]'ermission denied'*)
    fail "this user may not use the Docker engine. Run this with sudo, or let
an administrator add you to the group 'docker' (it is as good as root)."
    ;;
  esac
  fail "the Docker engine does not answer. Start it, such as by
'sudo systemctl start docker', or name another with DOCKER_HOST. It said:
$said"
}

docker_find_compose() {
  if docker compose version >/dev/null 2>&1; then
    DOCKER_COMPOSE=(docker compose)
  elif command -v docker-compose >/dev/null 2>&1; then
    DOCKER_COMPOSE=(docker-compose)
  else
    fail "docker has no compose. Install it:
  Debian, Ubuntu  sudo apt-get install docker-compose
  others          https://docs.docker.com/compose/install/"
  fi
  DOCKER_COMPOSE+=(--project-name "$DOCKER_PROJECT" --file "$DOCKER_FILE")
}

# Run compose with the profiles that were chosen, or all of them.
docker_compose() {
  local profile words=()
  for profile in $DOCKER_CHOSEN; do
    words+=(--profile "$profile")
  done
  # People open it at this address, also where a proxy leads them to it.
  SMOKEJUMPER_SECRETS="$DOCKER_FOLDER" \
    SMOKEJUMPER_PUBLIC_URL="${SMOKEJUMPER_PUBLIC_URL:-$(docker_url)}" \
    "${DOCKER_COMPOSE[@]}" ${words[@]+"${words[@]}"} "$@"
}

# Make each secret once: the database keeps the first one for ever. Others of
# this machine may not enter the folder; in it the containers' users read.
docker_make_secrets() {
  local name
  (umask 077 && mkdir -p "$DOCKER_FOLDER") 2>/dev/null &&
    [ -w "$DOCKER_FOLDER" ] ||
    fail "this user may not write $DOCKER_FOLDER, where the secrets belong."
  for name in $DOCKER_SECRETS; do
    [ -s "$DOCKER_FOLDER/$name" ] ||
      head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n' |
      docker_write "$name"
  done
  printf 'postgresql://smokejumper:%s@postgres:5432/smokejumper' \
    "$(cat "$DOCKER_FOLDER/database_password")" | docker_write database_url
}

docker_write() {
  cat >"$DOCKER_FOLDER/$1.new"
  chmod 0644 "$DOCKER_FOLDER/$1.new"
  mv "$DOCKER_FOLDER/$1.new" "$DOCKER_FOLDER/$1"
}

# Print the services that are to run.
docker_services() {
  local profile
  echo 'machine postgres monitoring-agent-simulator api-middleware'
  [ -z "$DOCKER_MODEL" ] || echo 'model-folder ollama model-pull'
  for profile in $DOCKER_CHOSEN; do
    case "$profile" in
    prometheus)
      echo 'prometheus alertmanager node-exporter process-exporter'
      ;;
    zabbix) echo 'zabbix-database zabbix-server zabbix-web zabbix-agent' ;;
    *) echo "$profile" ;;
    esac
  done
}

# Refuse the other profile that has a monitoring-server, before it is built.
docker_check_server() {
  local other=zabbix-server
  case "$DOCKER_CHOSEN" in
  *zabbix*) other=prometheus ;;
  *prometheus*) ;;
  *) return 0 ;;
  esac
  [ "$(docker_state_of "$other" "$(docker_states)")" = absent ] ||
    fail "monitoring-server is there already, of the other profile. Stop all
first (the data stays): ./start_environment.sh --docker --stop"
}

docker_start() {
  local services
  docker_check_server
  docker_make_secrets
  say 'Building the images; the first time takes some minutes ...'
  docker_build
  services="$(docker_services)"
  say 'Starting the containers ...'
  # shellcheck disable=SC2086 # these are words
  docker_compose up --detach --no-build $services || fail \
    "the containers could not be started; the lines above say why. An image
that cannot be pulled can be replaced: docs/docker.md names the variables.
Without Ollama: ./start_environment.sh --docker --without-model"
  # shellcheck disable=SC2086 # these are words
  docker_wait $services
  docker_welcome
}

docker_build() {
  local log="$DOCKER_FOLDER/build.log"
  # The old compose is slow to send what an image is made of by itself.
  COMPOSE_DOCKER_CLI_BUILD=1 docker_compose build \
    api-middleware monitoring-agent-simulator >"$log" 2>&1 && return
  tail -n 20 "$log" >&2
  fail "the images could not be built; the lines above are the end of $log.
Where containers reach no package index, fetch the packages here first:
  scripts/docker_wheels.sh"
}

# Print each of our containers that there is: its service, and how it is.
docker_states() {
  docker ps --all \
    --filter "label=com.docker.compose.project=$DOCKER_PROJECT" \
    --format '{{.Label "com.docker.compose.service"}} {{.Status}}' |
    while read -r name status; do
      case "$status" in
      *'(healthy)'*) echo "$name healthy" ;;
      *'(health: starting)'*) echo "$name starting" ;;
      *'(unhealthy)'*) echo "$name unhealthy" ;;
      Up*) echo "$name running" ;;
      'Exited (0)'*) echo "$name done" ;;
      *) printf '%s %s\n' "$name" "$(echo "${status%% *}" | tr 'A-Z' 'a-z')" ;;
      esac
    done
}

# Print how one service is, of what docker_states said.
docker_state_of() {
  local name state
  while read -r name state; do
    [ "$name" != "$1" ] || {
      echo "$state"
      return
    }
  done <<<"$2"
  echo absent
}

# Wait until all services are well; show what each is doing meanwhile.
docker_wait() {
  local deadline=$((SECONDS + DOCKER_WAIT_SECONDS)) name state states line
  local before='' waiting
  while :; do
    line='' waiting='' states="$(docker_states)"
    for name in "$@"; do
      state="$(docker_state_of "$name" "$states")"
      case "$name $state" in
      # The model may come later: until then the classifier decides alone.
      'model-pull running') state="$(docker_pulling)" ;;
      *' healthy' | *' running' | *' done') state='ok' ;;
      *) waiting="$waiting $name" ;;
      esac
      line="$line  $name: $state"
    done
    docker_show "$line" "$before"
    before="$line"
    [ -n "$waiting" ] || break
    [ "$SECONDS" -lt "$deadline" ] || docker_give_up "$waiting"
    sleep 0.5
  done
  [ ! -t 1 ] || printf '\n'
}

docker_give_up() {
  local name
  for name in $1; do
    docker_compose logs --tail 20 "$name" >&2
  done
  fail "not well within $DOCKER_WAIT_SECONDS seconds:$1. The lines above are
the end of their logs. They still run; to end them:
  ./start_environment.sh --docker --stop"
}

# Print how far the model is: the last line of who fetches it.
docker_pulling() {
  local said
  said="$(docker logs --tail 1 model-pull 2>&1 | tr '\r' '\n' |
    tail -n 1 | tr -cd '[:print:]')"
  echo "${said:-begins}"
}

# Show one line in place on a terminal, and elsewhere each change.
docker_show() {
  if [ -t 1 ]; then
    printf '\r\033[K%s' "$1"
  elif [ "$1" != "$2" ]; then
    printf '%s\n' "$1"
  fi
}

# Print where this machine has the service.
docker_url() {
  echo "http://127.0.0.1:${SMOKEJUMPER_PORT:-8080}"
}

# Print the link of the first admin while there is one: it works once.
docker_setup_link() {
  local link
  link="$(docker exec api-middleware cat /state/web/setup.link 2>/dev/null)" &&
    [ -n "$link" ] || return 0
  printf '\nMake the first admin (works once):\n  %s\n' "$link"
}

docker_welcome() {
  local url
  url="$(docker_url)"
  cat <<TEXT

Smokejumper runs in containers.

  console     $url/console/incidents
  the API     $url/docs   (token: var/docker/read_token)
  simulator   http://127.0.0.1:${SIMULATOR_PORT:-8099}/
              (token: var/docker/simulator_token)
TEXT
  case "$DOCKER_CHOSEN" in
  *prometheus*)
    echo "  Prometheus  http://127.0.0.1:${PROMETHEUS_PORT:-9090}/" \
      "and Alertmanager http://127.0.0.1:${ALERTMANAGER_PORT:-9093}/"
    ;;
  *zabbix*) echo "  Zabbix      http://127.0.0.1:${ZABBIX_PORT:-8081}/" ;;
  esac
  case "$DOCKER_CHOSEN" in
  *rundeck*) echo "  Rundeck     http://127.0.0.1:${RUNDECK_PORT:-4440}/" ;;
  esac
  cat <<TEXT

Cause a fault, and see what becomes of it in the console, or by the API:
  docker exec monitoring-agent-simulator python -m simulator on cpu --for 2m
  curl -sS -H "Authorization: Bearer \$(cat var/docker/read_token)" \\
    $url/api/v1/incidents
TEXT
  docker_setup_link
  printf '\nStop them with ./start_environment.sh --docker --stop\n'
}

docker_status() {
  local states
  states="$(docker_states)"
  [ -n "$states" ] || {
    say 'No container of ours is there. Start them with' \
      './start_environment.sh --docker'
    return 3
  }
  printf '%s\n' "$states"
  [ "$(docker_state_of api-middleware "$states")" = healthy ] || return 3
  docker_setup_link
}

docker_logs() {
  local words=(--tail 200)
  [ ! -t 1 ] || words+=(--follow)
  docker_compose logs "${words[@]}"
}

docker_stop() {
  local DOCKER_CHOSEN="$DOCKER_PROFILES"
  docker_compose down --remove-orphans --timeout 30 ||
    fail 'not all could be stopped; the lines above say what.'
  say 'Stopped. The data is kept; --clean removes it, too.'
}

docker_clean() {
  local DOCKER_CHOSEN="$DOCKER_PROFILES" tag="${SMOKEJUMPER_TAG:-dev}" image
  docker_ask_first
  docker_compose down --volumes --remove-orphans --timeout 30 ||
    fail 'not all could be removed; the lines above say what.'
  for image in middleware simulator; do
    docker image rm "smokejumper/$image:$tag" >/dev/null 2>&1 || true
  done
  docker image prune --force --filter "label=$DOCKER_STAGE" >/dev/null || true
  rm -rf "$DOCKER_FOLDER"
  say 'Removed: containers, networks, data, secrets, our images. Images of' \
    'others stay; docker image rm removes them.'
}

# Nobody loses incidents by a slip.
docker_ask_first() {
  local answer=''
  [ -z "$DOCKER_YES" ] || return 0
  say 'This removes the containers with ALL their data: incidents, the' \
    'action log, models, secrets.'
  [ -t 0 ] || fail 'nobody is here to ask. Say --yes to mean it.'
  read -r -p 'Remove all of it? Type yes: ' answer
  [ "$answer" = yes ] || fail 'nothing was removed.'
}
