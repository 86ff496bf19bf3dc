"""What is decided is asked about, done and told, over HTTP."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.flow.acting import ActingService
from tests.flow.events import Event, blocks

CLICKS = 20


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActingService]:
    """Return a service whose jobs end at once; tests add to it."""
    with ActingService(tmp_path_factory.mktemp("quick")) as running:
        yield running


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActingService]:
    """Return a service whose jobs never end by themselves."""
    folder = tmp_path_factory.mktemp("slow")
    with ActingService(folder, "slow", api={"streams": 2}) as running:
        yield running


def follow(node: ActingService, job: int, **headers: str) -> list[Event]:
    """Return all that is told of what a job writes, to its end."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    url = f"{node.url}/api/v1/jobs/{job}/output?follow=true"
    with httpx.stream("GET", url, headers=named, timeout=60) as answer:
        assert answer.status_code == 200, answer.read()
        assert "text/event-stream" in answer.headers["content-type"]
        return [one for one in blocks(answer.iter_lines()) if one.name]


def test_what_is_granted_is_done_and_told(node: ActingService) -> None:
    """From the question to the end; the log has each step."""
    asked = node.ask_about("web-01")
    incident = asked["incident"]
    assert asked["call"].startswith("collect_diagnostics(host=web-01")
    assert asked["version"] == 1
    brief = node.mission_of(incident)
    assert (brief["stage"], brief["approval"]) == (
        "awaiting_approval",
        asked["id"],
    )
    whole = node.get(f"/approvals/{asked['id']}")
    assert whole["votes"] == []
    decision = whole["evidence"]["decision"].removeprefix("/api/v1")
    assert node.get(decision)["id"] == asked["decision"]
    answer = node.answer(asked["id"], "grant", comment="go ahead")
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "granted"
    assert answer.headers["etag"] == '"2"'
    job = node.wait_for_job(incident, "succeeded")
    assert job["approval"] == asked["id"]
    assert node.get(f"/jobs/{job['id']}")["before"] == []
    ended = node.wait_for_stage(incident, "escalated")
    assert (ended["job"], ended["end"]) == (job["id"], "escalated")
    (vote,) = node.get(f"/approvals/{asked['id']}")["votes"]
    assert (vote["person"], vote["comment"]) == ("ana", "go ahead")
    kinds = [
        entry["kind"] for entry in node.get("/log", incident=incident)["items"]
    ]
    assert kinds[::-1] == [
        "incident.opened",
        "decision.made",
        "ruling.made",
        "approval.asked",
        "approval.granted",
        "ruling.made",
        "job.started",
        "job.ended",
        "incident.escalated",
    ]
    rulings = node.get("/rulings", incident=incident)["items"]
    assert [one["outcome"] for one in rulings] == ["allow", "ask"]
    ruled = node.get(f"/rulings/{rulings[1]['id']}")
    assert ruled["motion"]["arguments"]["host"] == "web-01"
    assert "halted: passed" in ruled["trail"]


def test_the_incidents_list_has_their_missions(node: ActingService) -> None:
    """Those that have one show it in short; it is found by its stage."""
    asked = node.ask_about("web-02")
    incident = asked["incident"]
    items = node.get("/incidents")["items"]
    (mine,) = [one for one in items if one["id"] == incident]
    assert mine["mission"]["stage"] == "awaiting_approval"
    found = node.get("/missions", stage="awaiting_approval", limit=500)
    assert incident in [one["incident"] for one in found["items"]]
    found = node.get("/missions", incident=incident, end="fixed")
    assert found["items"] == []
    mission = node.get(f"/missions/{mine['mission']['id']}")
    assert mission["incident"] == incident
    assert mission["deadline_at"] > mission["opened_at"]
    done = node.run("missions", "--incident", str(incident), "--json")
    assert json.loads(done.stdout)[0]["id"] == mission["id"], done.stderr


def test_twenty_clicks_are_one_execution(node: ActingService) -> None:
    """The first answer wins; all others are told what became of it."""
    asked = node.ask_about("web-03")
    before = node.starts()

    def click(number: int) -> httpx.Response:
        """Grant it as one of many people."""
        return node.answer(asked["id"], "grant", f"person-{number}")

    with ThreadPoolExecutor(CLICKS) as crowd:
        answers = list(crowd.map(click, range(CLICKS)))
    assert Counter(one.status_code for one in answers) == {200: 1, 409: 19}
    told = [one.json() for one in answers if one.status_code == 409]
    assert {one["reason"] for one in told} == {"already_granted"}
    assert all("granted by person-" in one["detail"] for one in told)
    node.wait_for_stage(asked["incident"], "escalated")
    assert node.starts() == before + 1
    query = {"incident": asked["incident"], "kind": "approval.granted"}
    assert len(node.get("/log", **query)["items"]) == 1


@pytest.mark.parametrize("answer", ["grant", "refuse", "withdraw", "edit"])
def test_nothing_is_answered_by_get(node: ActingService, answer: str) -> None:
    """405 with the method that there is, and the question stays open."""
    asked = node.ask_about(f"get-{answer}")
    url = f"{node.url}/api/v1/approvals/{asked['id']}/{answer}"
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        refused = httpx.request(method, url, params={"author": "ana"})
        assert refused.status_code == 405
        assert refused.headers["allow"] == "POST"
    again = node.get(f"/approvals/{asked['id']}")
    assert (again["state"], again["version"]) == ("asked", 1)
    assert again["votes"] == []


def test_a_stale_page_answers_nothing(node: ActingService) -> None:
    """If-Match with another version is 409; with the right one it works."""
    asked = node.ask_about("web-04")
    path = f"/approvals/{asked['id']}/refuse"
    body = {"author": "ana"}
    late = node.post(path, body, if_match='"7"')
    assert (late.status_code, late.json()["reason"]) == (
        409,
        "changed_meanwhile",
    )
    wrong = node.post(path, body, if_match="yes")
    assert (wrong.status_code, wrong.json()["field"]) == (422, "if-match")
    answer = node.post(path, body, if_match='"1"')
    assert answer.json()["state"] == "refused"
    ended = node.wait_for_stage(asked["incident"], "escalated")
    assert "refused by ana" in ended["reason"]
    assert node.get("/jobs", incident=asked["incident"])["items"] == []


def test_an_edit_is_another_decision(node: ActingService) -> None:
    """With a question of its own, which its author cannot grant."""
    asked = node.ask_about("web-05")
    wrong = node.answer(asked["id"], "edit", arguments={"topic": "no such"})
    assert (wrong.status_code, wrong.json()["field"]) == (
        422,
        "arguments.topic",
    )
    assert node.get(f"/approvals/{asked['id']}")["state"] == "asked"
    answer = node.answer(asked["id"], "edit", arguments={"topic": "disk"})
    assert answer.json()["state"] == "edited"
    query = {"incident": asked["incident"], "state": "asked"}
    node.wait_for(lambda: node.get("/approvals", **query)["items"])
    (other,) = node.get("/approvals", **query)["items"]
    assert other["arguments"] == {"host": "web-05", "topic": "disk"}
    assert other["proposer"] == "person:ana"
    own = node.answer(other["id"], "grant", "ana")
    assert (own.status_code, own.json()["reason"]) == (403, "own_proposal")
    assert node.answer(other["id"], "grant", "ben").status_code == 200
    job = node.wait_for_job(asked["incident"], "succeeded")
    assert job["arguments"]["topic"] == "disk"


def test_a_person_proposes(node: ActingService) -> None:
    """It is ruled on like all; what cannot be proposed is told why."""
    asked = node.ask_about("web-06")
    path = f"/incidents/{asked['incident']}/propose"
    body: dict[str, Any] = {
        "author": "ana",
        "action": "collect_diagnostics",
        "arguments": {"host": "web-06", "topic": "memory"},
    }
    answer = node.post(path, body)
    assert answer.status_code == 202, answer.text
    made = answer.json()
    assert node.get(f"/decisions/{made['decision']}")["why"] == "proposed"
    assert made["mission"]["decision"] == made["decision"]
    moot = node.get(f"/approvals/{asked['id']}")
    assert moot["state"] == "withdrawn"
    assert node.answer(asked["id"], "grant").status_code == 409
    unfit: list[tuple[dict[str, Any], str]] = [
        ({"action": "rm_rf"}, "action"),
        ({"action": "escalate", "arguments": {}}, "action"),
        ({"arguments": {"host": "a;b", "topic": "cpu"}}, "arguments.host"),
        ({"arguments": {"topic": "cpu"}}, "arguments.host"),
        ({"author": ""}, "body.author"),
        ({"author": "a\nb"}, "body.author"),
        ({"arguments": {"host": True}}, "body.arguments.host.constrained-int"),
        ({"more": 1}, "body.more"),
    ]
    for change, field in unfit:
        refused = node.post(path, body | change)
        assert refused.status_code == 422, refused.text
        assert refused.json()["field"] == field
    missing = node.post("/incidents/999999/propose", body)
    assert missing.status_code == 404


def test_output_is_read_in_ranges_and_followed(node: ActingService) -> None:
    """No character is divided; a stream resumes where it was."""
    asked = node.ask_about("web-07")
    node.answer(asked["id"], "grant")
    job = node.wait_for_job(asked["incident"], "succeeded")
    path = f"/jobs/{job['id']}/output"
    whole = node.get(path)
    size = len("done, señor\n".encode())
    assert (whole["text"], whole["next_offset"]) == ("done, señor\n", size)
    assert (whole["has_ended"], whole["is_cut"]) == (True, False)
    text, offset = "", 0
    while offset < size:
        part = node.get(path, offset=offset, limit=4)
        text, offset = text + part["text"], part["next_offset"]
    assert text == "done, señor\n"
    assert node.get(path, offset=10_000)["text"] == ""
    first, last = follow(node, job["id"])
    assert (first.name, first.id) == ("output", size)
    assert first.content["text"] == "done, señor\n"
    assert (last.name, last.content["has_ended"]) == ("end", True)
    (end,) = follow(node, job["id"], last_event_id=str(size))
    assert (end.name, end.id) == ("end", size)
    rest, _ = follow(node, job["id"], last_event_id="6")
    assert rest.content["text"] == "señor\n"
    for number, query, status in (
        (999_999, {}, 404),
        (999_999, {"follow": "true"}, 404),
        (job["id"], {"offset": -1}, 422),
        (job["id"], {"limit": 10**9}, 422),
        (job["id"], {"offset": 2**63}, 422),
    ):
        url = f"{node.url}/api/v1/jobs/{number}/output"
        assert httpx.get(url, params=query).status_code == status
    wrong = {"last-event-id": "-5"}
    answer = httpx.get(f"{node.url}/api/v1{path}", headers=wrong)
    assert answer.json()["field"] == "header.last-event-id"


def test_a_running_job_is_followed_and_aborted(slow: ActingService) -> None:
    """What it writes comes while it runs; the end comes with the abort."""
    asked = slow.ask_about("web-01")
    slow.answer(asked["id"], "grant")
    job = slow.wait_for_job(asked["incident"], "started")
    path = f"/jobs/{job['id']}/abort"
    url = f"{slow.url}/api/v1/jobs/{job['id']}/output?follow=true"
    for body in ({}, {"author": "ana"}, {"author": "ana", "reason": " "}):
        assert slow.post(path, body).status_code == 422
    with httpx.stream("GET", url, timeout=60) as answer:
        events = (e for e in blocks(answer.iter_lines()) if e.name)
        begun = next(events)
        assert begun.content["text"] == "begun\n"
        assert begun.content["has_ended"] is False
        aborted = slow.post(path, {"author": "ana", "reason": "wrong host"})
        assert aborted.json()["abort"] == "ana: wrong host"
        assert next(events).name == "end"
        assert list(events) == []
    assert slow.job_of(asked["incident"])["state"] == "aborted"
    again = slow.post(path, {"author": "ana", "reason": "again"})
    assert (again.status_code, again.json()["reason"]) == (409, "has_ended")
    assert slow.get("/log", kind="job.abort_asked")["items"]


def test_followers_are_bounded_and_let_go(slow: ActingService) -> None:
    """The third of two is 503; a place is free when one hangs up."""
    asked = slow.ask_about("web-02")
    slow.answer(asked["id"], "grant")
    job = slow.wait_for_job(asked["incident"], "started")
    url = f"{slow.url}/api/v1/jobs/{job['id']}/output?follow=true"

    def is_open() -> bool:
        """Tell whether there is room for one more."""
        with httpx.stream("GET", url, timeout=30) as answer:
            return answer.status_code == 200

    with (
        httpx.stream("GET", url, timeout=30) as one,
        httpx.stream("GET", url, timeout=30) as two,
    ):
        assert (one.status_code, two.status_code) == (200, 200)
        full = httpx.get(url, timeout=30)
        assert (full.status_code, full.json()["reason"]) == (503, "streams")
        assert slow.get(f"/jobs/{job['id']}/output")["text"] == "begun\n"
    slow.wait_for(is_open)


def test_the_kill_switch(slow: ActingService) -> None:
    """It ends what runs, and lets nothing start until it is resumed."""
    asked = slow.ask_about("web-03")
    other = slow.ask_about("web-04")
    slow.answer(asked["id"], "grant")
    slow.wait_for_job(asked["incident"], "started")
    url = f"{slow.url}/api/v1/halt"
    first = httpx.get(url)
    assert first.json()["halted"] is False
    body = {"author": "ana", "reason": "stop it", "halted": True}
    seen = {"if-match": first.headers["etag"]}
    held = httpx.put(url, json=body, headers=seen)
    assert held.json()["halted"] is True, held.text
    late = httpx.put(url, json=body | {"halted": False}, headers=seen)
    assert late.status_code == 409
    slow.wait_for_job(asked["incident"], "aborted")
    starts = slow.starts()
    slow.answer(other["id"], "grant")
    slow.wait_for_stage(other["incident"], "escalated")
    assert slow.starts() == starts
    slow.halt_file.write_text("network change")
    body = {"author": "ana", "reason": "it is over", "halted": False}
    still = httpx.put(url, json=body).json()
    assert (still["switch"], still["halted"]) == (False, True)
    assert still["file"] == "network change"
    slow.halt_file.unlink()
    assert httpx.get(url).json()["halted"] is False
    entries = slow.get("/log", kind="halt.changed")["items"]
    assert [one["body"]["is_halted"] for one in entries] == [False, True]


def test_a_policy_is_tried_and_changes_nothing(node: ActingService) -> None:
    """What would change is shown; what is no policy is told why."""
    node.ask_about("web-08")
    before = node.get("/policy")
    assert before["trust"]["otherwise"] == "approve"
    url = "/policy/dry-run"
    same = node.post(url, {}).json()
    assert (same["policy"], same["moves"]) == (before["version"], {})
    assert same["looked_at"] == same["same"] > 0
    suggests = "trust: {ladder: [], otherwise: suggest}\n"
    other = {"policy": suggests, "days": 1}
    found = node.post(url, other).json()
    assert found["moves"]["ask -> suggest"] > 0
    assert found["changes"][0]["now_rule"] == "trust:suggest"
    assert found["assumed"] == same["assumed"]
    node.ask_about("web-18")
    once = (
        "trust: {ladder: [], otherwise: auto}\n"
        "budgets: [{name: once, runs: 1, window: 1h, risks: [observe]}]\n"
    )
    found = node.post(url, {"policy": once}).json()
    # The first would have run, and spent it.
    assert found["moves"]["ask -> escalate"] > 0
    assert "budget:once" in {one["now_rule"] for one in found["changes"]}
    wrong = node.post(url, {"policy": "trust: {otherwise: sugest}"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "policy")
    assert "trust.otherwise" in wrong.json()["detail"]
    for body in ({"days": 0}, {"days": 91}, {"policy": "x" * 300_000}):
        assert node.post(url, body).status_code == 422
    assert node.get("/policy") == before
    report = node.get("/trust", days=1)["items"]
    (line,) = [one for one in report if one["mode"] == "approve"]
    assert line["action"] == "collect_diagnostics"
    assert line["low"] <= line["rate"] <= line["high"]


def test_what_is_not_there(node: ActingService) -> None:
    """404 with the list where one finds what is."""
    for path in ("missions", "rulings", "jobs", "approvals"):
        answer = httpx.get(f"{node.url}/api/v1/{path}/999999")
        assert answer.status_code == 404
        assert f"/api/v1/{path}" in answer.json()["remedy"]
        wrong = httpx.get(f"{node.url}/api/v1/{path}?nonsense=1")
        assert wrong.status_code == 422
    for path in ("/approvals/999999/grant", "/jobs/999999/abort"):
        body = {"author": "ana"}
        if "abort" in path:
            body["reason"] = "x"
        assert node.post(path, body).status_code == 404
