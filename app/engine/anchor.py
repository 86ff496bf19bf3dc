"""The anchor: where the log ended lately, kept outside of the database.

Who can rewrite the whole log, its end and its mark still leaves this behind:
a line in the log of the service, and a small file. Both are written only
after the commit, so that they are never ahead of the log; after a power cut
they may be behind it.
"""

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from app.core.clock import Clock, to_iso
from app.core.log import get_log
from app.models.chain import Anchor, parse_anchor
from app.store.ledger import Connection
from app.store.location import Location
from app.store.log import find_end, speaks_against

EVERY_SECONDS = 60.0
log = get_log("anchor")


class AnchorText(msgspec.Struct, kw_only=True):
    """What stands in the file.

    Attributes:
        database: which database it is about.
        anchor: ID:HASH, as ``log verify --anchor`` takes it.
        at: when it was written.
    """

    database: str
    anchor: str
    at: str


class AnchorFile:
    """The file, which is replaced as a whole."""

    def __init__(self, path: Path, database: str) -> None:
        """Take where it lies, and the name of the database."""
        self.path = path
        self._database = database

    def read(self) -> Anchor | None:
        """Return what it says, None when there is none about this database.

        Raises:
            ValueError: it is there, but says nothing that can be read.
        """
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ValueError(f"{self.path}: {error.strerror}") from error
        try:
            told = msgspec.json.decode(raw, type=AnchorText)
            anchor = parse_anchor(told.anchor)
        except (msgspec.DecodeError, ValueError) as error:
            raise ValueError(f"{self.path}: {error}") from error
        return anchor if told.database == self._database else None

    def forget(self) -> None:
        """Remove it, unless it is about another database than this one."""
        with suppress(ValueError):
            if self.read() is None:
                return
        self.path.unlink(missing_ok=True)

    def write(self, anchor: Anchor, at: int) -> None:
        """Replace it: a power cut leaves the old one or the new one."""
        text = AnchorText(
            database=self._database,
            anchor=f"{anchor.entry}:{anchor.hash}",
            at=to_iso(at) or "",
        )
        fresh = self.path.with_name(f"{self.path.name}.new")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            fresh.unlink()
        mode = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(fresh, mode, 0o600), "wb") as file:
            file.write(msgspec.json.encode(text) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Anchoring:
    """Writes the anchor down now and then; used by the keeper's thread."""

    def __init__(self, file: AnchorFile | None, clock: Clock) -> None:
        """Take where to, and the time."""
        self._file = file
        self._clock = clock
        self._known: Anchor | None = None
        self._next = 0.0
        self._is_read = False

    def look(
        self, turn: Connection, *, at_once: bool = False
    ) -> Anchor | None:
        """Return the end of the log when it is time to keep it."""
        if not at_once and self._clock.monotonic() < self._next:
            return None
        self._check(turn)
        end = find_end(turn)
        anchor = Anchor(end.id, end.hash.hex())
        return anchor if end.id and anchor != self._known else None

    def keep(self, anchor: Anchor) -> None:
        """Write down what is committed; a failure stops nobody."""
        self._known = anchor
        self._next = self._clock.monotonic() + EVERY_SECONDS
        log.info("log.anchored", entry=anchor.entry, hash=anchor.hash)
        if self._file is None:
            return
        try:
            self._file.write(anchor, self._clock.now())
        except OSError as error:
            file = str(self._file.path)
            log.warning("anchor.not_written", file=file, error=error.strerror)

    def _check(self, turn: Connection) -> None:
        """Compare the log with what we know of it, also from the last run.

        A file that the log speaks against is evidence: it is left alone.
        """
        if not self._is_read:
            self._is_read = True
            self._known = self._read()
        if self._known is None or not speaks_against(turn, self._known):
            return
        log.error(
            "log.breached",
            entry=self._known.entry,
            hash=self._known.hash,
            file=str(self._file.path) if self._file else "",
            remedy="run 'main.py log verify'; after a restored backup"
            " remove that file",
        )
        self._file = None
        self._known = None

    def _read(self) -> Anchor | None:
        """Return what the last run left behind, or None."""
        try:
            return self._file.read() if self._file else None
        except ValueError as error:
            log.warning("anchor.not_read", error=str(error))
            return None


def place_anchor(
    name: str, location: Location, home: Path
) -> AnchorFile | None:
    """Return the file of a database, None when its name is empty."""
    if not name:
        return None
    file = location.file
    folder = file.parent if file is not None else home / "var"
    database = file.name if file is not None else str(location)
    return AnchorFile(folder / name, database)
