"""The anchor: written after commits, now and then, never over evidence."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine.anchor import AnchorFile, Anchoring, place_anchor
from app.models.chain import Anchor
from app.store.ledger import Ledger
from app.store.location import Location, locate
from app.store.log import find_end
from tests.fakes import FakeClock
from tests.schema import make_sqlite
from tests.unit.store.intruder import WAIT, Intruder, notes, write


class Desk:
    """A log, its anchor, and the time."""

    def __init__(self, folder: Path) -> None:
        self.location = make_sqlite(folder / "log.db")
        self.clock = FakeClock()
        self.file = AnchorFile(folder / "log.anchor", "log.db")
        self.anchoring = Anchoring(self.file, self.clock)
        self.ledger = Ledger(self.location, WAIT)

    def turn(self, *, at_once: bool = False) -> Anchor | None:
        """Do what the keeper does at the end of a turn."""
        with self.ledger.turn() as turn:
            anchor = self.anchoring.look(turn, at_once=at_once)
        if anchor is not None:
            self.anchoring.keep(anchor)
        return anchor

    def end(self) -> Anchor:
        """Return where the log ends."""
        with self.ledger.turn() as turn:
            end = find_end(turn)
        return Anchor(end.id, end.hash.hex())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Return a new log without entries."""
    made = Desk(tmp_path)
    yield made
    made.ledger.close()


def test_an_empty_log_has_no_anchor(desk: Desk) -> None:
    """There is nothing to keep, and no file."""
    assert desk.turn() is None
    assert desk.turn(at_once=True) is None
    assert desk.file.read() is None


def test_the_end_is_kept_once_a_minute_and_at_last(desk: Desk) -> None:
    """At once, then not before a minute is over, then when told so."""
    write(desk.location, notes(2))
    assert desk.turn() == desk.end() == desk.file.read()
    first = desk.end()
    write(desk.location, notes(2))
    desk.clock.advance(59)
    assert desk.turn() is None
    assert desk.file.read() == first
    desk.clock.advance(1)
    assert desk.turn() == desk.end() == desk.file.read()
    desk.clock.advance(100)
    assert desk.turn() is None
    write(desk.location, notes(1))
    assert desk.turn() == desk.end()
    write(desk.location, notes(1))
    assert desk.turn() is None
    assert desk.turn(at_once=True) == desk.end() == desk.file.read()


@pytest.mark.parametrize("is_running", [True, False])
def test_evidence_is_left_alone(desk: Desk, is_running: bool) -> None:
    """A log that lost its end does not replace what knew of it."""
    write(desk.location, notes(5))
    desk.turn()
    kept = desk.file.read()
    intruder = Intruder(desk.location)
    intruder.take_guards_off()
    intruder.run(
        "DELETE FROM entry WHERE id > 2", "UPDATE mark SET position=2"
    )
    intruder.close()
    if not is_running:
        desk.anchoring = Anchoring(desk.file, desk.clock)
    desk.clock.advance(61)
    desk.turn()
    write(desk.location, notes(9))
    desk.clock.advance(61)
    assert desk.turn() == desk.end()
    assert desk.file.read() == kept


def test_a_file_that_cannot_be_written_stops_nobody(
    desk: Desk, tmp_path: Path
) -> None:
    """The line in the log of the service stays."""
    (tmp_path / "folder").write_text("")
    blocked = AnchorFile(tmp_path / "folder" / "log.anchor", "log.db")
    desk.anchoring = Anchoring(blocked, desk.clock)
    write(desk.location, notes(1))
    assert desk.turn() == desk.end()


def test_a_restore_forgets_its_own_anchor_only(tmp_path: Path) -> None:
    """Restored for a trial beside it, a copy leaves the real one's alone."""
    path = tmp_path / "log.anchor"
    mine, other = AnchorFile(path, "log.db"), AnchorFile(path, "trial")
    kept = Anchor(7, "ab" * 32)
    mine.write(kept, 1)
    other.forget()
    assert mine.read() == kept
    mine.forget()
    assert not path.exists()
    mine.forget()
    path.write_text("nonsense")
    mine.forget()
    assert not path.exists()


def test_where_the_file_lies(tmp_path: Path) -> None:
    """Beside the SQLite file, in var/ for PostgreSQL, or where told."""
    file = Location(
        locate("sqlite:///a/b.db", tmp_path).url, tmp_path / "b.db"
    )
    server = locate("postgresql://u:secret@h/x", tmp_path)
    for location, name, expected in (
        (file, "log.anchor", tmp_path / "log.anchor"),
        (server, "log.anchor", tmp_path / "var" / "log.anchor"),
        (server, "/else/where", Path("/else/where")),
    ):
        placed = place_anchor(name, location, tmp_path)
        assert placed is not None
        assert placed.path == expected
    assert place_anchor("", file, tmp_path) is None


def test_the_file_tells_no_password(tmp_path: Path) -> None:
    """The name of a PostgreSQL database is written without it."""
    server = locate("postgresql://u:secret@h/x", tmp_path)
    placed = place_anchor("log.anchor", server, tmp_path)
    assert placed is not None
    placed.write(Anchor(1, "00" * 32), 1)
    assert b"secret" not in placed.path.read_bytes()
    assert placed.read() == Anchor(1, "00" * 32)
