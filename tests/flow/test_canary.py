"""The canary: it comes through the whole pipe, or its age tells so."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.postgres import Postgres
from tests.service import Service
from tests.unit.act.local.stands import wait_for

EVERY = 2
ON = {"SMOKEJUMPER_CANARY__ENABLED": "true"}
SAMPLE = re.compile(
    r'smokejumper_canary(_age)?_seconds\{stage="(\w+)"\} ([0-9.e+-]+)'
)


@contextmanager
def flying(folder: Path, **settings: Any) -> Iterator[Service]:
    """Lend a service with a canary every other second."""
    tree = {
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
    """Folded, decided on, closed and resolved: one incident, no flood.

    It flaps by any measure, and is no flapping; no brain is asked, and no
    shadow; nobody is told.
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
        wait_for(lambda: count(service, "incident.resolved") >= 3, 60)
        seen = figures(service)
        assert 0 <= seen["age:closed"] < 30
        assert 0 < seen["took:closed"] <= seen["took:told"] < 30
        assert 0 < seen["took:folded"] <= seen["took:closed"] < 30
        incidents = get(service, "/incidents", source="canary")
        assert get(service, "/incidents") == []
        assert get(service, "/incidents", canary=True) == incidents
        assert get(service, "/log", canary=False) == []
        # Two when an hour has just ended.
        assert len(incidents) in (1, 2)
        assert {one["source"] for one in incidents} == {"canary"}
        made = get(service, "/decisions", limit=100)
        assert {one["brain"] for one in made} == {"canary"}
        assert {one["action"] for one in made} == {"no_action"}
        assert {one["why"] for one in made} == {"chosen"}
        assert count(service, "mission.closed") >= 3
        assert count(service, "incident.suppressed") == 0
        assert get(service, "/messages") == []
        assert service.run("log", "--json").stdout.strip() == "[]"
        assert "no_action" in service.run("log", "--canary").stdout
        assert service.run("incidents", "--all", "--json").stdout == "[]\n"
        shown = service.run("incidents", "--all", "--canary").stdout
        assert "synthetic alert" in shown
        settled = service.run("log", "verify")
        assert settled.returncode == 0, settled.stderr


def test_a_decider_that_is_off_is_seen(tmp_path: Path) -> None:
    """What still works is measured on; the age of the rest grows."""
    with flying(tmp_path) as service:
        wait_for(partial(came_through, service), 60)
        set_deciding(service, enabled=False)
        wait_for(lambda: _is_behind(figures(service)), 60)
        assert "it was not decided" in service.log.read_text()
        set_deciding(service, enabled=True)
        wait_for(lambda: figures(service)["age:closed"] < 2 * EVERY, 60)


def came_through(service: Service) -> bool:
    """Tell whether one came through to its end."""
    return "took:closed" in figures(service)


def set_deciding(service: Service, *, enabled: bool) -> None:
    """Switch deciding on or off, as a person does while it runs."""
    url = f"{service.url}/api/v1/reins"
    tag = httpx.get(url).headers["etag"]
    change = {"author": "ana", "enabled": enabled}
    answer = httpx.put(url, json=change, headers={"if-match": tag})
    assert answer.status_code == 200, answer.text


def _is_behind(seen: dict[str, float]) -> bool:
    """Tell whether folding goes on, and deciding does not."""
    is_fresh = seen["age:folded"] < 2 * EVERY
    return is_fresh and seen["age:decided"] > 3 * EVERY


@pytest.mark.parametrize(
    ("settings", "stages"),
    [
        ({"decide": {"enabled": False}}, {"folded"}),
        ({"act": {"enabled": False}}, {"folded", "decided"}),
    ],
)
def test_it_says_how_far_it_goes(
    tmp_path: Path, settings: dict[str, Any], stages: set[str]
) -> None:
    """What is switched off in the settings is not waited for."""
    with flying(tmp_path, **settings) as service:
        last = "decided" if "decided" in stages else "folded"
        wait_for(lambda: f"took:{last}" in figures(service), 60)
        wait_for(lambda: "canary.came_through" in service.log.read_text())
        seen = figures(service)
        assert {name for name in seen if name.startswith("age:")} == {
            f"age:{stage}" for stage in stages
        }


@pytest.mark.real
def test_of_two_nodes_one_sends_it(tmp_path: Path, postgres: Postgres) -> None:
    """Both see it come through; there is no more of it than from one."""
    url = postgres.make_database(f"canary_{os.getpid()}")
    base = {"database": {"url": url}, "canary": {"every_seconds": 5}}
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    with flying(one, **base) as first, flying(other, **base) as second:
        for node in (first, second):
            wait_for(partial(came_through, node), 60)
        wait_for(lambda: count(first, "decision.made") >= 3, 60)
        alerts = get(second, "/alerts", status="firing", limit=100)
        begun = sorted(one["starts_at"] for one in alerts)
        assert len(begun) == len(set(begun))
        seconds = [int(text[17:19]) for text in begun]
        gaps = {(b - a) % 60 for a, b in pairwise(seconds)}
        assert min(gaps) >= 4


def test_nobody_else_can_send_it(tmp_path: Path) -> None:
    """No route leads to it, and no settings may take its name."""
    with flying(tmp_path) as service:
        answer = httpx.post(f"{service.url}/webhooks/canary", json={})
        assert answer.status_code == 404
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
