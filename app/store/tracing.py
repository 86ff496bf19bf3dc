"""From alerts to the incidents that they are part of.

An alert is a point of its strand, a point is an episode, and an episode is in
an incident. Nothing of that is a column of the alert, which is written before
it is folded and never changed afterwards.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, func, select
from sqlalchemy.engine import result_tuple

from app.models.brevity import shorten
from app.models.strand import Point, Strand
from app.models.tables import AlertRow, EpisodeRow, StrandRow
from app.store.incidents import (
    Name,
    find_episodes_by_id,
    find_strands,
    in_chunks,
)
from app.store.teams import Teams, keep_seen

ALERT: Table = AlertRow.__table__  # type: ignore[attr-defined]  # SQLModel's
STRAND: Table = StrandRow.__table__  # type: ignore[attr-defined]  # the same
EPISODE: Table = EpisodeRow.__table__  # type: ignore[attr-defined]  # the same


def trace(connection: Connection, rows: Sequence[Any]) -> list[Any]:
    """Return rows of alerts, each with its ``incident_id`` or None.

    None for what is not folded yet, for an end of which no beginning is
    known, and for words without a date about an episode of long ago.
    """
    if not rows:
        return []
    names: set[Name] = {(row.fingerprint, row.source) for row in rows}
    strands = find_strands(connection, names)
    episode_of: dict[int, int] = {}
    rest = []
    for row in rows:
        record = strands.get((row.fingerprint, row.source))
        if record is None:
            continue
        point = _find_point(record.memory, row)
        if point is not None:
            episode_of[row.id] = point.episode
        elif record.memory.may_have_forgotten(_begin(row)):
            rest.append(row.id)
    found = _by_beginning(connection, rest)
    episodes = find_episodes_by_id(connection, set(episode_of.values()))
    for alert_id, number in episode_of.items():
        if number in episodes:
            found[alert_id] = episodes[number].incident_id
    make = result_tuple([*rows[0]._fields, "incident_id"])
    return [make((*row, found.get(row.id))) for row in rows]


def sees_alert(
    connection: Connection, alert_id: int, teams: Teams, label: str
) -> bool:
    """Tell whether an alert is there, and seen by some teams.

    It is when it names one of them, or is part of an incident of theirs.

    Args:
        connection: where to ask.
        alert_id: which one.
        teams: who asks.
        label: which label names a team.
    """
    query = select(ALERT).where(ALERT.c.id == alert_id)
    rows = trace(connection, connection.execute(query).all())
    for row in rows:
        labels = msgspec.json.decode(row.labels, type=dict[str, str])
        if shorten(labels.get(label, "").strip()) in teams:
            return True
        return bool(keep_seen(connection, [row.incident_id or 0], teams))
    return False


def _find_point(memory: Strand, row: Any) -> Point | None:
    """Return the point of a strand that an alert is about, or None."""
    begins_at = _begin(row)
    for point in memory.points:
        if point.begins_at == begins_at:
            return point
    if row.starts_at is not None:
        return None
    for point in reversed(memory.points):
        if point.first_alert <= row.id <= point.last_alert:
            return point
    return None


def _begin(row: Any) -> int:
    """Return when the episode of an alert began, if the alert says so."""
    begins_at = row.received_at if row.starts_at is None else row.starts_at
    return int(begins_at)


def _by_beginning(
    connection: Connection, alerts: Sequence[int]
) -> dict[int, int]:
    """Return the incidents of alerts that their strands have forgotten."""
    found: dict[int, int] = {}
    begins_at = func.coalesce(ALERT.c.starts_at, ALERT.c.received_at)
    for some in in_chunks(alerts):
        query = (
            select(ALERT.c.id, EPISODE.c.incident_id)
            .join(
                STRAND,
                (STRAND.c.fingerprint == ALERT.c.fingerprint)
                & (STRAND.c.source == ALERT.c.source),
            )
            .join(
                EPISODE,
                # Along the index on these two; the strand has none.
                (EPISODE.c.problem == STRAND.c.problem)
                & (EPISODE.c.begins_at == begins_at)
                & (EPISODE.c.strand_id == STRAND.c.id),
            )
            .where(ALERT.c.id.in_(some))
        )
        found |= {row.id: row.incident_id for row in connection.execute(query)}
    return found
