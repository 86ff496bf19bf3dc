"""The entry: one line of the action log, chained to the one before.

The hash covers every field of the entry and the hash of its forerunner, so
that an entry that is changed, dropped or moved breaks the chain at itself:
see app/models/chain.py.
"""

import hashlib
from typing import Any

import msgspec

START = bytes(32)


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written into the action log.

    Attributes:
        kind: what happened, as ``noun.verb_past``.
        incident: the incident's id, or 0.
        target: the name of the target, or empty; the incident has its key.
        problem: the problem class, or empty.
        severity: how bad it is, or empty.
        status: where the incident stands afterwards, or empty.
        actor: who or what did it: person:ana, source:zabbix, rule:hold_down.
        action: the call, when one was made.
        summary: one line for people.
        body: the details, with the evidence.
    """

    kind: str
    incident: int = 0
    target: str = ""
    problem: str = ""
    severity: str = ""
    status: str = ""
    actor: str
    action: str = ""
    summary: str
    body: dict[str, Any] = {}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the action log as it lies in the store."""

    id: int
    at: int
    kind: str
    incident_id: int
    target: str
    problem: str
    severity: str
    status: str
    actor: str
    action: str
    summary: str
    body: str
    hash: bytes


class End(msgspec.Struct, frozen=True):
    """Where the chain ends: the next entry follows on this one."""

    id: int
    hash: bytes


BEGINNING = End(0, START)
COLUMNS = Entry.__struct_fields__
_encode = msgspec.json.Encoder().encode


def seal(before: bytes, fields: tuple[Any, ...]) -> bytes:
    """Return the hash of an entry whose forerunner has the given hash.

    Args:
        before: the hash of the entry before, START for the first.
        fields: every field in the order of COLUMNS, without the hash.
    """
    return hashlib.sha256(before + _encode(fields)).digest()


def to_entry(before: End, at: int, note: Note) -> Entry:
    """Return a note as the entry that follows another."""
    blank = Entry(
        id=before.id + 1,
        at=at,
        kind=note.kind,
        incident_id=note.incident,
        target=note.target,
        problem=note.problem,
        severity=note.severity,
        status=note.status,
        actor=note.actor,
        action=note.action,
        summary=note.summary,
        body=_encode(note.body).decode(),
        hash=b"",
    )
    fields = tuple(getattr(blank, name) for name in COLUMNS[:-1])
    return msgspec.structs.replace(blank, hash=seal(before.hash, fields))
