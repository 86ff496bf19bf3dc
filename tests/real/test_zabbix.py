"""What the real Zabbix server says is stored as it means it."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from tests.real import zabbix_api as zapi
from tests.real.listing import Listing
from tests.real.waiting import wait_for
from tests.real.zabbix import ZONE, Zabbix
from tests.service import Service

pytestmark = pytest.mark.real
TOKEN = "zabbix-token"
HOST = "lab-db-01"
STORIES = ("seen", "acked", "worse", "over", "closed", "steps")
SILENT = "unheard"
REFUSED = "smokejumper_deliveries_refused_total"
SETTINGS = {
    "sources": {
        "zabbix": {
            "auth": {"kind": "bearer", "secrets": [TOKEN]},
            "options": {"timezone": ZONE},
        }
    }
}


class Lab(NamedTuple):
    """A Zabbix with one host, telling one service."""

    zabbix: Zabbix
    service: Service
    listing: Listing
    admin: zapi.ZabbixApi
    operator: zapi.ZabbixApi
    triggers: dict[str, str]
    media_types: tuple[str, str]

    def event(self, key: str) -> dict[str, Any]:
        """Return the problem of a key, once Zabbix sees it."""
        found = wait_for(
            f"event of {key}",
            lambda: self.admin.find_event(self.triggers[key]),
        )
        assert found is not None
        return found

    def alert(self, key: str, status: str = "firing") -> dict[str, Any]:
        """Return the one alert of a status, once it is listed."""
        name = zapi.problem_name(key)
        return self.listing.wait_for_alert(name=name, status=status)

    def fire(self, *keys: str) -> None:
        """Let triggers fire."""
        self.zabbix.send(HOST, *((key, 97) for key in keys))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return a running Zabbix whose problems are on their way."""
    zabbix = Zabbix(tmp_path_factory.mktemp("zabbix"))
    service = Service(tmp_path_factory.mktemp("for-zabbix"), SETTINGS)
    with ExitStack() as running:
        running.enter_context(service)
        running.enter_context(zabbix)
        admin = zabbix.log_in()
        host_id = zapi.add_host(admin, HOST, "Lab DB 01 (primary)")
        host = {"id": host_id, "host": HOST}
        triggers = {
            key: zapi.add_trigger(admin, host, key)
            for key in (*STORIES, SILENT)
        }
        right = zapi.add_media_type(admin, "Smokejumper", TOKEN, 30)
        wrong = zapi.add_media_type(admin, "Stranger", "wrong", 1)
        url = f"{service.url}/webhooks/zabbix"
        zapi.add_operator(admin)
        zapi.tell_admin(admin, {right: url, wrong: url})
        zabbix.start_server()
        operator = zabbix.log_in(zapi.OPERATOR)
        listing = Listing(service.url)
        made = Lab(
            zabbix, service, listing, admin, operator, triggers,
            (right, wrong),
        )  # fmt: skip
        made.fire(*STORIES)
        yield made


def test_a_problem_is_an_alert(lab: Lab) -> None:
    """Host, tags, severity, times and odd characters arrive as they are."""
    alert = lab.alert("seen")
    event = lab.event("seen")
    began = datetime.fromtimestamp(int(event["clock"]), UTC)
    sent = json.loads(lab.listing.body(alert["delivery_id"]))
    assert alert["fingerprint"] == event["eventid"]
    assert alert["severity"] == "error"
    assert alert["labels"]["severity"] == "High"
    assert alert["labels"]["host"] == HOST
    assert alert["labels"]["host_name"] == "Lab DB 01 (primary)"
    assert alert["labels"]["trigger_id"] == lab.triggers["seen"]
    assert alert["labels"]["service"] == "postgres"
    assert alert["labels"]["scope"] == "capacity"
    assert datetime.fromisoformat(alert["starts_at"]) == began
    assert sent["event_name"] == zapi.problem_name("seen")
    assert TOKEN not in sent.values()
    assert "smokejumper_secret" not in sent


def test_a_wrong_token_stores_nothing(lab: Lab) -> None:
    """Zabbix is told 401, keeps the error, and nothing of it is stored."""
    event = lab.event("seen")
    _, wrong = lab.media_types
    found = wait_for(
        "refused message",
        lambda: [
            message
            for message in lab.admin.messages(event["eventid"], wrong)
            if "401" in message["error"]
        ],
    )
    labels = {"source": "zabbix", "reason": "wrong_secret"}
    assert "wrong_secret" in found[0]["error"]
    assert lab.listing.metric(REFUSED, **labels) >= 1
    alert = lab.alert("seen")
    assert alert["repeats"] == 0
    assert lab.listing.delivery_of(alert)["repeats"] == 0


def test_an_acknowledgement_is_an_update(lab: Lab) -> None:
    """What an operator says is kept with who said it."""
    firing = lab.alert("acked")
    said = "I look at it \"now\"\nand 'é'"
    lab.operator.acknowledge(
        firing["fingerprint"], zapi.ACKNOWLEDGE | zapi.SAY, message=said
    )
    updated = lab.alert("acked", "updated")
    assert updated["fingerprint"] == firing["fingerprint"]
    notes = updated["annotations"]
    assert notes["update_message"].replace("\r\n", "\n") == said
    assert "Olga On-Call" in notes["update_user"]
    assert "acknowledged" in notes["update_action"]


def test_a_change_of_severity_is_an_update(lab: Lab) -> None:
    """The update carries the new severity, the problem keeps its own."""
    firing = lab.alert("worse")
    lab.operator.acknowledge(firing["fingerprint"], zapi.SEVERITY, severity=5)
    updated = lab.alert("worse", "updated")
    assert updated["labels"]["severity"] == "Disaster"
    assert updated["severity"] == "critical"
    assert lab.alert("worse")["severity"] == "error"


def test_a_recovery_resolves_the_same_problem(lab: Lab) -> None:
    """The end has the fingerprint and the start of the problem."""
    firing = lab.alert("over")
    lab.zabbix.send(HOST, ("over", 5))
    resolved = lab.alert("over", "resolved")
    assert resolved["fingerprint"] == firing["fingerprint"]
    assert resolved["starts_at"] == firing["starts_at"]
    assert resolved["ends_at"] >= resolved["starts_at"]


def test_a_manual_close_resolves_too(lab: Lab) -> None:
    """An operator's closing is told as an update and as the end."""
    firing = lab.alert("closed")
    lab.operator.acknowledge(
        firing["fingerprint"], zapi.CLOSE | zapi.SAY, message="replaced it"
    )
    resolved = lab.alert("closed", "resolved")
    updated = lab.alert("closed", "updated")
    assert resolved["fingerprint"] == firing["fingerprint"]
    assert updated["fingerprint"] == firing["fingerprint"]
    assert "closed" in updated["annotations"]["update_action"]


def test_the_next_step_of_an_escalation_is_a_repeat(lab: Lab) -> None:
    """Other bytes, the same problem: counted, no second alert."""
    firing = lab.alert("steps")
    lab.zabbix.hurry(firing["fingerprint"])
    wait_for("repeat", lambda: lab.alert("steps")["repeats"])
    deliveries = [
        row
        for row in lab.listing.deliveries()
        if row["repeated"] and not row["accepted"]
    ]
    steps = [
        row
        for row in deliveries
        if json.loads(lab.listing.body(row["id"]))["event_id"]
        == firing["fingerprint"]
    ]
    assert len(steps) == 1
    assert steps[0]["id"] != firing["delivery_id"]


def test_a_killed_service_gets_the_problem_after_its_start(lab: Lab) -> None:
    """What Zabbix could not deliver comes by its own retry, once."""
    known = lab.listing.alerts()
    right, _ = lab.media_types
    lab.service.kill()
    lab.fire(SILENT)
    event = lab.event(SILENT)
    wait_for(
        "failed try",
        lambda: any(
            int(message["retries"])
            for message in lab.admin.messages(event["eventid"], right)
        ),
    )
    lab.service.start()
    alert = lab.alert(SILENT)
    assert alert["fingerprint"] == event["eventid"]
    assert {row["id"] for row in known} < {
        row["id"] for row in lab.listing.alerts()
    }
