"""What was made and is not undone yet: written before it is made.

One JSON object a line. Whoever finds the journal of a simulator that is
gone can undo the rest. What is undone goes when it has become much: a
simulator may run for months. Standard library only: the guard reads it.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from threading import Lock
from typing import Any

from simulator.whole_line import write_line

NAME = "journal.jsonl"
CHILD = "child"
FILES = "files"
MOUNT = "mount"
# So long it may get before what is undone is left out.
LONG_BYTES = 64 * 1024


@dataclass(frozen=True)
class Made:
    """One thing that must be undone.

    Attributes:
        what: ``child``, ``files`` or ``mount``.
        path: the mount point, or the folder of the files.
        pattern: which files of the folder, such as ``app.log*``.
        pid: the child's.
        birth: when the child was born, as processes.birth_of says it.
        name: what the child is called.
    """

    what: str
    path: str = ""
    pattern: str = ""
    pid: int = 0
    birth: str = ""
    name: str = ""


class Journal:
    """The file with what is made."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; the file is made with the first line."""
        self.path = folder / NAME
        self._lock = Lock()
        self._open: set[int] = set()
        # Higher than any number of an earlier run that may be left here.
        self._last = time.time_ns()
        self._long = LONG_BYTES

    def note(self, made: Made) -> int:
        """Write down what is about to be made; return its number."""
        with self._lock:
            self._last += 1
            number = self._last
            self._write({"number": number, **asdict(made)})
            self._open.add(number)
            return number

    def done(self, number: int) -> None:
        """Write down that it is undone; an unknown number is nothing.

        Where that cannot be written it is undone once more, by a sweep:
        there is nothing left then, and an end needs no room.
        """
        with self._lock:
            if number not in self._open:
                return
            self._open.remove(number)
            with suppress(OSError):
                self._write({"undone": number})
            # One that cannot be read now is kept; and without room for a
            # shorter one, the long one serves as well.
            with suppress(OSError):
                if not self._open and not self.read():
                    self._clear()
                self._shorten()

    def clear(self) -> None:
        """Forget everything: all of it is undone."""
        with self._lock:
            self._open.clear()
            self._clear()

    def read(self) -> list[Made]:
        """Return what is not undone, as the file says it, oldest first.

        Raises:
            OSError: it is there, and cannot be read now.
        """
        known = {one.name for one in fields(Made)}
        return [
            Made(**{k: v for k, v in line.items() if k in known})
            for line in self._left()
        ]

    def _left(self) -> list[dict[str, Any]]:
        """Return the lines of what is not undone, oldest first."""
        left: dict[int, dict[str, Any]] = {}
        for line in self._lines():
            left.pop(line.get("undone", 0), None)
            if line.get("what") in {CHILD, FILES, MOUNT}:
                left[line.get("number", 0)] = line
        return list(left.values())

    def _lines(self) -> Iterator[dict[str, Any]]:
        """Yield what each line says; a torn one is left out.

        What stands in a torn line was not begun: a line is written whole
        before its thing is made. One that is there and cannot be read is an
        error: it may name what must be undone.
        """
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if isinstance(said, dict):
                yield said

    def _write(self, said: dict[str, Any]) -> None:
        """Add one line, and wait until it is on the disk."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        file = os.open(self.path, flags, 0o644)
        try:
            write_line(file, json.dumps(said).encode())
        finally:
            os.close(file)

    def _shorten(self) -> None:
        """Leave out what is undone, where the file has become long.

        The shorter one is whole and on the disk before it takes its place.
        """
        if not self.path.exists() or self.path.stat().st_size <= self._long:
            return
        draft = self.path.with_suffix(".draft")
        text = "".join(f"{json.dumps(line)}\n" for line in self._left())
        flags = os.O_WRONLY | os.O_TRUNC | os.O_CREAT | os.O_NOFOLLOW
        try:
            with os.fdopen(os.open(draft, flags, 0o644), "wb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise
        # Where much is left, it is not written anew with each end.
        self._long = max(LONG_BYTES, 2 * len(text))

    def _clear(self) -> None:
        """Make the file empty, where there is one."""
        if self.path.exists():
            os.truncate(self.path, 0)
