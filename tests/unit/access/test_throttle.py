"""Who tries passwords waits longer and longer, on both databases."""

from collections.abc import Iterator

import pytest

from app.access import throttle
from app.access.throttle import (
    NAME_FROM,
    PEER_FROM,
    SECOND,
    check,
    claim,
    forgive,
    keys_of,
    pause_of,
)
from app.core.errors import TooOften
from app.store.attempts import ATTEMPT, Attempt, find_attempts
from app.store.ledger import Ledger
from app.store.location import Location

NOW = 1_795_227_242_000_000
KEYS = keys_of("ana", "192.0.2.7")


@pytest.fixture
def ledger(location: Location) -> Iterator[Ledger]:
    """Return the way to write."""
    made = Ledger(location, 5.0)
    yield made
    made.close()


def tries(ledger: Ledger, count: int, now: int = NOW) -> list[bool]:
    """Try so often at one moment."""
    with ledger.turn() as connection:
        return [claim(connection, KEYS, now) for _ in range(count)]


def waits(ledger: Ledger, now: int) -> int:
    """Return how many seconds somebody waits, 0 when they may try."""
    with ledger.turn() as connection:
        try:
            check(connection, KEYS, now)
        except TooOften as error:
            return error.seconds
    return 0


@pytest.mark.parametrize(
    ("count", "seconds"),
    [
        (0, 0),
        (4, 0),
        (5, 1),
        (6, 2),
        (7, 4),
        (12, 128),
        (13, 256),
        (14, 300),
        (100, 300),
        (100_000, 300),
    ],
)
def test_the_pause_doubles_up_to_five_minutes(
    count: int, seconds: int
) -> None:
    """From the fifth try on."""
    assert pause_of(count, NAME_FROM) == seconds


def test_the_fifth_try_waits(ledger: Ledger) -> None:
    """And is the one that is written down."""
    assert tries(ledger, 4) == [False] * 4
    assert waits(ledger, NOW) == 0
    assert tries(ledger, 1) == [True]
    assert waits(ledger, NOW) == 1
    assert waits(ledger, NOW + SECOND - 1) == 1
    assert waits(ledger, NOW + SECOND) == 0


def test_who_waits_is_not_counted(ledger: Ledger) -> None:
    """Or nobody could ever come in while another one tries."""
    tries(ledger, 5)
    for _ in range(3):
        with ledger.turn() as connection, pytest.raises(TooOften):
            claim(connection, KEYS, NOW)
    assert tries(ledger, 1, NOW + SECOND) == [False]
    assert waits(ledger, NOW + SECOND) == 2


def test_it_fades(ledger: Ledger) -> None:
    """One try in five minutes, after the pause."""
    tries(ledger, 5)
    later = NOW + SECOND + 2 * throttle.FADE
    assert tries(ledger, 1, later) == [False]
    with ledger.turn() as connection:
        found = find_attempts(connection, [KEYS[0].digest])
    assert found[KEYS[0].digest] == Attempt(KEYS[0].digest, 4, later)
    assert waits(ledger, later) == 0


def test_an_address_waits_after_many_names(ledger: Ledger) -> None:
    """Whoever tries one password for all names is one address."""
    with ledger.turn() as connection:
        begins = [
            claim(connection, keys_of(f"name{n}", "192.0.2.7"), NOW)
            for n in range(PEER_FROM)
        ]
        assert begins == [False] * (PEER_FROM - 1) + [True]
        with pytest.raises(TooOften):
            claim(connection, keys_of("another", "192.0.2.7"), NOW)
        claim(connection, keys_of("another", "192.0.2.8"), NOW)


def test_who_has_signed_in_is_forgiven(ledger: Ledger) -> None:
    """The name wholly; its address only this one try."""
    tries(ledger, 4)
    with ledger.turn() as connection:
        forgive(connection, KEYS, NOW)
        found = find_attempts(connection, [key.digest for key in KEYS])
    assert set(found) == {KEYS[1].digest}
    assert found[KEYS[1].digest].count == 3


@pytest.mark.parametrize("seconds", [1, 30, 3_600, 86_400 * 365])
def test_a_clock_that_was_ahead_locks_nobody_out(
    ledger: Ledger, seconds: int
) -> None:
    """Another node's, or ours before it was set back: nobody had to wait."""
    ahead = NOW + seconds * SECOND
    tries(ledger, 1, ahead)
    with ledger.turn() as connection:
        forgive(connection, KEYS, ahead)
    assert waits(ledger, NOW) == 0


def test_who_was_to_wait_by_a_clock_that_was_ahead(ledger: Ledger) -> None:
    """They have one try, and wait again by this clock; none is forgotten."""
    tries(ledger, 5, NOW + throttle.DAY)
    assert tries(ledger, 1) == [False]
    assert waits(ledger, NOW) == 2
    assert waits(ledger, NOW + 2 * SECOND) == 0


def test_a_clock_that_is_a_little_ahead_lets_nobody_try_more(
    ledger: Ledger,
) -> None:
    """Two nodes never have one time; who waits, waits on both."""
    tries(ledger, 5, NOW + SECOND // 2)
    assert waits(ledger, NOW) == 1


def test_names_are_not_kept(ledger: Ledger) -> None:
    """What people type there by mistake is a password."""
    tries(ledger, 1)
    with ledger.turn() as connection:
        rows = connection.execute(ATTEMPT.select()).all()
    assert len(rows) == 2
    assert not any("ana" in str(row) or "192" in row.key for row in rows)


def test_what_faded_long_ago_is_forgotten(ledger: Ledger) -> None:
    """The table does not grow for ever."""
    tries(ledger, 1)
    with ledger.turn() as connection:
        other = keys_of("ben", "192.0.2.9")
        forgive(connection, other, NOW + 2 * throttle.DAY)
        assert connection.execute(ATTEMPT.select()).all() == []


def test_nobody_has_to_come_in_for_that(ledger: Ledger) -> None:
    """Whoever fills the table, by names of all kinds, empties it, too."""
    tries(ledger, 1)
    later = NOW + 2 * throttle.DAY
    with ledger.turn() as connection:
        others = keys_of("ben", "192.0.2.9")
        for _ in range(NAME_FROM):
            claim(connection, others, later)
        left = connection.execute(ATTEMPT.select()).all()
    assert {row.key for row in left} == {one.digest for one in others}
