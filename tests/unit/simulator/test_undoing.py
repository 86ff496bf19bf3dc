"""A sweep undoes what a journal names, and nothing that it does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator import undoing
from simulator.journal import CHILD, FILES, MOUNT, Journal, Made
from simulator.processes import birth_of
from simulator.truth import TIME, Truth, TruthLog
from simulator.undoing import sweep
from tests.unit.simulator.scene import none_left_to_open

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_children_and_files_go(tmp_path: Path) -> None:
    """And what is not named stays."""
    disk = tmp_path / "disk"
    disk.mkdir()
    for name in ("app.log.1", "kept"):
        (disk / name).write_text("x")
    journal = Journal(tmp_path)
    with subprocess.Popen(SLEEPER) as child:
        birth = birth_of(child.pid)
        journal.note(Made(CHILD, pid=child.pid, birth=birth))
        journal.note(Made(FILES, path=str(disk), pattern="app.log*"))
        journal.note(Made(MOUNT, path=str(disk)))
        sweep(tmp_path, disk)
        assert child.wait(10) == -9
    assert [path.name for path in disk.iterdir()] == ["kept"]
    assert journal.read() == []


def test_a_pid_that_is_anothers_now_is_left_alone(tmp_path: Path) -> None:
    """The same number is not the same process."""
    with subprocess.Popen(SLEEPER) as child:
        made = Made(CHILD, pid=child.pid, birth="an earlier one")
        Journal(tmp_path).note(made)
        sweep(tmp_path, tmp_path / "disk")
        assert child.poll() is None
        child.kill()
    assert Journal(tmp_path).read() == []


@pytest.mark.parametrize("what", [FILES, MOUNT])
def test_nothing_outside_is_touched(tmp_path: Path, what: str) -> None:
    """A journal that was tampered with, or is of other settings."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "app.log").write_text("x")
    home = tmp_path / "home"
    home.mkdir()
    for path in (outside, home / ".." / "outside"):
        Journal(home).note(Made(what, path=str(path), pattern="*"))
    sweep(home, home / "disk")
    assert (outside / "app.log").exists()
    assert Journal(home).read() == []


def test_what_cannot_be_undone_now_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal keeps it; the rest is undone all the same."""
    (tmp_path / "io.bin").write_text("x")
    journal = Journal(tmp_path)
    journal.note(Made(CHILD, pid=os.getpid(), birth="x"))
    journal.note(Made(FILES, path=str(tmp_path), pattern="io.bin"))
    monkeypatch.setattr(undoing, "end_process", lambda *_: False)
    sweep(tmp_path, tmp_path / "disk")
    assert not (tmp_path / "io.bin").exists()
    assert len(journal.read()) == 2
    monkeypatch.undo()
    sweep(tmp_path, tmp_path / "disk")
    assert journal.read() == []


def test_a_journal_that_cannot_be_read_is_not_forgotten(
    tmp_path: Path,
) -> None:
    """Whoever cannot open a file now knows nothing of what is left."""
    (tmp_path / "io.bin").write_text("x")
    journal = Journal(tmp_path)
    number = journal.note(Made(FILES, path=str(tmp_path), pattern="no.bin"))
    Journal(tmp_path).note(Made(FILES, path=str(tmp_path), pattern="io.bin"))
    with none_left_to_open():
        journal.done(number)
        with pytest.raises(OSError, match="open files"):
            sweep(tmp_path, tmp_path / "disk")
    assert (tmp_path / "io.bin").exists()
    sweep(tmp_path, tmp_path / "disk")
    assert not (tmp_path / "io.bin").exists()
    assert journal.read() == []


def test_open_truths_end_by_the_crash(tmp_path: Path) -> None:
    """Those that had ended stay as they were."""
    log = TruthLog(tmp_path)
    begun = Truth("one", "cpu", 90, "%", 60, began_at="2026-01-01T00:00:00Z")
    done = Truth("two", "io", 9, "MB/s", 60).ended(TIME)
    log.write(begun)
    log.write(done)
    ended = sweep(tmp_path, tmp_path / "disk")
    assert [(one.id, one.ended_by) for one in ended] == [("one", "crash")]
    assert log.since()[1] == done
    assert log.open_ones() == []
    assert sweep(tmp_path, tmp_path / "disk") == []
