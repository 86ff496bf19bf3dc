"""The units that we ship, under a real systemd, journald, D-Bus and polkit.

They are set up as docs/hands.md and docs/restarting.md say it: users, files,
the rule for polkit. A service dies or hangs; it is found, restarted by the
hands, which are not root, and measured. What is not allowed is left alone.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from app.watch.settings import Thresholds
from scripts.demo.following import Follower
from tests.programs import free_port
from tests.real.booted import HOME, Booted
from tests.real.waiting import wait_for
from tests.unit.act.local.test_polkit import RULE

pytestmark = pytest.mark.real

Row = dict[str, Any]
HANDS, WEB = "smokejumper-hands", "smokejumper"
SOCKET = "/run/smokejumper-hands/hands.sock"
USERS = re.compile(r"```sh\n(   useradd.*?)   ```", re.S)
# Answers its page until it is told to hang: then it lives on, answers nobody,
# and does not end when it is told to.
PAGE = """
import contextlib, signal, socket, sys, time

def hang(*_):
    print("it hangs", flush=True)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)

signal.signal(signal.SIGUSR1, hang)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as door:
    print("it answers", flush=True)
    while True:
        caller, _ = door.accept()
        with caller, contextlib.suppress(OSError):
            caller.recv(4096)
            caller.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n")
"""
SLEEP = "ExecStart=/usr/bin/sleep 9999"
SERVICES = {
    "shop": SLEEP,
    "bakery": SLEEP,
    "burstd": SLEEP,
    "brokend": "ExecStart=/usr/bin/false",
    "loopd": "Restart=on-failure\nRestartSec=0\nExecStart=/usr/bin/false",
    "paged": "TimeoutStopSec=1\nExecStart=/usr/bin/python3 /opt/paged.py PORT",
}
LIMITS = {"burstd": "StartLimitBurst=2\nStartLimitIntervalSec=1h\n"}
# What polkit lets the hands restart: all of them but the bakery.
LET = [f"{name}.service" for name in SERVICES if name != "bakery"]
QUICK = {"hold_seconds": 3, "within_seconds": 30, "every_seconds": 1,
         "cooldown_seconds": 0}  # fmt: skip
POLICY = {
    "trust": {
        "ladder": [
            {"risk": "observe", "mode": "auto"},
            {"environment": "test", "mode": "auto", "unsure": "run"},
        ],
        "otherwise": "approve",
    }
}
INVENTORY = {
    "hosts": {
        "web-1": {
            "environment": "test",
            "services": {
                name: {"actions": ["restart_service"]} for name in SERVICES
            },
        }
    }
}
ACT = """
import json, sys
from app.core.daemons import Daemons
from app.core.errors import OutgoingFailed
from app.core.host import HostSettings
daemons = Daemons(HostSettings())
try:
    after = daemons.restart(sys.argv[1], 5)
    print(json.dumps({"says": after.says, "tail": daemons.tail(after)}))
except OutgoingFailed as error:
    print(json.dumps({"why": type(error).__name__, "says": str(error)}))
"""


class Ports(NamedTuple):
    """Where there is an answer: of the service, and of the page."""

    service: int
    page: int


def make_service(ports: Ports) -> dict[str, Any]:
    """Return the settings of the web process."""
    page = f"http://127.0.0.1:{ports.page}/"
    return {
        "server": {"port": ports.service},
        "database": {"url": "sqlite:////var/lib/smokejumper/smokejumper.db"},
        "inventory": {"file": "/etc/smokejumper/inventory.yaml"},
        "policy": {
            "file": "/etc/smokejumper/policy.yaml",
            "halt_file": "/var/lib/smokejumper/HALT",
        },
        # What comes later is another incident.
        "incidents": {"again_seconds": 1, "together_seconds": 1},
        "decide": {"settle_seconds": 0.2, "rest_seconds": 1},
        "act": {"poll_seconds": 0.2, "change": {"restart_service": QUICK}},
        "backends": {
            "local": {
                "socket": SOCKET,
                "allow": ["collect-diagnostics", "restart-service"],
            }
        },
        "host": {"names": ["web-1"]},
        "watch": {
            "enabled": True,
            "host": "web-1",
            "every_seconds": 1,
            "services": {
                "shop": {},
                "paged": {"url": page, "timeout_seconds": 1},
            },
            "thresholds": {
                # A pause of the machine, or whatever else strikes all of it,
                # would be the first thing that is wrong with that host.
                **{key: {"enabled": False} for key in Thresholds.model_fields},
                "service": {"limit": 1, "for_seconds": 2, "clear_seconds": 1},
            },
        },
        "access": {"open": "always"},
        "sources": {
            "watch": {"type": "alertmanager", "auth": {"kind": "none"}}
        },
    }


def make_hands() -> dict[str, Any]:
    """Return the settings of the hands, as the page shows them."""
    page = (HOME / "docs" / "hands.md").read_text()
    found = re.search(
        r"```yaml\n(   backends:.*?deeds: .*?)   ```", page, re.S
    )
    assert found is not None, "docs/hands.md shows no settings"
    tree: dict[str, Any] = yaml.safe_load(found[1])
    assert tree["backends"]["local"]["socket"] == SOCKET
    tree["backends"]["local"]["deeds"] = {
        "restart-service": {"services": ["*"], "wait_seconds": 5}
    }
    tree["host"]["names"] = ["web-1"]
    return tree


def make_rule() -> str:
    """Return the rule for polkit that we document, for our units."""
    page = (HOME / "docs" / "restarting.md").read_text()
    found = RULE.search(page)
    assert found is not None, "docs/restarting.md shows no rule"
    units = f"var units = {json.dumps(LET)};"
    rule, changed = re.subn(r"var units = .*?;", units, found[1])
    assert changed == 1
    return rule


def set_up(machine: Booted, ports: Ports) -> None:
    """Do what the documents tell an administrator to do."""
    page = (HOME / "docs" / "hands.md").read_text()
    users = USERS.search(page)
    assert users is not None, "docs/hands.md makes no users"
    machine.run("sh", "-euc", users[1])
    machine.run("usermod", "--append", "--groups", "systemd-journal", HANDS)
    for name, tree in (
        ("smokejumper", make_service(ports)),
        ("hands", make_hands()),
        ("policy", POLICY),
        ("inventory", INVENTORY),
    ):
        machine.write(f"/etc/smokejumper/{name}.yaml", yaml.safe_dump(tree))
    machine.write("/etc/polkit-1/rules.d/50-smokejumper.rules", make_rule())
    units, own = Path("/etc/systemd/system"), Path("/lib/systemd/system")
    for name in (HANDS, WEB):
        unit = (HOME / "host" / f"{name}.service").read_text()
        machine.write(str(units / f"{name}.service"), unit)
    machine.write("/opt/paged.py", PAGE)
    for name, what in SERVICES.items():
        told = what.replace("PORT", str(ports.page))
        unit = (
            f"[Unit]\n{LIMITS.get(name, '')}"
            f"[Service]\n{told}\n[Install]\nWantedBy=multi-user.target\n"
        )
        machine.write(str(own / f"{name}.service"), unit)
    # Whoever tried it first, as root, has left what nobody else may see.
    machine.run("install", "-d", "-m", "0700", "/opt/smokejumper/var")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "enable", "--now", *SERVICES)
    machine.run("systemctl", "enable", "--now", HANDS, WEB)


@pytest.fixture(scope="module")
def ports() -> Ports:
    """Return where there is an answer."""
    return Ports(free_port(), free_port())


@pytest.fixture(scope="module")
def machine(ports: Ports) -> Iterator[Booted]:
    """Return a machine on which everything of ours runs."""
    with Booted() as found:
        set_up(found, ports)
        try:
            wait_for("service", lambda: is_ready(found, ports.service))
        except AssertionError as error:
            said = "".join(found.journal(one) for one in (WEB, HANDS))
            raise AssertionError(f"{error}\n{said[-5000:]}") from error
        yield found


@pytest.fixture
def follower(ports: Ports) -> Iterator[Follower]:
    """Return who follows what comes from now on."""
    url = f"http://127.0.0.1:{ports.service}"
    with closing(Follower(url)) as found:
        found.begin()
        yield found


def is_ready(machine: Booted, port: int) -> bool:
    """Tell whether the service writes and reads."""
    url = f"http://127.0.0.1:{port}/ready"
    words = ("curl", "--silent", "--fail", url)
    return machine.run(*words, check=False).returncode == 0


def restart(machine: Booted, name: str, user: str = HANDS) -> dict[str, Any]:
    """Return what comes of it when a user of that machine restarts it."""
    python = "/opt/smokejumper/.venv/bin/python"
    done = machine.run(
        *("runuser", "--user", user, "--", python, "-c", ACT, name)
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def follow(follower: Follower, service: str) -> Row:
    """Return the job about a service that is told of, with its verdict."""
    alert = follower.find_alert({"service": service})
    incident = int(alert.row["incident_id"])
    decision = follower.find_decision(incident)
    said = json.dumps(decision.row)
    assert decision.row["action"] == "restart_service", said
    job = follower.find_job(incident)
    found = follower.find_verdict(int(job.row["id"])).row
    wait_for("end of it", lambda: follower.is_over(incident))
    return found


def kill(machine: Booted, name: str) -> str:
    """Kill the main process of a unit; return which run that was."""
    run = machine.show(name, "InvocationID")
    machine.run("systemctl", "kill", "--signal=KILL", name)
    wait_for(
        "dead unit", lambda: machine.show(name, "ActiveState") == "failed"
    )
    return run


def test_the_shipped_units_run_as_their_own_users(machine: Booted) -> None:
    """Neither is root, and the hands say what they may do."""
    for name in (WEB, HANDS):
        assert machine.show(name, "SubState") == "running"
        assert machine.show(name, "NRestarts") == "0"
        pid = machine.show(name, "MainPID")
        owner = machine.run("stat", "--format=%U", f"/proc/{pid}").stdout
        assert owner.strip() == name
    assert "hands.started" in machine.journal(HANDS)


def test_a_dead_service_is_found_restarted_and_measured(
    machine: Booted, follower: Follower
) -> None:
    """The watch misses it, the hands restart it by polkit's leave: fixed."""
    dead = kill(machine, "shop")
    job = follow(follower, "shop")
    assert (job["state"], job["verdict"]) == ("succeeded", "fixed"), job
    before, after = job["before"][-1], job["after"][-1]
    assert (before["check"], before["value"]) == ("service_is_active", 0.0)
    assert (after["check"], after["value"]) == ("service_is_active", 1.0)
    assert machine.show("shop", "SubState") == "running"
    assert machine.show("shop", "InvocationID") != dead


def test_a_service_that_hangs_is_fixed_when_its_alert_is_over(
    machine: Booted, follower: Follower
) -> None:
    """It runs all the while, so that it runs does not say that it helped."""
    hung = machine.show("paged", "InvocationID")
    machine.run("systemctl", "kill", "--signal=USR1", "paged")
    job = follow(follower, "paged")
    assert (job["state"], job["verdict"]) == ("succeeded", "fixed"), job
    before, after = job["before"][-1], job["after"][-1]
    assert (before["check"], before["value"]) == ("service_is_active", 1.0)
    assert (after["check"], after["value"]) == ("alert_is_over", 0.0)
    assert "service_is_active was good before" in after["says"]
    assert machine.show("paged", "InvocationID") != hung
    assert "it hangs" in machine.journal("paged")


def test_polkit_lets_only_the_hands_and_only_what_is_listed(
    machine: Booted,
) -> None:
    """Whoever else asks, or for another unit, is refused by polkit itself."""
    runs = {name: machine.show(name, "InvocationID") for name in SERVICES}
    for name, user in (("bakery", HANDS), ("shop", WEB), ("shop", "nobody")):
        found = restart(machine, name, user)
        assert found["why"] == "NotAccepted", (name, user, found)
        assert "systemd does not let us restart" in found["says"]
    for verb in ("stop", "kill", "disable", "mask"):
        done = machine.run(
            *("runuser", "--user", HANDS, "--", "systemctl", verb),
            *("--no-ask-password", "shop.service"),
            check=False,
        )
        assert done.returncode != 0, (verb, done)
    now = {name: machine.show(name, "InvocationID") for name in SERVICES}
    assert now == runs
    assert machine.show("shop", "UnitFileState") == "enabled"


def test_what_is_restarted_is_another_run_with_its_log(
    machine: Booted,
) -> None:
    """The hands read the journal without being root."""
    first = machine.show("shop", "InvocationID")
    found = restart(machine, "shop")
    assert "shop.service is active (running)" in found["says"], found
    assert "Started shop.service" in "".join(found["tail"])
    assert machine.show("shop", "InvocationID") != first


def test_what_does_not_stay_up_is_no_success(machine: Booted) -> None:
    """It was restarted, and systemd says that it failed."""
    found = restart(machine, "brokend")
    assert found["why"] == "OutgoingFailed", found
    assert "does not stay up: brokend.service is failed" in found["says"]


def test_a_start_limit_is_never_run_into(machine: Booted) -> None:
    """It would be left stopped; and the limit is never reset."""
    found = restart(machine, "burstd")
    assert found["why"] == "NotAccepted", found
    assert "would reach its start limit" in found["says"]


def test_what_systemd_gave_up_is_for_people(machine: Booted) -> None:
    """It failed at each of five starts: a sixth one helps nobody."""
    wait_for(
        "unit that is given up",
        lambda: machine.show("loopd", "ActiveState") == "failed",
    )
    found = restart(machine, "loopd", "root")
    assert found["why"] == "NotAccepted", found
    assert "was given up by systemd" in found["says"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("stop bakery", "somebody stopped it"),
        ("mask --now bakery", "is masked"),
        ("disable --now bakery", "somebody switched it off"),
    ],
)
def test_what_somebody_wants_down_stays_down(
    machine: Booted, words: str, why: str
) -> None:
    """Their hand comes first."""
    machine.run("systemctl", *words.split())
    found = restart(machine, "bakery", "root")
    assert found["why"] == "NotAccepted", found
    assert why in found["says"]
    machine.run("systemctl", "unmask", "bakery")
    machine.run("systemctl", "enable", "--now", "bakery")
