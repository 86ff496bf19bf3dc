"""Grouping: which number a group keeps, and what is told about it."""

from typing import Any

import pytest

from app.fold.grouping import Assigned, Numbers, assign, find_loosened
from app.models.cluster import FOREVER, Windows
from app.models.episode import Episode

WINDOWS = Windows(again=100, together=50)


def episode(number: int, begins_at: int, **more: Any) -> Episode:
    """Return an episode of one problem on one target."""
    values: dict[str, Any] = {"target": "host::web", "problem": "a", **more}
    return Episode(
        id=number,
        strand_id=number,
        source="s",
        fingerprint=str(number),
        name="a",
        severity="error",
        summary="",
        begins_at=begins_at,
        first_alert=1,
        last_alert=1,
        alerts=1,
        seen_at=begins_at,
        **values,
    )


def placed(*episodes: Episode, loosened: tuple[int, ...] = ()) -> Assigned:
    """Return where episodes belong; new incidents begin with 90."""
    return assign(episodes, WINDOWS, Numbers(90), loosened)


def test_new_ones_that_are_close_open_one_incident() -> None:
    """Its first episode is the oldest, in whatever order they come."""
    first, second = episode(2, 0), episode(1, 40, problem="b")
    found = placed(second, first)
    assert found.joined == {1: 90, 2: 90}
    assert found.opened == {90: first}
    assert found.touched == {90}
    assert found.because.keys() == {1}


@pytest.mark.parametrize("target", ["host::db", "host:a:web", "pod::web"])
def test_another_target_is_another_incident(target: str) -> None:
    """However close they are."""
    found = placed(episode(1, 0), episode(2, 0, target=target))
    assert found.joined == {1: 90, 2: 91}
    assert found.because == {}


def test_a_new_one_joins_what_is_there_though_it_is_older() -> None:
    """The page stays where people found it."""
    found = placed(episode(2, 0), episode(1, 40, incident_id=7))
    assert found.joined == {2: 7}
    assert (found.opened, found.moved, found.merged) == ({}, {}, {})


@pytest.mark.parametrize(
    ("older", "newer", "kept"), [(5, 7, 5), (7, 5, 5), (7, 90, 7)]
)
def test_a_bridge_merges_into_the_lowest_number(
    older: int, newer: int, kept: int
) -> None:
    """One that was there before the turn is never taken for a new one."""
    gone = older + newer - kept
    found = placed(
        episode(1, 0, until=10, incident_id=older),
        episode(2, 150, incident_id=newer),
        episode(3, 60, until=70),
    )
    assert found.merged == {gone: kept}
    assert found.joined == {3: kept}
    assert list(found.moved.values()) == [(gone, kept)]
    assert found.touched == {older, newer}


def test_what_a_person_pinned_keeps_its_number() -> None:
    """What is near follows it, and its pin; the pinned one says nothing."""
    found = placed(
        episode(1, 0, incident_id=9, pin=9, because="a person"),
        episode(2, 10),
        episode(3, 20, incident_id=4),
    )
    assert found.joined == {2: 9}
    assert found.merged == {4: 9}
    assert found.pins == {2: 9, 3: 9}
    assert 1 not in found.because


def test_two_pins_stay_two_incidents() -> None:
    """Also where the older one would have the lower number."""
    found = placed(
        episode(1, 0, incident_id=9, pin=9),
        episode(2, 0, incident_id=4, pin=4),
    )
    assert (found.moved, found.merged, found.opened) == ({}, {}, {})
    assert found.touched == {4, 9}


@pytest.mark.parametrize("loosened", [(), (7,)])
def test_only_what_is_loosened_falls_apart(loosened: tuple[int, ...]) -> None:
    """The oldest part keeps the number, the other one is new."""
    ends = (episode(1, 0, until=10, incident_id=7, because="old"),)
    later = episode(2, 500, incident_id=7, because="again")
    found = placed(*ends, later, loosened=loosened)
    assert found.moved == ({2: (7, 90)} if loosened else {})
    assert found.opened == ({90: later} if loosened else {})
    assert found.merged == {}
    assert found.because == ({2: ""} if loosened else {})


@pytest.mark.parametrize(
    ("until", "before", "later", "is_loose"),
    [
        (10, FOREVER, {"begins_at": 111}, True),
        (10, FOREVER, {"begins_at": 110}, False),
        (10, 200, {"begins_at": 111}, True),
        (10, 10, {"begins_at": 111}, False),
        (200, 10, {"begins_at": 900}, False),
        (10, FOREVER, {"begins_at": 111, "problem": "b"}, False),
        (10, FOREVER, {"begins_at": 111, "incident_id": 8}, False),
    ],
)
def test_an_end_told_late_loosens_what_it_held(
    until: int, before: int, later: dict[str, Any], is_loose: bool
) -> None:
    """Only the same problem of the same incident, and beyond the window."""
    known = episode(1, 0, until=before, incident_id=7)
    around = {
        1: episode(1, 0, until=until, incident_id=7),
        2: episode(2, **{"incident_id": 7, **later}),
    }
    found = find_loosened(around, {1: known}, WINDOWS)
    assert found == ({7} if is_loose else set())
