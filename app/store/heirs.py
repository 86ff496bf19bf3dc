"""Heirs: where an incident lives on after it was merged."""

from sqlalchemy import Connection

from app.models.incident import Incident
from app.store.incidents import find_incidents

# Whoever merges for longer than that merges in a circle.
LONGEST_WAY = 100


def find_heir(connection: Connection, number: int) -> Incident | None:
    """Return the incident that a number leads to, None when it is gone."""
    for _ in range(LONGEST_WAY):
        found = find_incidents(connection, [number]).get(number)
        if found is None or not found.merged_into:
            return found
        number = found.merged_into
    return None
