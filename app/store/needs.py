"""What tells whether people still need to be told, for many at once."""

from collections.abc import Collection

from sqlalchemy import Connection, func, literal_column, select

from app.models.approval import Approval
from app.models.tables import EntryRow, table_of
from app.store.among import among
from app.store.approvals import APPROVAL, to_approval
from app.store.decisions import DECISION

ENTRY = table_of(EntryRow)
# After each of these what was acknowledged before is over.
ANEW = ("incident.resolved", "incident.reopened")
# Added to nothing, so that its index does not lead: it has every incident.
KIND = ENTRY.c.kind + literal_column("''")
# Made once: to make a statement costs several times what it takes to run.
BEGUN = (
    select(ENTRY.c.incident_id, func.max(ENTRY.c.at))
    .where(among(ENTRY.c.incident_id, "ids"), KIND.in_(ANEW))
    .group_by(ENTRY.c.incident_id)
)
ACTIONS = select(DECISION.c.id, DECISION.c.action).where(
    among(DECISION.c.id, "ids")
)
QUESTIONS = select(APPROVAL).where(among(APPROVAL.c.id, "ids"))


def find_begun(
    connection: Connection, incidents: Collection[int]
) -> dict[int, int]:
    """Return when incidents were over or began anew last, if they ever did."""
    rows = connection.execute(BEGUN, {"ids": incidents}) if incidents else ()
    return {number: int(at) for number, at in rows}


def find_actions(
    connection: Connection, decisions: Collection[int]
) -> dict[int, str]:
    """Return the actions of some decisions."""
    rows = connection.execute(ACTIONS, {"ids": decisions}) if decisions else ()
    return {number: str(action) for number, action in rows}


def find_approvals(
    connection: Connection, ids: Collection[int]
) -> dict[int, Approval]:
    """Return some questions, whatever became of them."""
    rows = connection.execute(QUESTIONS, {"ids": ids}) if ids else ()
    return {row.id: to_approval(row) for row in rows}
