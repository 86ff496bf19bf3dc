"""The ledger finds what is lost, twice or strange."""

import pytest

from tests.chaos.ledger import Found, Identity, Ledger, Post

ONE = Identity("f1", "alertmanager", "1", "firing")
TWO = Identity("f2", "alertmanager", "2", "firing")
POST = Post(b"body", (ONE,))
WHOLE = Found([(1, b"body")], [(7, ONE, 1)], [])


def acknowledged() -> Ledger:
    """Return the ledger of one delivery with one alert."""
    ledger = Ledger()
    ledger.send(POST)
    ledger.accept(POST, {"delivery": 1, "alerts": [7]}, place=10)
    return ledger


def test_what_is_there_as_sent_is_right() -> None:
    """A database that holds what was acknowledged has no faults."""
    assert acknowledged().compare(WHOLE) == []


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (Found([], [], []), "lost"),
        (WHOLE._replace(alerts=[]), "lost"),
        (WHOLE._replace(deliveries=[(1, b"bodY")]), "lost"),
        (WHOLE._replace(deliveries=[(1, b"body"), (2, b"body")]), "twice"),
        (WHOLE._replace(alerts=[(7, ONE, 1), (8, ONE, 1)]), "twice"),
        (WHOLE._replace(alerts=[(7, ONE, 1), (8, TWO, 1)]), "strange"),
        (WHOLE._replace(alerts=[(7, ONE, 9)]), "strange"),
        (WHOLE._replace(flaws=["integrity: no"]), "integrity"),
    ],
)
def test_what_is_wrong_is_named(found: Found, fault: str) -> None:
    """Each kind of damage is found."""
    faults = acknowledged().compare(found)
    assert any(text.startswith(fault) for text in faults)


def test_a_later_acknowledgement_is_not_asked_for() -> None:
    """At a cut only what had been acknowledged by then must be there."""
    empty = Found([], [], [])
    assert acknowledged().compare(empty, until=9) == []


def test_the_same_bytes_with_two_ids_are_a_fault() -> None:
    """A resend must get the id of the first time."""
    ledger = acknowledged()
    ledger.accept(POST, {"delivery": 2, "alerts": []}, place=11)
    assert ledger.faults == ["two ids: 1, 2"]
