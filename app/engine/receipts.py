"""Receipts: what the log says of letters, one line for each that ended.

What was only repeated has none, and a digest has one for all that it holds.
"""

from collections.abc import Sequence
from typing import Any

from app.engine.moves import Word
from app.models.brevity import clip
from app.models.entry import Note
from app.models.incident import Incident
from app.models.message import Dispatch
from app.models.record import clean
from app.store.incidents import find_incidents
from app.store.ledger import Connection
from app.store.log import append

LONGEST = 500
MOST_NAMED = 50


def tell_sent(
    connection: Connection, dispatches: Sequence[Dispatch], now: int
) -> None:
    """Say that a letter went out."""
    first = dispatches[0]
    what = _what(first)
    if len(dispatches) > 1:
        what = f"a digest of {len(dispatches)} messages"
    summary = f"{what} went to {first.channel}"
    word = Word(kind="message.sent", summary=summary, actor="")
    _append(connection, now, dispatches, word)


def tell_dead(
    connection: Connection, dispatches: Sequence[Dispatch], now: int
) -> None:
    """Say that people were not told, for each of what they do not know."""
    _append_each(
        connection,
        now,
        "message.dead",
        [
            (one, f"{_what(one)} did not reach {one.channel}: {one.reason}")
            for one in dispatches
        ],
    )


def tell_spared(
    connection: Connection, dispatches: Sequence[Dispatch], now: int
) -> None:
    """Say that later levels of escalations were not told, and why."""
    _append_each(
        connection,
        now,
        "message.spared",
        [
            (one, f"{_what(one)} is not sent to {one.channel}: {one.reason}")
            for one in dispatches
        ],
    )


def tell_retried(
    connection: Connection, dispatch: Dispatch, author: str, now: int
) -> None:
    """Say that a person wants a letter sent once more."""
    summary = f"{_what(dispatch)} is sent to {dispatch.channel} once more"
    word = Word(
        kind="message.retried", summary=summary, actor=f"person:{author}"
    )
    _append(connection, now, [dispatch], word)


def tell_tried(
    connection: Connection, channel: str, author: str, said: str, now: int
) -> None:
    """Say that a person tried a channel, and what came of it."""
    note = Note(
        kind="channel.tested",
        actor=f"person:{author}",
        summary=clip(clean(f"a test letter to {channel}: {said}"), LONGEST),
        body={"channel": channel},
    )
    append(connection, now, [note])


def _what(dispatch: Dispatch) -> str:
    """Return what a letter is, in a few words."""
    level = f" (level {dispatch.level})" if dispatch.level > 1 else ""
    return f"message {dispatch.message_id}, {dispatch.kind}{level},"


def _append(
    connection: Connection,
    now: int,
    dispatches: Sequence[Dispatch],
    word: Word,
) -> None:
    """Write one line about one letter."""
    number = dispatches[0].incident_id if len(dispatches) == 1 else 0
    incident = find_incidents(connection, [number]).get(number)
    append(connection, now, [_note(dispatches, incident, word)])


def _append_each(
    connection: Connection,
    now: int,
    kind: str,
    said: Sequence[tuple[Dispatch, str]],
) -> None:
    """Write a line about each of some dispatches, all at once."""
    numbers = {one.incident_id for one, _ in said}
    incidents = find_incidents(connection, numbers)
    notes = [
        _note(
            [one],
            incidents.get(one.incident_id),
            Word(kind=kind, summary=summary, actor=""),
        )
        for one, summary in said
    ]
    if notes:
        append(connection, now, notes)


def _note(
    dispatches: Sequence[Dispatch], incident: Incident | None, word: Word
) -> Note:
    """Return one line about one letter."""
    first = dispatches[0]
    return Note(
        kind=word.kind,
        incident=first.incident_id if len(dispatches) == 1 else 0,
        target=incident.target_name if incident else "",
        problem=incident.problem if incident else "",
        severity=incident.severity if incident else "",
        status=incident.state if incident else "",
        actor=word.actor or f"channel:{first.channel}",
        summary=clip(clean(word.summary), LONGEST),
        body=_body(dispatches),
    )


def _body(dispatches: Sequence[Dispatch]) -> dict[str, Any]:
    """Return the details of one letter."""
    first = dispatches[0]
    body: dict[str, Any] = {
        "dispatch": first.id,
        "message": first.message_id,
        "channel": first.channel,
        "kind": first.kind,
        "level": first.level,
        "tries": first.tries,
        "reference": first.reference,
    }
    if len(dispatches) > 1:
        named = [one.message_id for one in dispatches[:MOST_NAMED]]
        body |= {"messages": len(dispatches), "among": named}
    return body
