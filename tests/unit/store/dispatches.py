"""Messages and dispatches to fill a database with."""

import msgspec

from app.models.message import Dispatch, Message
from app.store.dispatches import add_dispatches
from app.store.ledger import Connection
from app.store.messages import add_message
from tests.unit.store.missions import NOW


def make_message(entry: int = 1, **more: object) -> Message:
    """Return a message about an incident."""
    message = Message(
        entry_id=entry,
        at=NOW,
        kind="escalated",
        incident_id=1,
        severity="high",
        facts='{"kind":"escalated","at":1}',
    )
    return msgspec.structs.replace(message, **more)


def make_dispatch(message: int = 1, **more: object) -> Dispatch:
    """Return a dispatch that is due now."""
    dispatch = Dispatch(
        message_id=message,
        incident_id=1,
        kind="escalated",
        channel="ops",
        due_at=NOW,
        created_at=NOW,
    )
    return msgspec.structs.replace(dispatch, **more)


def add_sending(
    connection: Connection, entry: int, *ways: Dispatch
) -> list[int]:
    """Write a message of an entry down with its ways; return their ids."""
    incident = ways[0].incident_id if ways else 1
    message = make_message(entry, incident_id=incident)
    number = add_message(connection, message)
    return add_dispatches(
        connection,
        [msgspec.structs.replace(one, message_id=number) for one in ways],
    )
