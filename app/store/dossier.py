"""The dossier: one incident with all that belongs to it."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, select

from app.models.episode import Episode
from app.models.incident import Incident
from app.models.mission import Mission
from app.models.tables import EntryRow, WordRow
from app.models.word import Word
from app.store.decisions import find_of_incident
from app.store.incidents import INCIDENT, find_episodes_of
from app.store.listings import INCIDENTS
from app.store.missions import find_newest
from app.store.people import find_family, to_word
from app.store.siblings import find_siblings
from app.store.teams import Teams, keep_seen, may_see

ENTRY: Table = EntryRow.__table__  # type: ignore[attr-defined]  # the same
WORD: Table = WordRow.__table__  # type: ignore[attr-defined]  # SQLModel's
# Of each kind, the newest.
MOST = 200
MOST_DECISIONS = 20


class Dossier(msgspec.Struct, frozen=True):
    """One incident with all that belongs to it.

    Attributes:
        row: the incident.
        episodes: its episodes, the newest first.
        siblings: incidents with the same problem at the same time.
        merged: incidents that live on in it, however deep.
        words: what people said about all of them, the oldest first.
        decisions: what was decided about all of them, the newest first.
        mission: what is done about it, or was at last; or None.
    """

    row: Any
    episodes: Sequence[Episode]
    siblings: Sequence[int]
    merged: Sequence[int]
    words: Sequence[Word]
    decisions: Sequence[Any] = ()
    mission: Mission | None = None


def find_dossier(
    connection: Connection, incident_id: int, within: int, teams: Teams = ()
) -> Dossier | None:
    """Return an incident with all that belongs to it, or None.

    Args:
        connection: a snapshot.
        incident_id: which one.
        within: how far apart siblings may begin, in microseconds.
        teams: who asks; none: they see all.
    """
    query = select(INCIDENT).where(INCIDENT.c.id == incident_id)
    if teams:
        query = query.where(may_see(INCIDENTS, teams))
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    family = find_family(connection, incident_id)
    family = keep_seen(connection, family, teams)
    said = select(WORD).where(WORD.c.incident_id.in_(family))
    said = said.order_by(WORD.c.id.desc()).limit(MOST)
    words = [to_word(one) for one in connection.execute(said)]
    incident = Incident(**row._asdict())
    siblings = find_siblings(connection, incident, within, MOST)
    return Dossier(
        row=row,
        episodes=find_episodes_of(connection, incident_id)[:MOST],
        siblings=keep_seen(connection, siblings, teams),
        merged=[number for number in family if number != incident_id],
        words=words[::-1],
        decisions=find_of_incident(connection, family, MOST_DECISIONS),
        mission=find_newest(connection, [incident_id]).get(incident_id),
    )


def find_entries(
    connection: Connection, incident_id: int, limit: int
) -> list[Any]:
    """Return the last entries of an incident's log, the oldest first."""
    query = select(ENTRY).where(ENTRY.c.incident_id == incident_id)
    query = query.order_by(ENTRY.c.id.desc()).limit(limit)
    return list(connection.execute(query).all())[::-1]
