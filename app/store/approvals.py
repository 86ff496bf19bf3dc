"""Questions to people in the store, and what they answered.

Every function that writes runs in a turn of the ledger. A question changes
by compare-and-set, so that the first answer wins on any node.
"""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_new

from app.models.approval import OPEN, Approval, Vote
from app.models.mission_tables import ApprovalRow, VoteRow
from app.models.ruling import Mode
from app.models.tables import table_of
from app.store.among import among
from app.store.incidents import next_id
from app.store.indexing import note_spans
from app.store.listings import Listing
from app.store.missions import Fenced
from app.store.teams import Teams, may_see

__all__ = ["APPROVALS", "Fenced"]
APPROVAL = table_of(ApprovalRow)
VOTE = table_of(VoteRow)
APPROVALS = Listing(
    rows=APPROVAL,
    moment="asked_at",
    indexed=frozenset({"state", "incident_id"}),
    leading=frozenset({"incident_id"}),
    few={"state": frozenset({OPEN.value})},
)
COLUMNS = APPROVAL.c.keys()
VOTE_COLUMNS = VOTE.c.keys()
MOST_OPEN = 1_000
# Made once: to make a statement costs several times what it takes to run.
ADD = insert(APPROVAL)
ONE = select(APPROVAL).where(APPROVAL.c.id == bindparam("number"))
ASKED = (
    select(APPROVAL)
    .where(APPROVAL.c.state == OPEN.value)
    .order_by(APPROVAL.c.id)
    .limit(MOST_OPEN)
)
ASKED_OF = ASKED.where(among(APPROVAL.c.id, "ids"))
WAITING = select(func.count()).where(APPROVAL.c.state == OPEN.value)
SAVE = (
    update(APPROVAL)
    .where(
        APPROVAL.c.id == bindparam("at"),
        APPROVAL.c.version == bindparam("was"),
    )
    .values({name: bindparam(name) for name in COLUMNS if name != "id"})
)
ADD_VOTE = (
    insert_new(VOTE)
    .on_conflict_do_nothing()
    .execution_options(preserve_rowcount=True)
)
VOTES = (
    select(VOTE)
    .where(VOTE.c.approval_id == bindparam("number"))
    .order_by(VOTE.c.at, VOTE.c.person, VOTE.c.answer)
)
KINDS = (
    APPROVAL.c.action,
    APPROVAL.c.environment,
    APPROVAL.c.mode,
    APPROVAL.c.state,
)
AGREEMENT = (
    select(*KINDS, func.count())
    .where(APPROVAL.c.asked_at >= bindparam("since"))
    .group_by(*KINDS)
    .order_by(*KINDS)
)

SUGGESTED = (
    select(APPROVAL)
    .where(
        APPROVAL.c.mode == Mode.SUGGEST.value,
        APPROVAL.c.state == OPEN.value,
        APPROVAL.c.expires_at <= bindparam("now"),
    )
    .order_by(APPROVAL.c.id)
    .limit(bindparam("most"))
)


def add_approval(connection: Connection, approval: Approval) -> int:
    """Write a new question down; return its number."""
    number = next_id(connection, APPROVAL)
    row = {**msgspec.structs.asdict(approval), "id": number}
    connection.execute(ADD, row)
    note_spans(connection, APPROVALS, [(number, approval.asked_at)])
    return number


def find_approval(connection: Connection, number: int) -> Approval | None:
    """Return a question, or None."""
    row = connection.execute(ONE, {"number": number}).one_or_none()
    return None if row is None else to_approval(row)


def find_open(
    connection: Connection, ids: Collection[int] | None = None
) -> list[Approval]:
    """Return questions that wait for an answer, the oldest first.

    Args:
        connection: where to ask.
        ids: of these questions only, None for the oldest of all.
    """
    if ids is None:
        rows = connection.execute(ASKED)
    else:
        rows = connection.execute(ASKED_OF, {"ids": ids})
    return [to_approval(row) for row in rows]


def save_approval(
    connection: Connection, before: Approval, after: Approval
) -> None:
    """Write down what became of a question.

    Raises:
        Fenced: it is not as it was: another answer was first.
    """
    row = msgspec.structs.asdict(after)
    del row["id"]
    row["at"], row["was"] = before.id, before.version
    if not connection.execute(SAVE, row).rowcount:
        raise Fenced(f"approval {before.id} is not as it was")


def find_unanswered(
    connection: Connection, now: int, limit: int
) -> list[Approval]:
    """Return suggestions that nobody answered in time, the oldest first.

    A question that a mission waits for is ended by the mission.
    """
    bounds = {"now": now, "most": limit}
    rows = connection.execute(SUGGESTED, bounds)
    return [to_approval(row) for row in rows]


def add_vote(connection: Connection, vote: Vote) -> bool:
    """Write an answer down; tell whether that person had not said it yet."""
    row = msgspec.structs.asdict(vote)
    return bool(connection.execute(ADD_VOTE, row).rowcount)


def find_votes(connection: Connection, number: int) -> list[Vote]:
    """Return the answers to a question, in their order."""
    rows = connection.execute(VOTES, {"number": number})
    return [Vote(**dict(zip(VOTE_COLUMNS, row, strict=True))) for row in rows]


def count_agreement(
    connection: Connection, since: int, teams: Teams = ()
) -> list[tuple[str, str, str, str, int]]:
    """Return what people said to what was asked since a moment.

    Args:
        connection: where to ask.
        since: what was asked before does not count.
        teams: only about their incidents; none: about all.

    Returns:
        Action, environment, mode, state of the question, and how many.
    """
    seen = [may_see(APPROVALS, teams)] if teams else []
    rows = connection.execute(AGREEMENT.where(*seen), {"since": since})
    return [
        (a, place, mode, state, int(n)) for a, place, mode, state, n in rows
    ]


def count_waiting(connection: Connection, teams: Teams = ()) -> int:
    """Return how many questions wait for an answer.

    Args:
        connection: where to ask.
        teams: only about their incidents; none: about all.
    """
    seen = [may_see(APPROVALS, teams)] if teams else []
    return int(connection.execute(WAITING.where(*seen)).scalar_one())


def to_approval(row: Any) -> Approval:
    """Return a row as a question."""
    return Approval(**dict(zip(COLUMNS, row, strict=True)))
