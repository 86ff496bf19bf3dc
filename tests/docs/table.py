"""The one table of commands that cannot be tried as they stand.

Whatever is not in it is run as the page says, and must end well. A row is a
page, how the command begins, and the way it is tried instead. A row that fits
no command fails the tests, as a command does that ends otherwise.
"""

from datetime import UTC, datetime, timedelta

from tests.docs.scene import Scene, alert
from tests.docs.ways import Changed, Elsewhere, Excused, Way, Weakly

START = "tests/flow/test_start_environment.py"
STACK = "tests/docker/test_stack.py"
ENGINE = "an engine of its own runs it"
OTHER = "the same question cannot be answered twice"
EXAMPLE = "the page has a file of the reader's in mind"


def _coming(scene: Scene) -> str:
    """Return a day to come: a window in the past is refused."""
    del scene
    return (datetime.now(UTC) + timedelta(days=7)).date().isoformat()


def _version(scene: Scene) -> str:
    """Return the version that incident 17 has now."""
    return f'"version": {scene.service.get("/incidents/17")["version"]}'


def _symptoms(scene: Scene) -> str:
    """Let incident 12 have three symptoms; return two of its episodes."""
    name = scene.service.get("/incidents/12")["target_name"]
    more = [alert(name), alert(name)]
    for number, one in enumerate(more):
        one["labels"]["alertname"] = f"Symptom{number}"
        one["fingerprint"] = f"{name}-{number}"
    scene.service.fire(*more)
    path = "/incidents/12"
    scene.service.wait_for(
        lambda: len(scene.service.get(path)["all_episodes"]) > 2
    )
    episodes = scene.service.get(path)["all_episodes"]
    return " ".join(str(one["id"]) for one in episodes[-2:])


def _elsewhere(scene: Scene) -> str:
    """Let a command work on another database, which is not there yet."""
    url = f"sqlite:///{scene.folder}/new.db"
    return f"SMOKEJUMPER_DATABASE__URL={url} .venv"


def _measured(scene: Scene) -> str:
    """Wait until the watch has measured something."""
    scene.service.wait_for(lambda: scene.service.get("/readings")["items"])
    return "series="


def _asked(scene: Scene) -> str:
    """Return an incident about which people are still asked."""
    found = scene.service.get("/approvals", state="asked", limit=1)
    return str(found["items"][0]["incident"])


def _asked_incident(scene: Scene) -> str:
    """Return it as a part of an address."""
    return f"incidents/{_asked(scene)}"


def _asked_number(scene: Scene) -> str:
    """Return it as the argument of a command."""
    return f"propose {_asked(scene)}"


def _asked_host(scene: Scene) -> str:
    """Return the host that it is about."""
    path = f"/incidents/{_asked(scene)}"
    return str(scene.service.get(path)["target_name"])


def _all_brains(scene: Scene) -> str:
    """Let all brains be asked, about a few cases, at servers that are here."""
    return f"--set cases.jsonl --brain all --url {scene.ollama.url}"


def _end_play(scene: Scene) -> None:
    """End what the simulator plays: it plays one scenario at a time."""
    ended = scene.simulator.ask("DELETE", "/api/scenarios")
    assert ended.status_code < 300, ended.text


def _play(scene: Scene) -> str:
    """Let another scenario be played."""
    _end_play(scene)
    return "play"


def _scenarios(scene: Scene) -> str:
    """Let another scenario be played, by its address."""
    _end_play(scene)
    return "scenarios/"


def _truth(scene: Scene) -> str:
    """Return the file in which the simulator has written what was true."""
    return str(scene.simulator.home / "truth.jsonl")


def _service_account(scene: Scene) -> str:
    """Return the service account, as the page has it after two people."""
    people = scene.service.get("/people")["items"]
    (found,) = (one["id"] for one in people if one["nature"] == "service")
    return f'"account": {found}'


TABLE: dict[tuple[str, str], Way] = {
    # README.md, CONTRIBUTING.md
    ("README.md", "./start_environment.sh --demo"): Elsewhere(
        "tests/e2e/test_demo.py::test_every_fault_is_fixed"
    ),
    ("README.md", "./start_environment.sh"): Elsewhere(
        f"{START}::test_it_starts_once_and_stops"
    ),
    ("README.md", "curl -sS http://127.0.0.1:8080/webhooks/"): Elsewhere(
        f"{START}::test_the_line_to_try_works"
    ),
    ("README.md", "./scripts/test.sh"): Weakly(
        "it runs this very test; scripts/stranger.sh runs it from a clone"
    ),
    ("CONTRIBUTING.md", "./scripts/test.sh"): Weakly("it runs this very test"),
    ("CONTRIBUTING.md", "./scripts/check.sh"): Excused(
        "scripts/test.sh runs it, so CI does; twice would take minutes"
    ),
    # docs/accounts.md
    ("docs/accounts.md", "python main.py people invite ana"): Changed(
        "ben is made further down, and ana nowhere",
        {"people invite ana": "people add ana --role admin"},
    ),
    (
        "docs/accounts.md",
        "curl -X POST http://127.0.0.1:8080/api/v1/tokens",
    ): Changed(
        "numbers of accounts are the reader's own",
        {'"account": 3': _service_account, '"account": 4': _service_account},
    ),
    # docs/acting.md
    ("docs/acting.md", "main.py approvals grant 4"): Changed(
        OTHER, {"grant 4": "grant 5"}
    ),
    ("docs/acting.md", "main.py approvals edit 4"): Changed(
        OTHER, {"edit 4": "edit 6"}
    ),
    ("docs/acting.md", "curl -sSN"): Changed(
        "it goes on as long as the job does", until="begun"
    ),
    ("docs/acting.md", "main.py jobs output 3 --follow"): Changed(
        "it goes on as long as the job does", {"3": "2"}, until="begun"
    ),
    ("docs/acting.md", "main.py jobs abort 3"): Changed(
        "job 3 was ended above", {"abort 3": "abort 2"}
    ),
    ("docs/acting.md", "curl -sS -X POST 127.0.0.1:8080/api/v1/incidents/5"): (
        Changed(
            "a job of incident 5 may run by now",
            {"incidents/5": _asked_incident, "web-01": _asked_host},
        )
    ),
    ("docs/acting.md", "main.py propose 5"): Changed(
        "a job of incident 5 may run by now",
        {"propose 5": _asked_number, "web-01": _asked_host},
    ),
    ("docs/acting.md", "main.py policy test --file other.yaml"): Changed(
        EXAMPLE, {"other.yaml": "policy.yaml"}
    ),
    # docs/backends.md, docs/brains.md
    ("docs/backends.md", "pip install ansible-runner"): Weakly(
        "ansible-requirements.txt pins the same, and the tests install it"
    ),
    ("docs/brains.md", "ollama serve"): Excused(
        "Ollama is a program of others; where it is, tests/real asks it"
    ),
    ("docs/brains.md", "python scripts/run_evals.py calibrate"): Weakly(
        "it asks a model some hundred times"
    ),
    ("docs/console.md", ".venv/bin/python -m scripts.picture_console"): (
        Weakly("it takes minutes of a browser")
    ),
    # docs/docker.md
    ("docs/docker.md", "./start_environment.sh --docker --status"): Elsewhere(
        f"{STACK}::test_all_are_well_and_open_to_whom_they_should"
    ),
    ("docs/docker.md", "./start_environment.sh --docker --stop"): Elsewhere(
        f"{STACK}::test_stop_leaves_the_data_and_nothing_else"
    ),
    ("docs/docker.md", "./start_environment.sh --docker --clean"): Elsewhere(
        f"{STACK}::test_clean_asks_and_then_leaves_nothing"
    ),
    ("docs/docker.md", "./start_environment.sh --docker --logs"): Elsewhere(
        f"{STACK}::test_the_logs_are_those_of_all"
    ),
    ("docs/docker.md", "./start_environment.sh --docker --profile"): Elsewhere(
        f"{STACK}::test_prometheus_sees_what_is_caused"
    ),
    ("docs/docker.md", "./start_environment.sh --docker"): Weakly(ENGINE),
    ("docs/docker.md", "docker exec monitoring-agent"): Elsewhere(
        f"{STACK}::test_a_runaway_is_ended_and_measured"
    ),
    ("docs/docker.md", "curl -sS -H"): Elsewhere(
        f"{STACK}::test_all_are_well_and_open_to_whom_they_should"
    ),
    ("docs/docker.md", "docker run --rm --entrypoint cat"): Elsewhere(
        f"{STACK}::test_the_bill_of_materials_is_in_the_image"
    ),
    ("docs/docker.md", "docker pull"): Excused("it needs a registry"),
    ("docs/docker.md", "docker inspect"): Excused("it needs a registry"),
    ("docs/docker.md", "POSTGRES_IMAGE="): Excused("it needs a registry"),
    # docs/evaluation.md
    ("docs/evaluation.md", "python scripts/run_evals.py run"): Changed(
        "all cases take minutes; a few say that it runs",
        {
            "run_evals.py run": "run_evals.py run --set cases.jsonl",
            "--set FILE_OR_FOLDER": "",
        },
    ),
    ("docs/evaluation.md", "python scripts/run_evals.py run --set own"): (
        Changed("people have corrected nothing here", {"own": "cases"})
    ),
    ("docs/evaluation.md", "python scripts/run_evals.py run --brain all"): (
        Changed(
            "it asks all models of the settings, and an Ollama",
            {"--brain all": _all_brains},
        )
    ),
    ("docs/evaluation.md", "python scripts/run_evals.py compare"): Changed(
        EXAMPLE, {"var/evals/before": "var/evals/today"}
    ),
    ("docs/evaluation.md", "python scripts/run_evals.py import-log"): Changed(
        "the case lies with the service, as the page says further down",
        {"--to": "--service http://127.0.0.1:8080 --to"},
    ),
    ("docs/evaluation.md", "python scripts/run_evals.py calibrate"): Weakly(
        "it asks a model some hundred times"
    ),
    # docs/hands.md
    ("docs/hands.md", "useradd --system"): Excused(
        "it adds users to this machine"
    ),
    ("docs/hands.md", "install -d"): Excused("it writes to /etc"),
    ("docs/hands.md", "journalctl"): Excused("it needs systemd"),
    # docs/incidents.md
    ("docs/incidents.md", "curl -X POST"): Changed(
        "the version is the one that the reader saw",
        {'"version": 5': _version},
    ),
    ("docs/incidents.md", "main.py ack 17"): Changed(OTHER, {"17": "16"}),
    ("docs/incidents.md", "main.py correct 17"): Changed(
        "it was merged into 12 two columns before", {"17": "12"}
    ),
    ("docs/incidents.md", "main.py split 12"): Changed(
        "numbers of episodes are the reader's own", {"31 32": _symptoms}
    ),
    # docs/monitoring.md
    ("docs/monitoring.md", "export ZABBIX_TOKEN"): Excused("a secret"),
    ("docs/monitoring.md", "GRAFANA_TOKEN=... .venv/bin/python"): Weakly(
        "tests/unit/scripts runs it against a stand-in of Grafana"
    ),
    ("docs/monitoring.md", ".venv/bin/python -m scripts.tune_rules"): Changed(
        "it writes to /etc",
        {"/etc/prometheus/smokejumper.rules.yml": "rules.yml"},
    ),
    ("docs/monitoring.md", "promtool test rules"): Elsewhere(
        "tests/unit/scripts/test_monitoring.py"
        "::test_the_rules_say_what_their_tests_say"
    ),
    ("docs/monitoring.md", ".venv/bin/python -m scripts.setup_"): Weakly(
        "tests/unit/scripts and tests/real run it against Zabbix"
    ),
    # docs/mutes.md
    ("docs/mutes.md", "curl -sS http://127.0.0.1:8080/api/v1/mutes"): Changed(
        "a window in the past is refused", {"2026-11-22": _coming}
    ),
    ("docs/mutes.md", "python main.py mute add"): Changed(
        "a window in the past is refused", {"2026-11-22": _coming}
    ),
    ("docs/mutes.md", "curl -sS -X DELETE"): Changed(
        "it is the first one here", {"mutes/3": "mutes/1"}
    ),
    ("docs/mutes.md", "python main.py mute end 3"): Changed(
        "it is the second one here", {"end 3": "end 2"}
    ),
    # docs/operations.md
    ("docs/operations.md", "./start_environment.sh &&"): Elsewhere(
        f"{START}::test_it_starts_once_and_stops"
    ),
    ("docs/operations.md", ".venv/bin/python main.py serve"): Elsewhere(
        "tests/flow/test_first_light.py"
        "::test_an_alert_is_accepted_once_and_listed"
    ),
    ("docs/operations.md", ".venv/bin/python main.py backup"): Changed(
        EXAMPLE, {"/backups/": ""}
    ),
    ("docs/operations.md", ".venv/bin/python main.py restore"): Changed(
        "it needs an empty place, and the service has its own",
        {
            ".venv": _elsewhere,
            "/backups/": "",
        },
    ),
    # docs/performance.md, docs/reflex.md, docs/results.md
    ("docs/performance.md", "bench/run.sh"): Weakly("it measures for hours"),
    ("docs/reflex.md", ".venv/bin/python main.py reflex train"): Elsewhere(
        "tests/unit/cli/test_reflex.py::test_training_learns_what_people_said"
    ),
    ("docs/results.md", "E2E_FOLDER="): Elsewhere(
        "tests/e2e/test_prometheus.py::test_each_fault_is_found_and_fixed"
    ),
    ("docs/results.md", ".venv/bin/python -m scripts.picture_demo"): (
        Weakly("it takes a browser and a minute")
    ),
    ("docs/results.md", "./start_environment.sh --demo"): Elsewhere(
        "tests/e2e/test_demo.py::test_every_fault_is_fixed"
    ),
    # docs/simulation.md, docs/simulator.md
    ("docs/simulation.md", "TESTS=all"): Elsewhere(
        "tests/simulation/test_histories.py::test_no_history_breaks_a_law"
    ),
    ("docs/simulation.md", "python -m scripts.simulate --plots"): Elsewhere(
        "tests/simulation/test_plots.py"
        "::test_a_crash_at_any_point_breaks_no_law"
    ),
    ("docs/simulation.md", "python -m scripts.simulate --seeds 5000"): (
        Weakly("5,000 take minutes; CI plays 300")
    ),
    ("docs/simulation.md", "python -m scripts.simulate --from 5000"): (
        Weakly("a thousand take minutes; CI plays 300")
    ),
    ("docs/simulator.md", "python -m simulator play noisy-neighbour"): Changed(
        "what is played above goes on", {"play": _play}
    ),
    ("docs/simulator.md", "curl -X POST http://127.0.0.1:8099/api/"): Changed(
        "what is played above goes on", {"scenarios/": _scenarios}
    ),
    ("docs/simulator.md", "python -m simulator score --since"): Changed(
        "the service has another port here",
        {"--since": "--url http://127.0.0.1:8080 --since"},
    ),
    ("docs/simulator.md", "python -m simulator score --truth"): Changed(
        EXAMPLE, {"truth.jsonl": _truth}
    ),
    ("docs/simulator.md", "python -m simulator serve"): Elsewhere(
        "tests/unit/simulator/test_commands.py"
        "::test_a_fault_is_switched_on_and_off"
    ),
    # docs/sources.md, docs/stream.md, docs/watch.md
    ("docs/sources.md", ".venv/bin/python main.py replay [--source"): Changed(
        "the marks say what may be left out",
        {"[--source NAME] [--delivery ID]": "--source alertmanager"},
    ),
    ("docs/stream.md", "curl -N"): Changed(
        "it goes on for ever", until="event: incident.opened"
    ),
    ("docs/watch.md", "curl 'http://127.0.0.1:8080/api/v1/readings"): Changed(
        "the watch has only just begun", {"series=": _measured}
    ),
    ("docs/watch.md", ".venv/bin/python main.py watch --to"): Changed(
        "it goes on for ever",
        {"http://10.1.2.3:8080": "http://127.0.0.1:8080"},
        until="watch.",
    ),
}
