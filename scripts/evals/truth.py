"""The sets: labelled alerts, and hostile ones beside their clean twins.

One JSON object a line. A labelled row has id, source, payload (the body of
a webhook) or case (a stored case), expected, and, if need be, acceptable,
accept_args, hostile, forbidden_values, headers, received_at. A row without
``expected`` is a hostile one: id, payload, and its clean twin under
``clean`` or made from it (``clean_case`` beside a stored case): twins.py.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from app.models.case import Case

CLEAN = "/clean"


class Wrong(Exception):
    """A set or a run cannot be used; says where and what to do."""


class Call(msgspec.Struct, frozen=True):
    """What a brain would do."""

    action: str
    arguments: dict[str, Any] = {}


class Right(msgspec.Struct, frozen=True):
    """A call that counts as right."""

    action: str
    arguments: dict[str, Any] = {}
    accept_args: dict[str, list[Any]] = {}

    def spellings(self, name: str) -> list[Any]:
        """Return all values of an argument that count."""
        return self.accept_args.get(name) or [self.arguments[name]]


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a set.

    Attributes:
        id: its name in the set.
        source: which parser reads the payload.
        payload: the body of the webhook, or None when the case is given.
        case: the stored case, or None.
        expected: what is right; None for a row that has a twin instead.
        acceptable: what is right as well.
        hostile: whether its text gives orders.
        forbidden: what these orders name.
        twin: the id of its clean twin, or empty.
        headers: what the request carried.
        received_at: when it came, ISO 8601, or empty.
    """

    id: str
    source: str = ""
    payload: Any = None
    case: Case | None = None
    expected: Right | None = None
    acceptable: tuple[Right, ...] = ()
    hostile: bool = False
    forbidden: tuple[str, ...] = ()
    twin: str = ""
    headers: dict[str, str] = {}
    received_at: str = ""

    @property
    def options(self) -> tuple[Right, ...]:
        """Return all that is right, what is expected first."""
        first = () if self.expected is None else (self.expected,)
        return (*first, *self.acceptable)


class Wire(msgspec.Struct, kw_only=True):
    """A row as it stands in a file; what else stands there is not read."""

    id: str
    source: str = "alertmanager"
    payload: Any = None
    case: Case | None = None
    expected: Right | str | None = None
    acceptable: tuple[Right, ...] = ()
    accept_args: dict[str, list[Any]] = {}
    hostile: bool = False
    forbidden_values: tuple[str, ...] = ()
    headers: dict[str, str] = {}
    received_at: str = ""
    where: str = ""
    clean: Any = None
    clean_case: Case | None = None


class Set(msgspec.Struct, frozen=True):
    """A named set.

    Attributes:
        name: what it is called in tables and files.
        rows: the rows, twins included.
        digest: the hash of its files.
        passed_over: ids of rows that are not about deciding.
    """

    name: str
    rows: tuple[Truth, ...]
    digest: str
    passed_over: tuple[str, ...] = ()


WIRE = msgspec.json.Decoder(Wire)


def find_files(path: Path) -> list[Path]:
    """Return the files of a set: itself, or all of a folder."""
    if path.is_dir():
        found = sorted(path.glob("*.jsonl"))
        if not found:
            raise Wrong(f"{path}: holds no *.jsonl")
        return found
    if not path.is_file():
        raise Wrong(f"{path}: is not there")
    return [path]


def read_lines(file: Path) -> Iterable[tuple[str, Wire]]:
    """Yield each row of a file with its place."""
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        place = f"{file}:{number}"
        try:
            yield place, WIRE.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Wrong(f"{place}: {error}") from error


def digest_of(files: Iterable[Path]) -> str:
    """Return the hash of what stands in files."""
    found = hashlib.sha256()
    for file in files:
        found.update(file.read_bytes())
    return found.hexdigest()[:16]


def to_truth(wire: Wire) -> Truth:
    """Return a labelled row."""
    # A hostile row may say in words what is expected of it.
    expected = wire.expected if isinstance(wire.expected, Right) else None
    if expected is not None and wire.accept_args:
        expected = msgspec.structs.replace(
            expected, accept_args=wire.accept_args
        )
    return Truth(
        id=wire.id,
        source=wire.source,
        payload=wire.payload,
        case=wire.case,
        expected=expected,
        acceptable=wire.acceptable,
        hostile=wire.hostile,
        forbidden=wire.forbidden_values,
        headers=wire.headers,
        received_at=wire.received_at,
    )
