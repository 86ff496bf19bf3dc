"""What many episodes amount to, without reading each of them.

A storm puts thousands of episodes into one incident; a turn must not take
longer for it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    FromClause,
    Select,
    bindparam,
    func,
    literal_column,
    select,
)

from app.models.cluster import FOREVER
from app.models.episode import Episode
from app.store.among import among
from app.store.incidents import EPISODE, MOST_OF_ONE, to_episode

# Written out: with a value of its own no database would take the index.
IS_STALE = EPISODE.c.ended == literal_column("'stale'")
# Made once: to make a statement costs several times what it takes to run.
WEIGHTS = (
    select(EPISODE.c.incident_id, EPISODE.c.severity, func.count())
    .where(among(EPISODE.c.incident_id, "ids"), EPISODE.c.until == FOREVER)
    .group_by(EPISODE.c.incident_id, EPISODE.c.severity)
)
UNHEARD = (
    select(EPISODE.c.id)
    .where(EPISODE.c.incident_id == bindparam("number"), IS_STALE)
    .limit(1)
)
RANKED = (
    EPISODE.c.id,
    EPISODE.c.incident_id,
    EPISODE.c.problem,
    EPISODE.c.until,
)
OF_SOME = select(*RANKED).where(among(EPISODE.c.incident_id, "ids"))
NEWEST_OF_ONE = (
    select(*RANKED)
    .where(EPISODE.c.incident_id == bindparam("number"))
    .order_by(EPISODE.c.until.desc())
    .limit(MOST_OF_ONE)
)
SORTS = (
    select(
        EPISODE.c.incident_id,
        EPISODE.c.strand_id,
        EPISODE.c.severity,
        EPISODE.c.pin,
    )
    .where(EPISODE.c.incident_id == bindparam("number"))
    .order_by(EPISODE.c.until.desc(), EPISODE.c.id.desc())
    .limit(MOST_OF_ONE)
)


def _frequent_among(some: FromClause) -> Select[Any]:
    """Return the question for the newest of each problem that is frequent."""
    alike = (some.c.incident_id, some.c.problem)
    newest = some.c.until.desc()
    place = func.row_number().over(partition_by=alike, order_by=newest)
    many = func.count().over(partition_by=alike)
    over = func.count().filter(some.c.until < FOREVER)
    ranked = select(
        some.c.id,
        place.label("place"),
        many.label("many"),
        over.over(partition_by=alike).label("over"),
    ).subquery()
    return (
        select(EPISODE)
        .join(ranked, ranked.c.id == EPISODE.c.id)
        .where(
            among(EPISODE.c.problem, "problems"),
            ranked.c.place <= bindparam("changes") + 1,
            2 * ranked.c.many >= bindparam("changes"),
            2 * ranked.c.over + 1 >= bindparam("changes"),
        )
    )


FREQUENT_OF_SOME = _frequent_among(OF_SOME.subquery())
FREQUENT_OF_ONE = _frequent_among(NEWEST_OF_ONE.subquery())


def weigh_firing(
    connection: Connection, incidents: Collection[int]
) -> dict[int, dict[str, int]]:
    """Return how many episodes of incidents go on, by severity."""
    found: dict[int, dict[str, int]] = {one: {} for one in incidents}
    rows = connection.execute(WEIGHTS, {"ids": incidents}) if found else ()
    for number, severity, count in rows:
        found[number][severity] = count
    return found


def find_unheard(
    connection: Connection, incidents: Collection[int]
) -> set[int]:
    """Return those of some incidents in which an episode went stale."""
    found: set[int] = set()
    for number in incidents:
        if connection.execute(UNHEARD, {"number": number}).first() is not None:
            found.add(number)
    return found


def find_frequent(
    connection: Connection,
    incidents: Mapping[int, int],
    problems: Collection[str],
    changes: int,
) -> dict[int, list[list[Episode]]]:
    """Return, by incident, the newest episodes of what may be flapping.

    Episodes that go on overlap, so that together they are one change: some
    must be over. Only the newest of an incident are looked at.

    Args:
        connection: the turn's transaction.
        incidents: whose episodes they are, and how many each of them has.
        problems: those that changed.
        changes: so many beginnings and ends are too many.
    """
    wanted = {"problems": problems, "changes": changes}
    small = {n for n, count in incidents.items() if count <= MOST_OF_ONE}
    rows: list[Any] = []
    if small:
        known = {**wanted, "ids": small}
        rows += connection.execute(FREQUENT_OF_SOME, known)
    for number in incidents.keys() - small:
        known = {**wanted, "number": number}
        rows += connection.execute(FREQUENT_OF_ONE, known)
    found: dict[int, dict[str, list[Episode]]] = {}
    for row in rows:
        alike = found.setdefault(row.incident_id, {})
        alike.setdefault(row.problem, []).append(to_episode(row))
    return {
        number: [alike[problem] for problem in sorted(alike)]
        for number, alike in found.items()
    }


def find_sorts(
    connection: Connection, incidents: Sequence[int]
) -> Iterator[Any]:
    """Yield each strand with a severity that incidents have, and the pin."""
    for number in incidents:
        yield from connection.execute(SORTS, {"number": number})
