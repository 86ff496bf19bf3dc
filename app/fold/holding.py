"""Hold-down: new problems are given time to heal themselves.

How long an incident waits follows from what is in it, in whatever order that
came: an episode that no rule names, or that a person put there, lets it wait
no longer; otherwise the least of the waits counts, from its opening.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.fold.rules import Rules
from app.fold.standing import labels_of
from app.models.incident import Incident
from app.store.incidents import StrandRecord, find_strands_by_id
from app.store.ledger import Connection
from app.store.weighing import find_sorts


def hold(
    connection: Connection,
    rules: Rules,
    incidents: Mapping[int, Incident],
    strands: dict[int, StrandRecord],
    now: int,
) -> dict[int, Incident]:
    """Return incidents with the moment until which they are held down.

    Args:
        connection: the turn's transaction.
        rules: which problems wait, and how long.
        incidents: those that are settled, by number.
        strands: those that are known already; added to here.
        now: the present.
    """
    longest = max((rule.wait for rule in rules.holds), default=0)
    young = {
        number
        for number, one in incidents.items()
        if one.opened_at + longest > _latest(one, now)
    }
    waits = _find_waits(connection, rules, sorted(young), strands)
    held = {}
    for number, incident in incidents.items():
        until = incident.opened_at + waits.get(number, 0)
        is_held = until > _latest(incident, now)
        held[number] = msgspec.structs.replace(
            incident, held_until=until if is_held else None
        )
    return held


def _latest(incident: Incident, now: int) -> int:
    """Return the latest moment that we know of: a clock may be set back."""
    return max(now, incident.changed_at)


def _find_waits(
    connection: Connection,
    rules: Rules,
    numbers: list[int],
    strands: dict[int, StrandRecord],
) -> dict[int, int]:
    """Return how long each of some incidents waits after its opening."""
    sorts = set(find_sorts(connection, numbers))
    missing = {one.strand_id for one in sorts} - strands.keys()
    strands |= find_strands_by_id(connection, missing)
    waits: dict[int, int] = {}
    for one in sorts:
        naming = rules.naming_of(strands[one.strand_id].source)
        is_free = one.pin or naming.is_calm
        wait = 0 if is_free else rules.hold(_labels(strands, one))
        waits[one.incident_id] = min(wait, waits.get(one.incident_id, wait))
    return waits


def _labels(strands: Mapping[int, StrandRecord], one: Any) -> dict[str, str]:
    """Return what a rule may ask about one sort of episode."""
    return labels_of(strands[one.strand_id], one)
