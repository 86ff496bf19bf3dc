"""What a clock that was ahead has moved or lent waits for no clock."""

from typing import Any

import pytest
from msgspec.structs import replace

from app.store.ledger import Connection
from app.store.missions import add_mission, find_mission, save_mission
from app.store.stranded import find_stranded, free_stranded
from tests.unit.store.missions import HOUR, NOW, SECOND, make_mission

# By a clock that was an hour ahead, and by one that is right.
FAR: dict[str, Any] = {"changed_at": NOW + HOUR, "due_at": NOW + HOUR}
NEAR: dict[str, Any] = {"changed_at": NOW, "due_at": NOW + 2 * SECOND}
MINUTE = 60 * SECOND


def lent(until: int) -> dict[str, Any]:
    """Return what is said of a mission that another worker has."""
    return {"holder": "other", "lease_until": until, "fence": 3}


@pytest.mark.parametrize(
    ("more", "due_at", "lease_until"),
    [
        (FAR, NOW, 0),
        ({**FAR, **lent(NOW + HOUR)}, NOW, NOW),
        ({**FAR, "due_at": NOW, **lent(NOW + HOUR)}, NOW, NOW),
        # By a clock that is right it is somebody's: it stays so.
        ({**FAR, **lent(NOW + 9 * SECOND)}, NOW, NOW + 9 * SECOND),
    ],
    ids=["rests", "rests and is lent", "is lent", "was taken since"],
)
@pytest.mark.parametrize("stage", ["ruling", "starting", "acting"])
def test_what_waits_for_a_clock_is_due_now(
    connection: Connection,
    stage: str,
    more: dict[str, Any],
    due_at: int,
    lease_until: int,
) -> None:
    """Nobody's moment is later than now, and no token changes hands."""
    number = add_mission(connection, make_mission(1, stage=stage, **more))
    before = find_mission(connection, number)
    assert find_stranded(connection, NOW, (), 10) == (number,)
    free_stranded(connection, [number], NOW)
    after = find_mission(connection, number)
    assert before
    assert after
    assert (after.due_at, after.lease_until) == (due_at, lease_until)
    assert (after.holder, after.fence) == (before.holder, before.fence)
    assert find_stranded(connection, NOW, (), 10) == ()


@pytest.mark.parametrize(
    ("stage", "more"),
    [
        ("acting", NEAR),
        # A poll may be far away, and a clock a little ahead.
        ("acting", {**NEAR, "due_at": NOW + HOUR}),
        ("acting", {"changed_at": NOW + MINUTE, "due_at": NOW + MINUTE}),
        ("acting", {**NEAR, **lent(NOW + MINUTE + 9 * SECOND)}),
        # People have until then; a deadline is on the wall.
        ("asking", FAR),
        ("deciding", FAR),
        ("closed", {"changed_at": NOW + HOUR, "due_at": None}),
    ],
)
def test_the_rest_has_its_time(
    connection: Connection, stage: str, more: dict[str, Any]
) -> None:
    """What a clock that is right said, and what people wait for."""
    add_mission(connection, make_mission(1, stage=stage, **more))
    assert find_stranded(connection, NOW, (), 10) == ()


@pytest.mark.parametrize(
    "since",
    [
        {"stage": "asking", "changed_at": NOW, "due_at": NOW + HOUR},
        # By the other node, whose clock is ahead.
        {"stage": "asking", **FAR},
        {"stage": "deciding", **FAR},
        {"stage": "acting", "changed_at": NOW, "due_at": NOW + HOUR},
    ],
    ids=["asks", "asks, ahead", "decides", "acts"],
)
def test_what_was_moved_meanwhile_has_its_time(
    connection: Connection, since: dict[str, Any]
) -> None:
    """What is looked for on a snapshot is freed in a turn, a while later."""
    mission = make_mission(1, stage="ruling", **FAR)
    number = add_mission(connection, mission)
    found = find_stranded(connection, NOW, (), 10)
    before = find_mission(connection, number)
    assert before
    moved = replace(before, version=before.version + 1, **since)
    save_mission(connection, before, moved)
    free_stranded(connection, found, NOW)
    assert find_mission(connection, number) == moved


def test_who_has_one_sees_to_it(connection: Connection) -> None:
    """It is left to its worker; of the others some are found at most."""
    ids = [
        add_mission(connection, make_mission(one, stage="acting", **FAR))
        for one in range(1, 5)
    ]
    assert find_stranded(connection, NOW, ids[:1], 2) == (*ids[1:3],)
