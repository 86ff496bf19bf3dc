"""Messages in the store: what people are told, made of the action log.

Every function that writes runs in a turn of the ledger. That an entry is
told once is held by the database itself.
"""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    bindparam,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from app.models.message import Message
from app.models.message_tables import MessageRow
from app.models.tables import table_of
from app.store.among import among
from app.store.casefile import ENTRY, find_seq
from app.store.incidents import next_id
from app.store.indexing import note_spans
from app.store.jobs import JOB, to_job
from app.store.listings import Listing
from app.store.rulings import RULING

MESSAGE = table_of(MessageRow)
MESSAGES = Listing(
    rows=MESSAGE,
    moment="at",
    indexed=frozenset({"incident_id", "kind"}),
    leading=frozenset({"incident_id"}),
    hidden=frozenset({"labels", "facts"}),
)
COLUMNS = MESSAGE.c.keys()
# Made once: to make a statement costs several times what it takes to run.
ADD = (
    insert(MESSAGE)
    .on_conflict_do_nothing()
    .execution_options(preserve_rowcount=True)
)
ONE = select(MESSAGE).where(MESSAGE.c.id == bindparam("number"))
SAVE_FACTS = (
    update(MESSAGE)
    .where(MESSAGE.c.id == bindparam("number"))
    .values(facts=bindparam("says"))
)
SOME = select(MESSAGE).where(among(MESSAGE.c.id, "ids"))
NEWS = (
    select(ENTRY)
    .where(ENTRY.c.id > bindparam("after"), among(ENTRY.c.kind, "kinds"))
    .order_by(ENTRY.c.id)
    .limit(bindparam("most"))
)
ESCALATED = (
    select(ENTRY.c.id)
    .where(
        ENTRY.c.incident_id == bindparam("number"),
        # Added to nothing, so that its index does not lead.
        ENTRY.c.kind + literal_column("''") == "incident.escalated",
        ENTRY.c.id < bindparam("before"),
    )
    .limit(1)
)
LAST_JOB = (
    select(JOB)
    .where(
        JOB.c.incident_id == bindparam("number"),
        JOB.c.action == bindparam("action"),
        JOB.c.output_bytes > 0,
    )
    .order_by(JOB.c.id.desc())
    .limit(1)
)
LAST_RULING = (
    select(RULING.c.outcome, RULING.c.rule, RULING.c.reason)
    .where(
        RULING.c.incident_id == bindparam("number"),
        RULING.c.decision_id == bindparam("decision"),
    )
    .order_by(RULING.c.id.desc())
    .limit(1)
)


class Heard(msgspec.Struct, frozen=True):
    """What the log says beyond an entry that people may be told.

    Attributes:
        rows: the entries, the oldest first.
        through: up to where there is nothing else.
    """

    rows: list[Any]
    through: int


def find_heard(
    connection: Connection, after: int, kinds: Collection[str], limit: int
) -> Heard:
    """Return entries of some kinds beyond an entry.

    Args:
        connection: where to ask.
        after: only entries beyond this one.
        kinds: of these kinds.
        limit: how many at most.
    """
    bounds = {"after": after, "kinds": kinds, "most": limit}
    # The end first: what is written meanwhile is not passed by.
    end = max(after, find_seq(connection))
    rows = list(connection.execute(NEWS, bounds).all())
    if len(rows) >= limit:
        return Heard(rows, int(rows[-1].id))
    return Heard(rows, max([end, *(int(row.id) for row in rows)]))


def add_message(connection: Connection, message: Message) -> int:
    """Write a message down; return its number, 0 when it is there already."""
    number = next_id(connection, MESSAGE)
    row = {**msgspec.structs.asdict(message), "id": number}
    if not connection.execute(ADD, row).rowcount:
        return 0
    note_spans(connection, MESSAGES, [(number, message.at)])
    return number


def save_facts(connection: Connection, number: int, facts: str) -> None:
    """Write down what a message says, before anybody has read it."""
    connection.execute(SAVE_FACTS, {"number": number, "says": facts})


def find_message(connection: Connection, number: int) -> Message | None:
    """Return a message, or None."""
    row = connection.execute(ONE, {"number": number}).one_or_none()
    return None if row is None else to_message(row)


def find_messages(
    connection: Connection, ids: Collection[int]
) -> dict[int, Message]:
    """Return some messages by their numbers."""
    rows = connection.execute(SOME, {"ids": ids}) if ids else ()
    return {row.id: to_message(row) for row in rows}


def was_escalated_before(
    connection: Connection, incident: int, entry: int
) -> bool:
    """Tell whether people had an incident before an entry."""
    bounds = {"number": incident, "before": entry}
    return connection.execute(ESCALATED, bounds).first() is not None


def find_last_output(
    connection: Connection, incident: int, action: str
) -> Any:
    """Return the last job of an action that wrote anything, or None."""
    bounds = {"number": incident, "action": action}
    row = connection.execute(LAST_JOB, bounds).one_or_none()
    return None if row is None else to_job(row)


def find_last_ruling(
    connection: Connection, incident: int, decision: int
) -> tuple[str, str, str] | None:
    """Return outcome, rule and reason of the last ruling, or None."""
    bounds = {"number": incident, "decision": decision}
    row = connection.execute(LAST_RULING, bounds).one_or_none()
    return None if row is None else (row.outcome, row.rule, row.reason)


def to_message(row: Any) -> Message:
    """Return a row as a message."""
    return Message(**dict(zip(COLUMNS, row, strict=True)))
