"""The journal: what was made and is not undone."""

from pathlib import Path

import pytest

from simulator.journal import (
    CHILD,
    FILES,
    LONG_BYTES,
    MOUNT,
    Journal,
    Made,
)
from tests.unit.simulator.scene import full

FOLDER = Made(FILES, path="/x", pattern="app.log*")
CHILD_7 = Made(CHILD, pid=7, birth="b", name="sim-cpu")


def test_what_is_undone_is_no_longer_there(tmp_path: Path) -> None:
    """Another reader finds what is left, in order."""
    journal = Journal(tmp_path)
    first = journal.note(FOLDER)
    second = journal.note(CHILD_7)
    third = journal.note(Made(MOUNT, path="/x"))
    journal.done(second)
    assert Journal(tmp_path).read() == [FOLDER, Made(MOUNT, path="/x")]
    journal.done(first)
    journal.done(third)
    assert journal.path.read_bytes() == b""


def test_done_twice_is_once(tmp_path: Path) -> None:
    """Nor is a number that was never given anything."""
    journal = Journal(tmp_path)
    number = journal.note(FOLDER)
    journal.done(number + 1)
    assert journal.read() == [FOLDER]
    journal.done(number)
    journal.done(number)
    assert journal.read() == []


def test_what_is_done_needs_no_room(tmp_path: Path) -> None:
    """Where that cannot be written a sweep does it once more."""
    journal = Journal(tmp_path)
    first, second = journal.note(FOLDER), journal.note(CHILD_7)
    with full():
        journal.done(first)
        with pytest.raises(OSError, match="large"):
            journal.note(FOLDER)
    journal.done(second)
    assert Journal(tmp_path).read() == [FOLDER]


def fill(journal: Journal) -> None:
    """Let as much be made and undone as one may hold, and some more."""
    for _ in range(LONG_BYTES // 100):
        journal.done(journal.note(CHILD_7))


def test_what_is_undone_does_not_add_up(tmp_path: Path) -> None:
    """While something stays for months, the rest comes and goes."""
    Journal(tmp_path).note(FOLDER)
    journal = Journal(tmp_path)
    disk = journal.note(Made(MOUNT, path="/x"))
    for _ in range(3):
        fill(journal)
        assert journal.path.stat().st_size <= LONG_BYTES + 1_000
    assert Journal(tmp_path).read() == [FOLDER, Made(MOUNT, path="/x")]
    journal.done(disk)
    assert Journal(tmp_path).read() == [FOLDER]
    assert [one.name for one in tmp_path.iterdir()] == ["journal.jsonl"]


def test_a_long_one_without_room_for_a_shorter_stays(tmp_path: Path) -> None:
    """Nothing is lost of it, nor left beside it; it is short when it can."""
    journal = Journal(tmp_path)
    journal.note(FOLDER)
    (tmp_path / "journal.draft").mkdir()
    fill(journal)
    assert journal.path.stat().st_size > LONG_BYTES
    assert Journal(tmp_path).read() == [FOLDER]
    (tmp_path / "journal.draft").rmdir()
    journal.done(journal.note(CHILD_7))
    assert journal.path.stat().st_size < 1_000
    assert Journal(tmp_path).read() == [FOLDER]


def test_no_link_is_shortened_through(tmp_path: Path) -> None:
    """A link in the place of the draft harms no other file."""
    other = tmp_path / "other"
    other.write_text("precious")
    (tmp_path / "journal.draft").symlink_to(other)
    journal = Journal(tmp_path)
    journal.note(FOLDER)
    fill(journal)
    assert other.read_text() == "precious"
    assert journal.read() == [FOLDER]


def test_what_an_earlier_run_left_stays(tmp_path: Path) -> None:
    """What could not be undone then is not forgotten by a later run."""
    Journal(tmp_path).note(FOLDER)
    later = Journal(tmp_path)
    later.done(later.note(CHILD_7))
    assert later.read() == [FOLDER]
    later.clear()
    assert later.read() == []


def test_a_torn_line_was_never_begun(tmp_path: Path) -> None:
    """A line is whole before its thing is made."""
    journal = Journal(tmp_path)
    journal.note(FOLDER)
    with journal.path.open("ab") as file:
        file.write(b'{"number": 9, "what": "mou')
    assert journal.read() == [FOLDER]


def test_a_torn_line_does_not_swallow_the_next(tmp_path: Path) -> None:
    """What is made after it must be undone, too."""
    journal = Journal(tmp_path)
    journal.note(FOLDER)
    with journal.path.open("ab") as file:
        file.write(b'{"number": 9, "what": "mou')
    journal.note(CHILD_7)
    assert Journal(tmp_path).read() == [FOLDER, CHILD_7]


def test_odd_lines_are_passed_over(tmp_path: Path) -> None:
    """A journal that somebody spoiled stops nobody."""
    (tmp_path / "journal.jsonl").write_bytes(b'[]\n7\n{"what": "all"}\n\xff\n')
    assert Journal(tmp_path).read() == []


def test_no_link_is_written_through(tmp_path: Path) -> None:
    """A link in the place of the journal harms no other file."""
    other = tmp_path / "other"
    other.write_text("precious")
    (tmp_path / "journal.jsonl").symlink_to(other)
    with pytest.raises(OSError, match=r"symbolic|links"):
        Journal(tmp_path).note(FOLDER)
    assert other.read_text() == "precious"
