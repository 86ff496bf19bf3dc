"""Neglect: open incidents that nobody works on, and why people get them."""

from collections.abc import Mapping

import msgspec

from app.engine.moves import Moves, call_of
from app.engine.quieting import hand_over
from app.models.mission import Mission
from app.store.ledger import Connection
from app.store.missions import find_left_alone, find_newest
from app.store.unhealed import find_forgotten, find_observed, find_unhealed

UNDECIDED = "nobody decided on it in its time"
OFF = "nobody decided on it: deciding is switched off"
UNHEALED = "it was measured as fixed, and still fires"


class Neglected(msgspec.Struct, frozen=True):
    """An incident that nobody works on.

    Attributes:
        reason: what people are told.
        mission: its newest mission, or 0.
    """

    reason: str
    mission: int = 0


def find_neglected(
    connection: Connection, before: int, limit: int, *, is_deciding: bool
) -> dict[int, Neglected]:
    """Return what people get by now, and what they are told.

    Args:
        connection: a snapshot.
        before: what has been so since before this moment.
        limit: how many of each kind at most.
        is_deciding: whether incidents are decided on at all.
    """
    left = find_left_alone(connection, before, limit)
    left += find_forgotten(connection, before, limit)
    found = dict.fromkeys(left, UNDECIDED if is_deciding else OFF)
    for number in find_unhealed(connection, before, limit):
        found[number] = UNHEALED
    for row in find_observed(connection, before, limit):
        call = call_of(row.action, row.arguments)
        found[row.id] = f"observed: would have done {call}; it still fires"
    newest = find_newest(connection, found)
    return {
        number: Neglected(reason, newest[number].id)
        if number in newest
        else Neglected(reason)
        for number, reason in found.items()
    }


def take_over(
    connection: Connection,
    moves: Moves,
    number: int,
    found: Mapping[int, Neglected],
) -> Mission | None:
    """Give people one of what was found, unless somebody took it.

    Another node may have found it as well: what it began is newer.
    """
    newest = find_newest(connection, [number]).get(number)
    if (newest.id if newest else 0) != found[number].mission:
        return None
    return hand_over(connection, moves, number, found[number].reason)
