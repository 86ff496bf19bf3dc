"""Words: which one counts, and which one a second try asks for."""

from itertools import permutations
from typing import Any

import msgspec
import pytest

from app.models.word import Call, Kind, Word, newest

ACK, UNACK = Kind.ACKNOWLEDGE, Kind.UNACKNOWLEDGE


def word(number: int, at: int, kind: Kind = ACK, **more: Any) -> Word:
    """Return a word."""
    values = {"author": "ana", "incident_id": 7, "version": 2, **more}
    return Word(id=number, at=at, kind=kind.value, **values)


# Of each two the second one counts.
ORDERED = [
    (word(1, 10), word(2, 11)),
    (word(9, 10), word(2, 11)),
    # Of one moment our own word counts, in the order in which it came.
    (word(9, 10, alert_id=5), word(2, 10)),
    (word(9, 10, UNACK, alert_id=5), word(2, 10, ACK)),
    (word(1, 10, ACK), word(2, 10, UNACK)),
    (word(1, 10, UNACK), word(2, 10, ACK)),
    # Of one moment there, taking back counts, in whatever order it came.
    (word(1, 10, ACK, alert_id=5), word(2, 10, UNACK, alert_id=6)),
    (word(2, 10, ACK, alert_id=6), word(1, 10, UNACK, alert_id=5)),
    # A later one there counts more than an earlier one here.
    (word(9, 10), word(1, 11, alert_id=5)),
    # Two there of one moment: the name decides, not the number.
    (
        word(9, 10, alert_id=6, author="ana"),
        word(1, 10, alert_id=5, author="bob"),
    ),
]


@pytest.mark.parametrize(("older", "newer"), ORDERED)
def test_the_newest_word_counts(older: Word, newer: Word) -> None:
    """In whatever order they are read."""
    assert newest([older, newer]) is newer
    assert newest([newer, older]) is newer


def test_the_newest_of_many_does_not_depend_on_their_order() -> None:
    """The rank is one order of them all."""
    words = [
        word(1, 10, ACK, alert_id=3),
        word(2, 10, UNACK, alert_id=4),
        word(3, 10, ACK),
        word(4, 9, UNACK),
    ]
    for order in permutations(words):
        assert newest(order) is words[2]


def test_of_no_words_none_counts() -> None:
    """Nobody acknowledged it."""
    assert newest([]) is None


CALL = Call(
    incident=7,
    kind=Kind.SPLIT,
    author="ana",
    text="two disks",
    details={"episodes": [1, 2]},
)
KEPT = Word(
    id=1,
    incident_id=7,
    at=10,
    author="ana",
    kind=Kind.SPLIT,
    text="two disks",
    version=3,
    details={"episodes": [1, 2], "into": 8},
)


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({}, True),
        ({"kind": Kind.MERGE}, False),
        ({"author": "bob"}, False),
        ({"author": "Ana"}, False),
        ({"text": ""}, False),
        ({"text": "two disks "}, False),
        ({"details": {}}, True),
        ({"details": {"episodes": [1]}}, False),
        ({"details": {"episodes": [2, 1]}}, False),
        ({"details": {"episodes": [1, 2], "owner": ""}}, False),
        ({"details": {"into": 8}}, True),
        ({"details": {"into": 9}}, False),
        ({"version": 99}, True),
    ],
)
def test_a_second_try_is_told_from_another_call(
    change: dict[str, Any], is_same: bool
) -> None:
    """What came of it may be more than what was asked for, never less."""
    call = msgspec.structs.replace(CALL, **change)
    assert KEPT.answers(call) is is_same


def test_a_word_as_it_is_read_from_the_store_answers() -> None:
    """There its kind is a plain text."""
    kept = msgspec.structs.replace(KEPT, kind="split")
    assert kept.answers(CALL)
