"""What a running service counts of itself, through the API."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.engine.vitals import METERS
from tests.service import Service

SECONDS = 40.0


def get(service: Service, path: str, **query: Any) -> httpx.Response:
    """Return what the API answers."""
    url = f"{service.url}/api/v1/{path}"
    return httpx.get(url, params=query, timeout=30)


@pytest.fixture(scope="module")
def newest(shared: Service) -> dict[str, dict[str, Any]]:
    """Return each series, once there are values that need two looks."""
    deadline = time.monotonic() + SECONDS
    while True:
        items = get(shared, "meters").json()["items"]
        found = {one["name"]: one for one in items}
        if found["alerts"]["value"] is not None:
            return found
        assert time.monotonic() < deadline, "never two looks"
        time.sleep(0.1)


def test_every_meter_is_listed(newest: dict[str, dict[str, Any]]) -> None:
    """With its unit and words; what nobody knows is null."""
    assert list(newest) == list(METERS)
    for name, (unit, about) in METERS.items():
        assert (newest[name]["unit"], newest[name]["about"]) == (unit, about)
        assert newest[name]["columns"] is None
    assert newest["memory"]["value"] > 10_000_000
    assert newest["database"]["value"] > 10_000
    assert newest["decide_p95"]["value"] is None
    assert newest["decide_p95"]["at"] is None


@pytest.mark.usefixtures("newest")
def test_a_series_has_columns(shared: Service) -> None:
    """In the order asked for, parts without values left out."""
    view = get(
        shared, "meters", series=["memory", "decide_p50"], points=60
    ).json()
    memory, decided = view["items"]
    assert (memory["name"], decided["name"]) == ("memory", "decide_p50")
    assert decided["columns"] == []
    (first, *_) = memory["columns"]
    assert first["low"] <= first["mean"] <= first["high"]
    assert view["since"] <= first["at"] < view["until"]
    assert view["node"].endswith(f":{shared.port}")
    assert get(shared, "status").json()["node"] == view["node"]


def test_a_span_before_the_start_is_empty(shared: Service) -> None:
    """A gap, and no zeros."""
    until = datetime.now(UTC) - timedelta(days=3)
    view = get(
        shared, "meters", series="memory", until=until.isoformat()
    ).json()
    assert view["items"][0]["columns"] == []


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"series": "nope"}, 404, "series"),
        ({"points": 0}, 422, "query.points"),
        ({"points": 99_999}, 422, "query.points"),
        ({"series": "cpu", "since": "2999-01-01T00:00:00Z"}, 422, "since"),
        ({"what": 1}, 422, "query.what"),
    ],
)
def test_wrong_questions_are_told(
    shared: Service, query: dict[str, Any], status: int, field: str
) -> None:
    """With the field."""
    answer = get(shared, "meters", **query)
    assert answer.status_code == status
    assert answer.json()["field"] == field


def test_days_begin_where_the_reader_is(shared: Service) -> None:
    """Today is the last one, by the reader's own clock."""
    items = get(shared, "meters/days", days=3).json()["items"]
    assert len(items) == 3
    assert all(one["at"].endswith("T00:00:00Z") for one in items)
    today = datetime.fromisoformat(items[-1]["at"])
    assert timedelta(0) <= datetime.now(UTC) - today <= timedelta(days=1)
    east = get(shared, "meters/days", days=1, offset_minutes=330).json()
    assert east["items"][0]["at"].endswith("T18:30:00Z")


@pytest.mark.parametrize(
    "query", [{"days": 0}, {"days": 32}, {"offset_minutes": 900}]
)
def test_days_are_bounded(shared: Service, query: dict[str, int]) -> None:
    """Nobody asks for ten years."""
    assert get(shared, "meters/days", **query).status_code == 422


def test_no_simulator_is_told(shared: Service) -> None:
    """It is not there until the settings name it."""
    answer = get(shared, "simulator")
    assert answer.status_code == 404
    assert answer.json()["reason"] == "no_simulator"
    page = httpx.get(f"{shared.url}/console/metrics").text
    assert "/console/simulator" not in page
    status = get(shared, "status").json()
    assert (status["faults"], status["faulty"]) == (0, [])
