"""Our incidents say what the real Zabbix's own list of problems says."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest

from app.models.alert import to_severity
from tests.beliefs import BeliefBook
from tests.real import zabbix_api as zapi
from tests.real.waiting import wait_for
from tests.real.zabbix import ZONE, Zabbix
from tests.service import Service

pytestmark = pytest.mark.real
TOKEN = "zabbix-token"
STORIES = ("again", "acked", "graver", "shut", "flap")
FIVE = ("cpu", "disk", "load", "memory", "swap")
SICK = "lab-sick"
FLAPPING = {"changes": 4, "within_seconds": 600, "calm_seconds": 4}
SETTINGS = {
    "incidents": {"flapping": FLAPPING},
    "sources": {
        "zabbix": {
            "auth": {"kind": "bearer", "secrets": [TOKEN]},
            "options": {"timezone": ZONE},
        }
    },
}


class Lab(NamedTuple):
    """A Zabbix with a host for each story, telling one service."""

    zabbix: Zabbix
    book: BeliefBook
    admin: zapi.ZabbixApi
    operator: zapi.ZabbixApi
    triggers: dict[str, str]

    def fire(self, key: str, host: str = "") -> None:
        """Let a trigger fire."""
        self.zabbix.send(host or f"lab-{key}", (key, 97))

    def heal(self, key: str, host: str = "") -> None:
        """Let what a trigger looks at be well again."""
        self.zabbix.send(host or f"lab-{key}", (key, 5))

    def problems(self, *keys: str) -> list[dict[str, Any]]:
        """Return the problems that Zabbix shows for triggers."""
        found: list[dict[str, Any]] = self.admin.call(
            "problem.get", objectids=[self.triggers[key] for key in keys]
        )
        return found

    def agrees(self, state: str, *keys: str) -> bool:
        """Tell whether both say the same of triggers, and that state."""
        shown = self.problems(*keys)
        names = [zapi.problem_name(key) for key in keys]
        firing = set().union(*(self.book.firing(name=n) for n in names))
        if firing != {problem["eventid"] for problem in shown}:
            return False
        incident = self.incident(keys[0])
        if incident.get("state") != state:
            return False
        return not shown or self._agrees_in_detail(incident, shown)

    def _agrees_in_detail(
        self, incident: dict[str, Any], shown: list[dict[str, Any]]
    ) -> bool:
        """Tell whether severity and acknowledgement are those shown."""
        worst = max(int(problem["severity"]) for problem in shown)
        word = "Not classified,Information,Warning,Average,High,Disaster"
        severity = to_severity(word.split(",")[worst]).value
        is_acked = any(int(problem["acknowledged"]) for problem in shown)
        return bool(
            incident["severity"] == severity
            and bool(incident["acknowledged_by"]) == is_acked
        )

    def incident(self, key: str) -> dict[str, Any]:
        """Return the incident of a trigger's problems."""
        return self.book.incident(name=zapi.problem_name(key))

    def wait_until(self, state: str, *keys: str) -> dict[str, Any]:
        """Return the incident once both say the same of it."""
        wait_for(f"{keys} {state}", lambda: self.agrees(state, *keys))
        return self.incident(keys[0])

    def event(self, key: str) -> str:
        """Return the id of the problem that a trigger has now."""
        return str(self.problems(key)[0]["eventid"])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return a running Zabbix whose first problems are on their way."""
    zabbix = Zabbix(tmp_path_factory.mktemp("zabbix-page"))
    service = Service(tmp_path_factory.mktemp("agreeing"), SETTINGS)
    with ExitStack() as running:
        running.enter_context(service)
        running.enter_context(zabbix)
        admin = zabbix.log_in()
        triggers = _add_hosts(admin)
        media_type = zapi.add_media_type(admin, "Smokejumper", TOKEN, 5)
        zapi.add_operator(admin)
        url = f"{service.url}/webhooks/zabbix"
        zapi.tell_admin(admin, {media_type: url})
        zabbix.start_server()
        book = BeliefBook(service.database)
        running.callback(book.close)
        operator = zabbix.log_in(zapi.OPERATOR)
        made = Lab(zabbix, book, admin, operator, triggers)
        for key in STORIES:
            made.fire(key)
        for key in FIVE:
            made.fire(key, SICK)
        yield made


def _add_hosts(admin: zapi.ZabbixApi) -> dict[str, str]:
    """Return the triggers by key: a host each, and five on one host."""
    triggers = {}
    for key in STORIES:
        name = f"lab-{key}"
        host = {"id": zapi.add_host(admin, name, f"Lab {key}"), "host": name}
        triggers[key] = zapi.add_trigger(admin, host, key)
    sick = {"id": zapi.add_host(admin, SICK, "Lab sick"), "host": SICK}
    for key in FIVE:
        triggers[key] = zapi.add_trigger(admin, sick, key)
    return triggers


def _events(lab: Lab, key: str) -> set[str]:
    """Return the fingerprints under which a problem is known here."""
    rows = lab.book.episodes(name=zapi.problem_name(key))
    return {row["fingerprint"] for row in rows}


def test_one_sick_host_is_one_incident(lab: Lab) -> None:
    """Five problems there are one incident here, until the last is over."""
    incident = lab.wait_until("open", *FIVE)
    rows = [
        row
        for key in FIVE
        for row in lab.book.episodes(name=zapi.problem_name(key))
    ]
    assert {row["incident_id"] for row in rows} == {incident["id"]}
    assert len(rows) == 5
    assert incident["target_name"] == SICK
    for key in FIVE[1:]:
        lab.heal(key, SICK)
    wait_for("four ends", lambda: len(lab.problems(*FIVE)) == 1)
    lab.wait_until("open", *FIVE)
    lab.heal(FIVE[0], SICK)
    lab.wait_until("resolved", *FIVE)


def test_a_problem_that_comes_again(lab: Lab) -> None:
    """Its new event is the same incident, open again."""
    incident = lab.wait_until("open", "again")
    lab.zabbix.hurry(lab.event("again"))
    lab.heal("again")
    assert lab.wait_until("resolved", "again")["reason"] == ""
    lab.fire("again")
    wait_for("event", lambda: lab.problems("again"))
    assert lab.wait_until("open", "again")["id"] == incident["id"]
    assert len(_events(lab, "again")) == 2


def test_an_acknowledgement_is_the_incidents(lab: Lab) -> None:
    """Who acknowledges there is named here; nothing else is changed."""
    lab.wait_until("open", "acked")
    lab.operator.acknowledge(
        lab.event("acked"),
        zapi.ACKNOWLEDGE | zapi.SAY,
        message="I look at it",
    )
    wait_for("ack", lambda: int(lab.problems("acked")[0]["acknowledged"]))
    incident = lab.wait_until("open", "acked")
    assert "Olga On-Call" in incident["acknowledged_by"]


def test_a_change_of_severity_is_the_incidents(lab: Lab) -> None:
    """What an operator makes of it there, it is here."""
    assert lab.wait_until("open", "graver")["severity"] == "error"
    lab.operator.acknowledge(lab.event("graver"), zapi.SEVERITY, severity=5)
    wait_for("disaster", lambda: lab.problems("graver")[0]["severity"] == "5")
    assert lab.wait_until("open", "graver")["severity"] == "critical"


def test_what_is_closed_by_hand_is_resolved(lab: Lab) -> None:
    """An operator closes it there; it is over here."""
    lab.wait_until("open", "shut")
    lab.operator.acknowledge(
        lab.event("shut"), zapi.CLOSE | zapi.SAY, message="replaced it"
    )
    wait_for("close", lambda: not lab.problems("shut"))
    incident = lab.wait_until("resolved", "shut")
    assert incident["reason"] == ""


@pytest.fixture(scope="module")
def flapped(lab: Lab) -> int:
    """Return the incident of a problem that came and went three times."""
    incident: int = lab.wait_until("open", "flap")["id"]
    for _ in range(2):
        lab.heal("flap")
        wait_for("end", lambda: not lab.problems("flap"))
        lab.fire("flap")
        wait_for("problem", lambda: lab.problems("flap"))
    lab.heal("flap")
    wait_for("end", lambda: not lab.problems("flap"))
    lab.wait_until("suppressed", "flap")
    return incident


def test_what_comes_and_goes_is_one_incident(lab: Lab, flapped: int) -> None:
    """Each time is another event there; here it is the same incident."""
    wait_for("three events", lambda: len(_events(lab, "flap")) == 3)
    assert lab.incident("flap")["id"] == flapped


def test_what_comes_and_goes_is_flapping(lab: Lab, flapped: int) -> None:
    """It is held back while it flaps."""
    assert "incident.suppressed" in lab.book.log(flapped)
