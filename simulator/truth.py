"""What really happened: which fault ran, on what, from when to when.

Every fault is written down when it begins and again when it ends, one JSON
object a line; the later line of an id holds. Standard library only: the
guard reads and writes it too.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from simulator.whole_line import write_line

NAME = "truth.jsonl"
TIME = "time"
PERSON = "person"
REMEDY = "remedy"
CRASH = "crash"
MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Truth:
    """One fault that runs or ran.

    Attributes:
        id: its own, unlike any other.
        fault: the kind.
        level: how strong, in ``unit``.
        unit: what the level counts.
        seconds: how long it was to last at most.
        target: the labels by which an alert may name it.
        expects: the first actions that are right.
        scenario: the scenario it belongs to, else empty.
        step: the step of that scenario, else empty.
        began_at: when it was begun, ISO 8601 in UTC.
        ended_at: when it had ended, None while it runs.
        ended_by: "", or "time", "person", "remedy" or "crash".
    """

    id: str
    fault: str
    level: int
    unit: str
    seconds: int
    target: dict[str, str] = field(default_factory=dict)
    expects: tuple[str, ...] = ()
    scenario: str = ""
    step: str = ""
    began_at: str = ""
    ended_at: str | None = None
    ended_by: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self) | {"expects": list(self.expects)}

    def ended(self, by: str, at: str = "") -> "Truth":
        """Return it as it is once it has ended."""
        return replace(self, ended_at=at or iso_now(), ended_by=by)


def iso_now() -> str:
    """Return this moment, as ISO 8601 in UTC with milliseconds."""
    text = datetime.now(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def parse_iso(text: str) -> datetime:
    """Return a moment; without a zone it is UTC; ValueError otherwise."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def truth_of(values: object) -> Truth | None:
    """Return a Truth out of plain values, None when they are none."""
    if not isinstance(values, dict):
        return None
    known = {one.name for one in fields(Truth)}
    given = {key: value for key, value in values.items() if key in known}
    given["expects"] = tuple(given.get("expects") or ())
    try:
        return Truth(**given)
    except TypeError:
        return None


class TruthLog:
    """The file of truths: written at its end only, safe on the disk."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; the file is made with the first line."""
        self.path = folder / NAME
        self._lock = Lock()

    def write(self, truth: Truth) -> None:
        """Add one line, and wait until it is on the disk."""
        line = json.dumps(truth.as_json(), ensure_ascii=False)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        with self._lock:
            self._turn_over()
            file = os.open(self.path, flags, 0o644)
            try:
                write_line(file, line.encode())
            finally:
                os.close(file)

    def since(self, moment: datetime | None = None) -> list[Truth]:
        """Return what ran at or after a moment, as it began, oldest first."""
        found = {truth.id: truth for truth in self._lines()}
        return [
            truth
            for truth in found.values()
            if moment is None
            or truth.ended_at is None
            or parse_iso(truth.ended_at) >= moment
        ]

    def open_ones(self) -> list[Truth]:
        """Return what has begun and, as far as is written, not ended."""
        return [truth for truth in self.since() if truth.ended_at is None]

    def _lines(self) -> Iterator[Truth]:
        """Yield every whole line.

        A file that is there and cannot be read now is an error: nothing
        would be taken for the truth.
        """
        earlier = self.path.with_suffix(".jsonl.1")
        for path in (earlier, self.path):
            try:
                lines = path.read_bytes().splitlines()
            except FileNotFoundError:
                continue
            for line in lines:
                try:
                    truth = truth_of(json.loads(line))
                except ValueError:
                    continue
                if truth is not None:
                    yield truth

    def _turn_over(self) -> None:
        """Begin a new file when this one is long; one earlier is kept."""
        try:
            is_long = self.path.stat().st_size > MOST_BYTES
        except OSError:
            return
        if is_long:
            self.path.replace(self.path.with_suffix(".jsonl.1"))
