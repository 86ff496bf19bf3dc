"""Zabbix's updates: when they were made, and which are different ones."""

from typing import Any

import pytest

from app.models.alert import Status
from tests.unit.sources.making import make_source, only_alert
from tests.unit.sources.test_zabbix import SOURCE, UPDATE, make_event


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "2026-11-21T02:47:30Z"),
        ("Europe/Berlin", "2026-11-21T01:47:30Z"),
    ],
)
def test_an_update_says_when_it_was_made(zone: str, expected: str) -> None:
    """In UTC, whatever the clock of the Zabbix server shows."""
    source = make_source("zabbix", {"timezone": zone})
    alert = only_alert(source, make_event(**UPDATE))
    assert alert.annotations["updated_at"] == expected


@pytest.mark.parametrize(
    "changes", [{"event_update_date": None}, {"event_update_time": "soon"}]
)
def test_an_update_without_a_time_has_none(changes: dict[str, Any]) -> None:
    """Then the time at which it came counts."""
    alert = only_alert(SOURCE, make_event(**{**UPDATE, **changes}))
    assert alert.status is Status.UPDATED
    assert "updated_at" not in alert.annotations


def test_a_problem_says_nothing_of_an_update() -> None:
    """Some media types send the parameters of updates with everything."""
    quiet = {**UPDATE, "event_update_status": "0"}
    alert = only_alert(SOURCE, make_event(**quiet))
    assert alert.status is Status.FIRING
    assert "updated_at" not in alert.annotations


@pytest.mark.parametrize("name", ["event_update_user", "event_update_message"])
def test_two_updates_of_one_second_are_two(name: str) -> None:
    """Two people may write at once, and one person twice."""
    one = only_alert(SOURCE, make_event(**UPDATE))
    other = only_alert(SOURCE, make_event(**{**UPDATE, name: "another"}))
    again = only_alert(SOURCE, make_event(**UPDATE))
    assert one.occurrence == again.occurrence
    assert one.occurrence != other.occurrence
