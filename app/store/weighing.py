"""What many episodes amount to, without reading each of them.

A storm puts thousands of episodes into one incident; a turn must not take
longer for it.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, func, literal_column, select

from app.models.cluster import FOREVER
from app.models.episode import Episode
from app.store.incidents import EPISODE, MOST_OF_ONE, in_chunks, to_episode

# Written out: with a value of its own no database would take the index.
IS_STALE = EPISODE.c.ended == literal_column("'stale'")


def weigh_firing(
    connection: Connection, incidents: Collection[int]
) -> dict[int, dict[str, int]]:
    """Return how many episodes of incidents go on, by severity."""
    found: dict[int, dict[str, int]] = {one: {} for one in incidents}
    columns = (EPISODE.c.incident_id, EPISODE.c.severity)
    for some in in_chunks(sorted(incidents)):
        query = (
            select(*columns, func.count())
            .where(EPISODE.c.incident_id.in_(some), EPISODE.c.until == FOREVER)
            .group_by(*columns)
        )
        for number, severity, count in connection.execute(query):
            found[number][severity] = count
    return found


def find_unheard(
    connection: Connection, incidents: Collection[int]
) -> set[int]:
    """Return those of some incidents in which an episode went stale."""
    found: set[int] = set()
    for number in incidents:
        query = select(EPISODE.c.id).where(
            EPISODE.c.incident_id == number, IS_STALE
        )
        if connection.execute(query.limit(1)).first() is not None:
            found.add(number)
    return found


def find_frequent(
    connection: Connection,
    incident_id: int,
    problems: Collection[str],
    changes: int,
) -> list[list[Episode]]:
    """Return the newest episodes of each problem that may be flapping.

    Only the newest episodes of the incident are looked at.

    Args:
        connection: the turn's transaction.
        incident_id: whose episodes they are.
        problems: those that changed.
        changes: so many beginnings and ends are too many.
    """
    columns = (EPISODE.c.id, EPISODE.c.problem, EPISODE.c.until)
    newest = (
        select(*columns)
        .where(EPISODE.c.incident_id == incident_id)
        .order_by(EPISODE.c.until.desc())
        .limit(MOST_OF_ONE)
        .subquery()
    )
    alike = newest.c.problem
    place = func.row_number().over(
        partition_by=alike, order_by=newest.c.until.desc()
    )
    many = func.count().over(partition_by=alike)
    ranked = select(
        newest.c.id, newest.c.problem, place.label("place"), many.label("many")
    ).subquery()
    found: dict[str, list[Episode]] = {}
    for some in in_chunks(sorted(problems)):
        query = select(EPISODE).join(ranked, ranked.c.id == EPISODE.c.id)
        query = query.where(
            ranked.c.problem.in_(some),
            ranked.c.place <= changes + 1,
            2 * ranked.c.many >= changes,
        )
        for row in connection.execute(query):
            found.setdefault(row.problem, []).append(to_episode(row))
    return [found[problem] for problem in sorted(found)]


def find_sorts(
    connection: Connection, incidents: Sequence[int]
) -> Iterator[Any]:
    """Yield each strand with a severity that incidents have, and the pin."""
    columns = (
        EPISODE.c.incident_id,
        EPISODE.c.strand_id,
        EPISODE.c.severity,
        EPISODE.c.pin,
    )
    for number in incidents:
        query = select(*columns).where(EPISODE.c.incident_id == number)
        query = query.order_by(EPISODE.c.until.desc(), EPISODE.c.id.desc())
        yield from connection.execute(query.limit(MOST_OF_ONE))
