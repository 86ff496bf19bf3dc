"""Strands: points in the source's time, and the episodes out of them."""

from itertools import permutations
from typing import Any

import msgspec
import pytest

from app.models.alert import Severity, Status
from app.models.strand import (
    EARLY,
    MOST_POINTS,
    Ending,
    Point,
    Saying,
    Strand,
)

FIRING, RESOLVED, UPDATED = Status.FIRING, Status.RESOLVED, Status.UPDATED


def say(status: Status, starts: int | None, **more: Any) -> Saying:
    """Return what an alert says, with just enough in it."""
    values: dict[str, Any] = {
        "alert_id": 1,
        "severity": Severity.WARNING,
        "name": "DiskFull",
        "summary": "",
        "ends_at": None,
        "said_at": 1_000,
        "received_at": 1_000,
        **more,
    }
    return Saying(status=status, starts_at=starts, **values)


def after(*sayings: Saying) -> Strand:
    """Return a strand that was told all of this."""
    strand = Strand()
    for saying in sayings:
        strand.take(saying)
    return strand


def endings(strand: Strand) -> list[tuple[int, Ending | None]]:
    """Return when the episodes began, and how they ended."""
    return [(point.begins_at, end) for point, end in strand.endings()]


@pytest.mark.parametrize(
    ("sayings", "expected"),
    [
        ([say(FIRING, 10)], [(10, None)]),
        ([say(FIRING, None, received_at=7)], [(7, None)]),
        (
            [say(FIRING, 10), say(RESOLVED, 10, ends_at=20)],
            [(10, Ending(20, "resolved"))],
        ),
        (
            [say(FIRING, 10), say(RESOLVED, 10, received_at=25)],
            [(10, Ending(25, "resolved"))],
        ),
        # An end with a later beginning than the one that was told.
        (
            [say(FIRING, 10), say(RESOLVED, 15, ends_at=20)],
            [(10, Ending(20, "resolved")), (15, Ending(20, "resolved"))],
        ),
        (
            [
                say(FIRING, 10),
                say(RESOLVED, 15, ends_at=20),
                say(FIRING, 15),
            ],
            [(10, Ending(15, "began again")), (15, Ending(20, "resolved"))],
        ),
        (
            [say(FIRING, 10), say(RESOLVED, None, ends_at=10)],
            [(10, Ending(10, "resolved"))],
        ),
        (
            [say(FIRING, 10), say(RESOLVED, None, ends_at=9)],
            [(10, None)],
        ),
        (
            [say(FIRING, 10), say(FIRING, 30)],
            [(10, Ending(30, "began again")), (30, None)],
        ),
        (
            [
                say(FIRING, 10),
                say(FIRING, 30),
                say(RESOLVED, None, ends_at=20),
            ],
            [(10, Ending(20, "resolved")), (30, None)],
        ),
        (
            [say(UPDATED, 10, ends_at=20)],
            [(10, Ending(20, "resolved"))],
        ),
        ([say(FIRING, 10, ends_at=20)], [(10, None)]),
        ([say(UPDATED, None)], []),
    ],
)
def test_what_is_said_makes_episodes(
    sayings: list[Saying], expected: list[tuple[int, Ending | None]]
) -> None:
    """In whatever order it is said."""
    assert endings(after(*sayings)) == expected
    assert endings(after(*reversed(sayings))) == expected


def test_the_earliest_end_counts() -> None:
    """Two senders that noticed it at different times."""
    ends = [say(RESOLVED, 10, ends_at=end) for end in (30, 20, 25)]
    assert endings(after(say(FIRING, 10), *ends)) == [
        (10, Ending(20, "resolved"))
    ]


def test_an_end_is_no_alarm() -> None:
    """Only what fires, or people's words about it, make a problem."""
    (point,) = after(say(RESOLVED, 10, ends_at=20)).points
    assert not point.is_fired
    assert after(say(UPDATED, 10)).is_fired


def test_what_lapsed_goes_on_when_it_is_heard_of() -> None:
    """We had only given up waiting."""
    strand = after(say(FIRING, 10))
    strand.points[0].lapsed_at = 500
    assert endings(strand) == [(10, Ending(500, "stale"))]
    strand.take(say(UPDATED, 10))
    assert endings(strand) == [(10, None)]


@pytest.mark.parametrize("turned", [False, True])
def test_the_newest_word_on_severity_counts(turned: bool) -> None:
    """An update has the last word; an end and silence have none."""
    sayings = [
        say(FIRING, 10),
        say(UPDATED, 10, said_at=50, severity=Severity.CRITICAL),
        say(UPDATED, 10, said_at=40, severity=Severity.INFO),
        say(UPDATED, 10, said_at=60, severity=Severity.UNKNOWN),
        say(RESOLVED, 10, ends_at=70, severity=Severity.ERROR),
    ]
    strand = after(*(reversed(sayings) if turned else sayings))
    assert strand.points[0].severity is Severity.CRITICAL


def test_an_undated_update_is_about_what_went_on() -> None:
    """Not about an episode that began after it was said."""
    strand = after(say(FIRING, 10), say(FIRING, 90))
    assert strand.take(say(UPDATED, None, said_at=50)) is strand.points[0]


def test_its_memory_is_bounded() -> None:
    """The oldest go; they are not begun anew when they are told again."""
    strand = Strand()
    for start in range(100):
        strand.take(say(FIRING, start))
        strand.take(say(RESOLVED, None, ends_at=start))
        strand.forget()
    assert len(strand.points) == len(strand.loose_ends) == MOST_POINTS
    assert strand.take(say(FIRING, 99 - MOST_POINTS)) is None
    assert strand.take(say(FIRING, 100 - MOST_POINTS)) is strand.points[0]
    assert len(msgspec.json.encode(strand)) < 5_000


def test_a_forgotten_end_stays_an_end() -> None:
    """It moves to the episode that it ended."""
    strand = after(say(FIRING, 1), say(RESOLVED, None, ends_at=2))
    for end in range(100, 100 + MOST_POINTS):
        strand.take(say(RESOLVED, None, ends_at=end))
    strand.forget()
    assert 2 not in strand.loose_ends
    assert endings(strand) == [(1, Ending(2, "resolved"))]


AHEAD = 2_000 + 2 * EARLY


@pytest.mark.parametrize(
    "ahead",
    [
        [say(FIRING, AHEAD)],
        [say(FIRING, AHEAD), say(RESOLVED, AHEAD, ends_at=AHEAD + 5)],
        [say(FIRING, AHEAD), say(RESOLVED, None, ends_at=AHEAD + 5)],
        [say(RESOLVED, AHEAD, ends_at=AHEAD + 5)],
    ],
)
def test_what_a_clock_dated_ahead_ends_nothing_now(
    ahead: list[Saying],
) -> None:
    """The sender's clock was set back, and it fires: in whatever order."""
    now = say(FIRING, 2_000, received_at=2_000)
    for order in permutations([*ahead, now]):
        assert (2_000, None) in endings(after(*order))
    over = say(RESOLVED, None, ends_at=2_500, received_at=2_500)
    for order in permutations([*ahead, now, over]):
        ended = (2_000, Ending(2_500, "resolved"))
        assert ended in endings(after(*order))


@pytest.mark.parametrize("begins", [None, 180])
def test_what_was_heard_before_it_began_is_no_end_of_it(
    begins: int | None,
) -> None:
    """A clock was ahead by some minutes, and was set back meanwhile."""
    second = EARLY // 300
    ahead = [
        say(FIRING, 180 * second, received_at=1),
        say(
            RESOLVED,
            begins and begins * second,
            ends_at=240 * second,
            received_at=60 * second,
        ),
    ]
    now = say(FIRING, 100 * second, received_at=100 * second)
    over = say(RESOLVED, None, ends_at=250 * second, received_at=250 * second)
    first = (180 * second, Ending(240 * second, "resolved"))
    for told in permutations([*ahead, now]):
        assert endings(after(*told)) == [(100 * second, None), first]
    ended = (100 * second, Ending(250 * second, "resolved"))
    assert endings(after(*ahead, now, over)) == [ended, first]


def test_an_end_that_came_first_is_an_end_all_the_same() -> None:
    """Of what began before it came: the order plays no part."""
    fired = say(FIRING, 10, received_at=30)
    over = say(RESOLVED, None, ends_at=20, received_at=25)
    ended = [(10, Ending(20, "resolved"))]
    assert endings(after(over, fired)) == endings(after(fired, over)) == ended


def test_a_clock_that_stays_ahead_is_as_good_as_any() -> None:
    """What began again ends what was before, both dated alike."""
    strand = after(say(FIRING, AHEAD), say(FIRING, AHEAD + 60))
    assert endings(strand) == [
        (AHEAD, Ending(AHEAD + 60, "began again")),
        (AHEAD + 60, None),
    ]


def test_what_goes_on_is_remembered_beside_what_was_dated_ahead() -> None:
    """However often it fired before the clock was set back."""
    strand = Strand()
    for number in range(2 * MOST_POINTS):
        strand.take(say(FIRING, AHEAD + number, received_at=number))
        strand.forget()
    for number in range(1_000, 1_000 + 2 * MOST_POINTS):
        assert strand.take(say(FIRING, number, received_at=number)) is not None
        strand.forget()
        assert (number, None) in endings(strand)
    assert len(strand.points) == MOST_POINTS


def test_it_is_the_same_after_storing() -> None:
    """What is read back is what was written."""
    strand = after(say(FIRING, 10), say(RESOLVED, None, ends_at=20))
    text = msgspec.json.encode(strand)
    assert msgspec.json.decode(text, type=Strand) == strand
    assert isinstance(strand.points[0], Point)
