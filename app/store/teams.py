"""Teams: what somebody sees who sees one team's incidents only.

What belongs to an incident is seen by whoever sees the incident. What
belongs to none is seen by those only who see all, but for some lines of the
log that concern everybody.

Which index leads is decided here, too: see app/store/pages.py.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    any_,
    false,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from app.store.listings import ENTRY, INCIDENT, LOG, Listing

Teams = tuple[str, ...]
# What everybody must know: that nothing runs, and who decides.
COMMON = (
    "halt.changed",
    "reins.changed",
    "policy.changed",
    "decide.changed",
)
# So many incidents can be named in one question.
FEW = 200


def may_see(listing: Listing, teams: Teams) -> ColumnElement[bool]:
    """Return the condition that a row is seen; asked row by row.

    A question of its own for each row is never made a join, so that the
    page is still found along the index that is meant to lead.
    """
    owner = listing.owner
    if owner is None:
        return false()
    if owner.table is INCIDENT:
        return INCIDENT.c.team.in_(teams)
    of_row = select(INCIDENT.c.team).where(INCIDENT.c.id == owner)
    seen = of_row.scalar_subquery().in_(teams)
    return or_(seen, is_common()) if listing is LOG else seen


def is_common() -> ColumnElement[bool]:
    """Return the condition that everybody may see a line of the log."""
    return and_(ENTRY.c.incident_id == 0, ENTRY.c.kind.in_(COMMON))


def ids_of_teams(
    connection: Connection,
    listing: Listing,
    teams: Teams,
    conditions: Sequence[ColumnElement[bool]],
) -> Select[tuple[int]]:
    """Return the question for ids of rows, incident by incident.

    In no order, and made whole before it is put in one: a database must not
    walk past all that others have.

    Args:
        connection: where it will be asked.
        listing: a list whose rows each belong to an incident.
        teams: whose they are.
        conditions: on the rows; no index answers them.
    """
    owner, number = listing.rows.c.incident_id, listing.rows.c.id
    mine = select(INCIDENT.c.id).where(INCIDENT.c.team.in_(teams))
    of_mine: ColumnElement[bool] = owner.in_(mine)
    if connection.dialect.name != "sqlite":
        # What is no join has no other order.
        of_mine = owner == any_(func.array(mine.scalar_subquery()))
    parts = [select(number.label("id")).where(of_mine, *conditions)]
    if listing is LOG:
        common = select(number).where(is_common(), *conditions)
        parts.append(common)
    hit = union_all(*parts).cte("mine").prefix_with("MATERIALIZED")
    return select(hit.c.id)


def unled(column: ColumnElement[int]) -> ColumnElement[int]:
    """Return a number that is the same, but for every index."""
    return column.op("+")(literal_column("0"))


def find_few(connection: Connection, teams: Teams) -> list[int] | None:
    """Return the incidents of some teams, None when there are many."""
    query = select(INCIDENT.c.id).where(INCIDENT.c.team.in_(teams))
    found = connection.execute(query.limit(FEW + 1)).scalars().all()
    return list(found) if len(found) <= FEW else None


def keep_seen(
    connection: Connection, incidents: Collection[int], teams: Teams
) -> list[int]:
    """Return those incidents that are seen, in the order given."""
    if not teams or not incidents:
        return list(incidents)
    query = select(INCIDENT.c.id).where(
        INCIDENT.c.id.in_(incidents), INCIDENT.c.team.in_(teams)
    )
    seen = set(connection.execute(query).scalars())
    return [number for number in incidents if number in seen]


def sees_row(
    connection: Connection, listing: Listing, row_id: int, teams: Teams
) -> bool:
    """Tell whether a row is there, and seen."""
    query = select(listing.rows.c.id).where(listing.rows.c.id == row_id)
    if teams:
        query = query.where(may_see(listing, teams))
    return connection.execute(query).first() is not None
