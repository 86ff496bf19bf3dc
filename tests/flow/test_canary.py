"""The canary: it comes through the whole pipe, or /metrics says where not."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.models.canary import STAGES
from tests.postgres import Postgres
from tests.service import Service
from tests.unit.act.local.stands import HandsProcess, running, wait_for

EVERY = 4
KEPT_OUT = (
    *("/jobs", "/missions", "/rulings", "/decisions", "/messages"),
    *("/dispatches", "/incidents", "/approvals"),
)
WAITING = {"backend": "scripted", "job": "wait"}
ON = {"SMOKEJUMPER_CANARY__ENABLED": "true"}
SAMPLE = re.compile(
    r'smokejumper_canary(_age)?_seconds\{stage="(\w+)"\} ([0-9.e+-]+)'
)
STUCK = re.compile(r'smokejumper_canary_stuck\{stage="(\w+)",why="(\w+)"\} 1')


@contextmanager
def flying(folder: Path, **settings: Any) -> Iterator[Service]:
    """Lend a service with a canary every few seconds."""
    tree = {
        "act": {"poll_seconds": 0.1},
        "decide": {"enabled": True, "settle_seconds": 0.1},
        "canary": {"every_seconds": EVERY},
        **settings,
    }
    with Service(folder, tree, ON) as service:
        yield service


def figures(service: Service) -> dict[str, float]:
    """Return what is measured: age:STAGE and took:STAGE."""
    text = httpx.get(f"{service.url}/metrics", timeout=10).text
    return {
        f"{'age' if age else 'took'}:{stage}": float(value)
        for age, stage, value in SAMPLE.findall(text)
    }


def stuck(service: Service) -> tuple[str, str] | None:
    """Return where the last canary stands, and why; None: it does not."""
    text = httpx.get(f"{service.url}/metrics", timeout=10).text
    found: list[tuple[str, str]] = STUCK.findall(text)
    assert len(found) <= 1
    return found[0] if found else None


def get(service: Service, path: str, **query: Any) -> list[dict[str, Any]]:
    """Return the newest of a list of the API."""
    url = f"{service.url}/api/v1{path}"
    answer = httpx.get(url, params=query, timeout=10).raise_for_status()
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def count(service: Service, kind: str) -> int:
    """Return how many lines of a kind the log has, up to a page."""
    return len(get(service, "/log", kind=kind, limit=100))


def test_it_comes_through_the_whole_pipe(tmp_path: Path) -> None:
    """By every stage that an alert goes through, and nobody is disturbed.

    It flaps by any measure, and is no flapping; no brain is asked, and no
    shadow; no list and no count has it that is not asked for it.
    """
    flapping = {"flapping": {"changes": 3}}
    reins = {
        "enabled": True,
        "settle_seconds": 0.1,
        "shadow": "reflex",
        # It costs no call, so that none is refused.
        "calls_per_incident": 1,
    }
    with flying(tmp_path, incidents=flapping, decide=reins) as service:
        wait_for(lambda: count(service, "message.sent") >= 3, 90)
        seen = figures(service)
        assert min(seen[f"took:{stage}"] for stage in STAGES) > 0
        assert min(seen[f"age:{stage}"] for stage in STAGES) >= 0
        assert stuck(service) is None
        _is_whole(service)
        _is_kept_out(service)
        settled = service.run("log", "verify")
        assert settled.returncode == 0, settled.stderr


def _is_whole(service: Service) -> None:
    """See what each stage wrote of it."""
    job = get(service, "/jobs", canary=True)[-1]
    assert (job["action"], job["backend"]) == ("answer_canary", "local")
    assert (job["state"], job["verdict"]) == ("succeeded", "fixed")
    before, after = _measured(service, job["id"])
    assert (before["value"], before["judgement"]) == (1.0, "bad")
    assert (after["value"], after["judgement"]) == (0.0, "good")
    ruling = get(service, "/rulings", canary=True)[-1]
    assert (ruling["outcome"], ruling["rule"]) == ("allow", "trust:auto")
    (sent, *_) = get(service, "/dispatches", canary=True)
    assert (sent["channel"], sent["state"]) == (":canary", "sent")
    assert sent["reference"].startswith("canary:")
    made = get(service, "/decisions", canary=True, limit=100)
    assert {one["brain"] for one in made} == {"canary"}
    assert {one["why"] for one in made} == {"chosen"}


def _measured(service: Service, job: int) -> tuple[Any, Any]:
    """Return what was measured before a job, and last after it."""
    url = f"{service.url}/api/v1/jobs/{job}"
    found = httpx.get(url, timeout=10).json()
    return found["before"][0], found["after"][-1]


def _is_kept_out(service: Service) -> None:
    """See that nobody meets it who does not ask for it."""
    for path in KEPT_OUT:
        assert get(service, path) == []
    incidents = get(service, "/incidents", source="canary")
    shown = get(service, "/incidents", canary=True)
    assert {one["source"] for one in shown} == {"canary"}
    # Two when an hour has just ended.
    assert len(incidents) in (1, 2)
    number = incidents[-1]["id"]
    assert get(service, "/jobs", incident=number)
    assert get(service, "/log", canary=False) == []
    assert count(service, "incident.suppressed") == 0
    base = f"{service.url}/api/v1"
    board = httpx.get(f"{base}/board").json()
    assert (board["fixed"], board["living"]) == (0, 0)
    names = httpx.get(f"{base}/catalogue").text
    assert "answer_canary" not in names
    assert httpx.get(f"{base}/trust").json()["items"] == []
    assert httpx.get(f"{base}/channels").json() == []
    for words in (("log",), ("incidents", "--all"), ("jobs",), ("missions",)):
        assert service.run(*words, "--json").stdout.strip() == "[]"
    lines = service.run("log", "--canary", "--json").stdout
    assert "answer_canary" in lines


def test_what_is_switched_off_is_no_success(tmp_path: Path) -> None:
    """Deciding, then everything: where it stands, why, and that it ends."""
    with flying(tmp_path) as service:
        wait_for(partial(came_through, service), 60)
        set_deciding(service, enabled=False)
        off = ("decided", "switched_off")
        wait_for(lambda: stuck(service) == off, 60)
        sent = count(service, "message.sent")
        assert "deciding is switched off" in service.log.read_text()
        set_deciding(service, enabled=True)
        wait_for(lambda: stuck(service) is None, 60)
        wait_for(lambda: figures(service)["age:closed"] < 2 * EVERY, 60)
        assert count(service, "message.sent") > sent
        throw(service, "halt")
        wait_for(lambda: stuck(service) == ("ruled", "halted"), 60)
        assert "halted: ana: a drill" in service.log.read_text()
        # People hear of the halt, and nothing of the canary.
        assert get(service, "/incidents", state="open") == []
        assert count(service, "incident.escalated") == 0
        throw(service, "resume")
        wait_for(lambda: stuck(service) is None, 60)


def throw(service: Service, word: str) -> None:
    """Throw the kill switch, or let go of it: halt, or resume."""
    done = service.run(word, "--reason", "a drill", "--author", "ana")
    assert done.returncode == 0, done.stderr + done.stdout


def came_through(service: Service) -> bool:
    """Tell whether one came through to its end."""
    return "took:told" in figures(service)


def set_deciding(service: Service, *, enabled: bool) -> None:
    """Switch deciding on or off, as a person does while it runs."""
    url = f"{service.url}/api/v1/reins"
    tag = httpx.get(url).headers["etag"]
    change = {"author": "ana", "enabled": enabled}
    answer = httpx.put(url, json=change, headers={"if-match": tag})
    assert answer.status_code == 200, answer.text


# What stands in its way, and where and why it stands there then.
HOLDING: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "acting": ({"act": {"enabled": False}}, ("ruled", "switched_off")),
    "no hands": (
        {"backends": {"local": {"enabled": False}}},
        ("ruled", "not_allowed"),
    ),
    "the policy": (
        {"policy": {"file": "observe.yaml"}},
        ("ruled", "not_allowed"),
    ),
    "a job that hangs": (
        {
            "act": {"run": {"answer_canary": WAITING}, "poll_seconds": 0.1},
            "backends": {"scripted": {"jobs": {"wait": {"seconds": 600}}}},
        },
        ("acted", "late"),
    ),
}


@pytest.mark.parametrize("what", HOLDING)
def test_it_says_where_it_stands(tmp_path: Path, what: str) -> None:
    """Nobody is asked, told or given anything because of it."""
    settings, expected = HOLDING[what]
    observe = tmp_path / "observe.yaml"
    observe.write_text("trust: {ladder: [], otherwise: observe}\n")
    if "policy" in settings:
        settings = {"policy": {"file": str(observe)}}
    with flying(tmp_path, **settings) as service:
        wait_for(lambda: stuck(service) == expected, 60)
        assert "took:told" not in figures(service)
        assert count(service, "message.sent") == 0
        assert count(service, "approval.asked") == 0
        assert get(service, "/incidents") == []
        assert get(service, "/approvals") == []


@pytest.mark.real
def test_of_two_nodes_one_sends_it(tmp_path: Path, postgres: Postgres) -> None:
    """Both see it come through; there is no more of it than from one."""
    url = postgres.make_database(f"canary_{os.getpid()}")
    base = {"database": {"url": url}, "canary": {"every_seconds": EVERY}}
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    with flying(one, **base) as first, flying(other, **base) as second:
        for node in (first, second):
            wait_for(partial(came_through, node), 60)
        wait_for(lambda: count(first, "message.sent") >= 3, 90)
        alerts = get(second, "/alerts", status="firing", limit=100)
        begun = sorted(
            datetime.fromisoformat(one["starts_at"]).timestamp()
            for one in alerts
        )
        assert len(begun) == len(set(begun))
        # One that is late is nearer to the next; two would send twice as many.
        assert len(begun) <= (begun[-1] - begun[0]) / EVERY + 1.5


def test_nobody_else_can_send_it(tmp_path: Path) -> None:
    """Its secret is with one process, and no settings may take its name."""
    with flying(tmp_path) as service:
        url = f"{service.url}/webhooks/canary"
        for sent in ({}, {"authorization": "Bearer canary"}):
            answer = httpx.post(url, json={}, headers=sent)
            assert answer.status_code == 401
        named = [one["name"] for one in _sources(service)]
        assert "canary" not in named
    taken = {"canary": {"type": "generic", "auth": {"kind": "none"}}}
    wrong = Service(tmp_path, {"sources": taken}).run("check-config")
    assert wrong.returncode == 2
    assert "what the service sends itself" in wrong.stderr + wrong.stdout


def _sources(service: Service) -> list[dict[str, Any]]:
    """Return the sources as the API has them."""
    found: Any = httpx.get(f"{service.url}/api/v1/sources").json()
    return list(found["items"] if isinstance(found, dict) else found)


def test_it_is_off_when_it_is_switched_off(service: Service) -> None:
    """Then nothing is sent, and nothing is measured."""
    assert figures(service) == {}
    assert get(service, "/deliveries") == []


def test_the_process_of_the_hands_is_on_its_way(tmp_path: Path) -> None:
    """Where a process of its own acts, that one answers, or it is told."""
    hands = HandsProcess(tmp_path)
    local = {"socket": str(hands.socket)}
    with flying(tmp_path, backends={"local": local}) as service:
        wait_for(lambda: (stuck(service) or ("",))[0] == "acted", 90)
        # It is with nobody, whatever became of its job.
        assert get(service, "/incidents") == []
        assert get(service, "/messages") == []
        with running(tmp_path):
            wait_for(lambda: came_through(service), 90)
            assert stuck(service) is None
        done = get(service, "/jobs", canary=True, state="succeeded")
        assert done
        assert {one["backend"] for one in done} == {"local"}


def test_it_ends_with_the_service(tmp_path: Path) -> None:
    """Whatever it was about to say when its own door was closed."""
    settings, _ = HOLDING["a job that hangs"]
    with flying(tmp_path, **settings) as service:
        wait_for(lambda: get(service, "/jobs", canary=True))
        assert service.stop() == 0
