"""What comes in is decided on, as a user sees it over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flow.deciding import DecidingService, firing
from tests.unit.core.test_spans import Collector


@pytest.fixture(scope="module")
def node(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[DecidingService]:
    """Return a service that decides at once; tests add to it."""
    with DecidingService(tmp_path_factory.mktemp("node")) as running:
        yield running


def counts(node: DecidingService) -> tuple[int, int]:
    """Return how many decisions and lines of the log there are."""
    query = {"count": "exact", "limit": 1}
    return (
        node.get("/decisions", **query)["count"]["value"],
        node.get("/log", **query)["count"]["value"],
    )


def decide_all(node: DecidingService, host: str) -> dict[str, Any]:
    """Return the decision on a host when all that follows it is written."""
    made = node.decide_on(host)
    query = {"kind": "incident.escalated", "target": host}
    node.wait_for(lambda: node.get("/log", **query)["items"])
    return made


def test_an_alert_becomes_a_decision_in_the_log(node: DecidingService) -> None:
    """Proposed, and nothing has run; it is on the incident, too."""
    made = node.decide_on("web-01")
    assert made["action"] == "collect_diagnostics"
    assert made["arguments"]["host"] == "web-01"
    query = {"kind": "decision.made", "target": "web-01"}
    (entry,) = node.get("/log", **query)["items"]
    assert entry["action"] == made["call"]
    assert entry["summary"].startswith("proposed, nothing has run: ")
    assert entry["body"]["decision"] == made["id"]
    whole = node.get(f"/decisions/{made['id']}")
    assert whole["case"]["labels"]["instance"] == "web-01:9100"
    assert whole["menu"]["collect_diagnostics"]["host"] == ["web-01"]
    assert whole["grounding"][0]["source"] == "labels.instance"
    dossier = node.get(f"/incidents/{made['incident']}")
    assert [one["id"] for one in dossier["decisions"]] == [made["id"]]


def test_decisions_are_found_by_what_they_say(node: DecidingService) -> None:
    """Each filter leaves what fits, and the pages follow each other."""
    one, two = node.decide_on("app-01"), node.decide_on("app-02")
    found = node.decisions(incident=one["incident"])
    assert [row["id"] for row in found] == [one["id"]]
    assert one in node.decisions(action="collect_diagnostics", brain="fake")
    assert node.decisions(action="restart_pod") == []
    assert node.decisions(why="budget") == []
    assert node.decisions(shadow=True) == []
    assert two in node.decisions(shadow=False, since=two["at"])
    assert one not in node.decisions(since=two["at"])
    page = node.get("/decisions", limit=1)
    (following,) = httpx.get(f"{node.url}{page['next']}").json()["items"]
    assert following["id"] < page["items"][0]["id"]


def test_a_trial_writes_nothing(node: DecidingService) -> None:
    """On an incident, and on a payload that its source's parser reads."""
    made = decide_all(node, "web-02")
    before = counts(node)
    url = f"{node.url}/api/v1/decide"
    body = {"incident": made["incident"]}
    (item,) = httpx.post(url, json=body).json()["items"]
    assert item["dry_run"] is True
    assert item["call"] == made["call"]
    assert item["case"]["history"][0]["action"] == made["action"]
    alerts = [firing("new-01"), firing("new-02")]
    body = {
        "source": "alertmanager",
        "payload": {"version": "4", "alerts": alerts},
    }
    answer = httpx.post(url, json=body)
    assert answer.status_code == 200, answer.text
    hosts = [one["arguments"]["host"] for one in answer.json()["items"]]
    assert hosts == ["new-01", "new-02"]
    assert counts(node) == before


def nested(depth: int) -> Any:
    """Return a list in a list in a list, so deep."""
    made: list[Any] = []
    for _ in range(depth):
        made = [made]
    return made


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "body"),
        ({"incident": 1, "source": "x", "payload": {}}, 422, "body"),
        ({"incident": 999_999}, 404, "incident"),
        ({"source": "nobody", "payload": {}}, 404, "source"),
        ({"source": "alertmanager", "payload": {"a": 1}}, 422, "payload"),
        ({"source": "alertmanager", "payload": "no"}, 422, "payload"),
        ({"source": "alertmanager", "payload": nested(100)}, 422, "$"),
        ({"source": "alertmanager", "payload": nested(900)}, 422, "payload"),
        ({"incident": 1, "brain": "nobody"}, 422, "brain"),
    ],
)
def test_a_trial_of_nothing_is_refused(
    node: DecidingService, body: dict[str, Any], status: int, field: str
) -> None:
    """With the field that is meant."""
    answer = httpx.post(f"{node.url}/api/v1/decide", json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["field"] == field


def test_a_person_asks_for_another_decision(node: DecidingService) -> None:
    """The log says who; then there is one more."""
    made = node.decide_on("web-03")
    url = f"{node.url}/api/v1/incidents/{made['incident']}/decide"
    answer = httpx.post(url, json={"author": "ana"})
    assert answer.status_code == 202, answer.text
    query = {"incident": made["incident"]}
    node.wait_for(lambda: len(node.decisions(**query)) == 2)
    (entry,) = node.get("/log", kind="decision.asked")["items"]
    assert entry["actor"] == "person:ana"
    assert entry["id"] == answer.json()["entry"]


def test_reins_are_changed_while_it_runs(node: DecidingService) -> None:
    """Whoever saw the version wins; the log and the decisions show it."""
    url = f"{node.url}/api/v1/reins"
    first = httpx.get(url)
    tag = first.headers["etag"]
    body = {"author": "ana", "thresholds": {"restart_service": 0.95}}
    answer = httpx.put(url, json=body, headers={"if-match": tag})
    assert answer.status_code == 200, answer.text
    assert answer.json()["version"] == first.json()["version"] + 1
    late = httpx.put(url, json=body, headers={"if-match": tag})
    assert late.status_code == 409
    assert "ana" in late.json()["detail"]
    made = node.decide_on("web-04")
    assert made["settings_digest"] == answer.json()["digest"]
    assert made["settings_digest"] != first.json()["digest"]
    done = node.run("reins", "set", "shadow=reflexx", "--author", "ben")
    assert done.returncode == 1
    assert "there is no brain 'reflexx'" in " ".join(done.stderr.split())
    done = node.run("reins", "set", "thresholds.restart_service=", "--json")
    assert json.loads(done.stdout)["thresholds"] == {}
    entries = node.get("/log", kind="reins.changed")["items"]
    assert len(entries) == 2
    assert entries[1]["body"]["after"] == {"thresholds": body["thresholds"]}
    wrong = httpx.put(url, json={"author": "ana", "brain": "nobody"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "brain")


def test_the_command_tries_and_lists(
    node: DecidingService, tmp_path: Path
) -> None:
    """Without --dry-run it says that only trials are made."""
    made = decide_all(node, "web-05")
    number = str(made["incident"])
    before = counts(node)
    done = node.run("decide", "--incident", number)
    assert done.returncode == 1
    assert "Only trials are made here" in done.stderr
    assert "--dry-run" in done.stderr
    done = node.run("decide", "--incident", number, "--dry-run", "--json")
    assert json.loads(done.stdout)[0]["call"] == made["call"], done.stderr
    file = tmp_path / "payload.json"
    file.write_text(json.dumps({"version": "4", "alerts": [firing("x-1")]}))
    done = node.run(
        "decide", "--source", "alertmanager", "--payload", str(file)
    )
    assert "collect_diagnostics(host=x-1" in done.stdout, done.stderr
    assert "nothing was written" in done.stdout
    done = node.run("decisions", "--incident", number, "--json")
    (listed,) = json.loads(done.stdout)
    assert listed["id"] == made["id"]
    assert counts(node) == before


def test_the_agreement_of_a_shadow(tmp_path: Path) -> None:
    """Its share is reported by action; without one there is none."""
    with DecidingService(tmp_path, shadow="reflex") as node:
        node.decide_on("web-01")
        assert node.get("/decisions/agreement", brain="zz")["share"] is None
        node.wait_for(lambda: node.decisions(shadow=True))
        (shadow,) = node.decisions(shadow=True)
        (live,) = node.decisions(shadow=False)
        assert shadow["beside"] == live["id"]
        report = node.get("/decisions/agreement")
        assert report["decisions"] == 1
        assert report["by_action"][0]["action"] == "collect_diagnostics"
        assert report["share"] == float(shadow["agrees"])


def test_killed_while_it_decides(tmp_path: Path) -> None:
    """After kill -9 in the middle of a call it is decided once."""
    node = DecidingService(tmp_path, seconds=600.0)
    with node:
        node.fire(firing("web-01"))
        node.wait_for(lambda: node.calls().total() == 1)
        assert node.decisions() == []
        node.kill()
        node.slow_down(0.0)
        node.start()
        node.wait_for(node.decisions)
        node.decide_on("web-02")
        assert len(node.decisions(target="host::web-01")) == 1
        query = {"kind": "decision.made", "target": "web-01"}
        assert len(node.get("/log", **query)["items"]) == 1
        assert node.calls() == {1: 2, 2: 1}


def test_spans_leave_only_for_the_collector_that_is_set(
    tmp_path: Path,
) -> None:
    """By the conventions for GenAI, without prompts and answers."""
    with Collector().running() as collector:
        settings = {"telemetry": {"otlp_endpoint": collector.url}}
        with DecidingService(tmp_path, settings) as node:
            made = node.decide_on("web-01")
            node.wait_for(collector.spans)
        whole, call = collector.spans()
        text = json.dumps(collector.calls)
    assert call["parentSpanId"] == whole["spanId"]
    assert call["name"] == "chat fake-1"
    told = {one["key"]: one["value"] for one in call["attributes"]}
    assert told["gen_ai.operation.name"] == {"stringValue": "chat"}
    assert told["gen_ai.request.model"] == {"stringValue": "fake-1"}
    assert told["gen_ai.usage.input_tokens"] == {"intValue": "10"}
    told = {one["key"]: one["value"] for one in whole["attributes"]}
    assert told["smokejumper.decision"] == {"intValue": str(made["id"])}
    assert "SECRET-ANSWER" not in text
    assert "SECRET-CASE" not in text
    assert "the disk is full" not in text


@pytest.mark.long
def test_a_storm_costs_one_decision(tmp_path: Path) -> None:
    """Ten thousand alerts on one incident, and one call for them all."""
    with DecidingService(tmp_path) as node:
        for start in range(0, 10_000, 500):
            alerts = [
                firing("web-01", f"f{number}", disk=str(number))
                for number in range(start, start + 500)
            ]
            node.fire(*alerts)
        target = "host::web-01"

        def is_whole() -> bool:
            """Tell whether every alert is in the incident."""
            found = node.get("/incidents", target=target)["items"]
            return [one["episodes"] for one in found] == [10_000]

        node.wait_for(is_whole)
        node.decide_on("web-02")
        assert len(node.decisions(target=target)) == 1
        assert node.calls() == {1: 1, 2: 1}
