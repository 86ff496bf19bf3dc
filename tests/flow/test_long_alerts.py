"""Alerts that say very much: whole one by one, and bounded in a list."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.service import Service

TEXT = "s" * 60_000
# No longer, and no more, than the door keeps.
URL = "http://prometheus/" + "u" * 4_000
MANY = {f"a{number:03}": "x" * 1_000 for number in range(100)}
# A row of a list, with some labels.
MOST_BYTES = 20_000
DEADLINE = 30.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service with one alert that says much, and one that does not.

    It has the limits of every day.
    """
    with Service(tmp_path_factory.mktemp("long")) as running:
        long = {"summary": TEXT, "description": TEXT, **MANY}
        deliver(running, "long", URL, long)
        deliver(running, "short", "http://prometheus/", {"summary": "Full."})
        for name in ("long", "short"):
            wait_for_folding(running, name)
        yield running


def wait_for_folding(service: Service, name: str) -> None:
    """Wait until an alert is in its incident: it changes no more then."""
    deadline = time.monotonic() + DEADLINE
    while listed(service, name)["incident_id"] is None:
        assert time.monotonic() < deadline, "it was not folded"
        time.sleep(0.05)


def deliver(
    service: Service, name: str, url: str, annotations: dict[str, str]
) -> None:
    """Deliver an alert."""
    alert = {
        "status": "firing",
        "labels": {"alertname": name, "instance": name},
        "annotations": annotations,
        "startsAt": "2026-11-21T02:14:02Z",
        "generatorURL": url,
    }
    body = {"version": "4", "alerts": [alert]}
    path = f"{service.url}/webhooks/alertmanager"
    httpx.post(path, json=body).raise_for_status()


def get(service: Service, path: str) -> httpx.Response:
    """Return what the API answers."""
    answer = httpx.get(f"{service.url}/api/v1/{path}", timeout=30)
    return answer.raise_for_status()


def listed(service: Service, name: str) -> dict[str, Any]:
    """Return an alert as a list has it."""
    (found,) = get(service, f"alerts?name={name}").json()["items"]
    return dict(found)


def test_a_list_has_the_beginning(service: Service) -> None:
    """And names what is cut, so that nobody takes it for all."""
    found = listed(service, "long")
    assert found["cut"] == ["summary", "url", "annotations"]
    assert found["summary"].startswith("ssss")
    assert found["summary"].endswith(" ...")
    assert len(found["summary"]) == len(found["url"]) == 2_000
    first = dict(list(MANY.items())[:3])
    assert first.items() <= found["annotations"].items()
    assert len(json.dumps(found)) < MOST_BYTES


def test_what_is_short_is_whole(service: Service) -> None:
    """Nothing is cut of it."""
    found = listed(service, "short")
    assert found.pop("cut") == []
    assert found == get(service, f"alerts/{found['id']}").json()


def test_alone_and_in_an_export_it_is_whole(service: Service) -> None:
    """Whoever wants all of it finds all of it."""
    number = listed(service, "long")["id"]
    whole = get(service, f"alerts/{number}").json()
    assert (whole["summary"], whole["url"]) == (TEXT, URL)
    assert whole["annotations"]["description"] == TEXT
    assert MANY.items() <= whole["annotations"].items()
    export = get(service, "export/alerts?format=ndjson&name=long").text
    assert json.loads(export) == whole


def test_an_incident_has_a_line_of_each_episode(service: Service) -> None:
    """Its page is not as long as all that was said."""
    incident = listed(service, "long")["incident_id"]
    (episode,) = get(service, f"incidents/{incident}").json()["all_episodes"]
    assert len(episode["summary"]) == 2_000
