"""Heirs: where an incident lives on after it was merged."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from app.models.incident import Incident
from app.store.incidents import find_incidents

# Whoever merges for longer than that merges in a circle.
LONGEST_WAY = 100


def find_heir(connection: Connection, number: int) -> Incident | None:
    """Return the incident that a number leads to, None when it is gone."""
    return find_heirs(connection, [number]).get(number)


def find_heirs(
    connection: Connection, numbers: Collection[int]
) -> dict[int, Incident]:
    """Return the incidents that numbers lead to, but for those that are gone.

    However many there are, each step of their ways is asked for once.
    """
    known: dict[int, Incident] = {}
    asked = set(numbers)
    for _ in range(LONGEST_WAY):
        if not asked:
            break
        found = find_incidents(connection, asked)
        known |= found
        led = {one.merged_into for one in found.values() if one.merged_into}
        asked = led - known.keys()
    ends = {number: _follow(known, number) for number in numbers}
    return {number: end for number, end in ends.items() if end is not None}


def _follow(known: Mapping[int, Incident], number: int) -> Incident | None:
    """Return where a way ends, None when it ends nowhere."""
    for _ in range(LONGEST_WAY):
        found = known.get(number)
        if found is None or not found.merged_into:
            return found
        number = found.merged_into
    return None
