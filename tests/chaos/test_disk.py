"""The model of the disk loses what a disk may lose, and nothing else."""

from pathlib import Path

from tests.chaos.disk import Disk, Record, keep_all, keep_none

OLD = b"a" * 512
NEW = b"b" * 512


def cut(folder: Path, *steps: tuple[str, int, bytes]) -> dict[str, bytes]:
    """Return the files after some steps on file 1, unsynced changes lost."""
    disk = Disk(keep_none)
    for kind, offset, content in steps:
        disk.follow(Record(kind, 1, offset, content, 0))
    disk.cut(folder, keep_none)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


MADE = (("C", 0, b"f"), ("D", 0, b""), ("W", 0, OLD), ("S", 0, b""))


def test_what_was_synced_is_kept(tmp_path: Path) -> None:
    """A sync makes what was written before it safe."""
    assert cut(tmp_path, *MADE) == {"f": OLD}


def test_what_was_not_synced_is_lost(tmp_path: Path) -> None:
    """A write after the last sync is not there."""
    assert cut(tmp_path, *MADE, ("W", 0, NEW)) == {"f": OLD}


def test_a_failed_sync_forgets_for_good(tmp_path: Path) -> None:
    """A later sync does not save what a failed one dropped."""
    steps = (("W", 0, NEW), ("F", 0, b""), ("S", 0, b""))
    assert cut(tmp_path, *MADE, *steps) == {"f": OLD}


def test_a_name_needs_a_sync_of_its_folder(tmp_path: Path) -> None:
    """A file whose name was never synced is not found."""
    assert cut(tmp_path, ("C", 0, b"f"), ("W", 0, OLD), ("S", 0, b"")) == {}


def test_a_removed_file_may_come_back(tmp_path: Path) -> None:
    """A removal counts when the folder was synced."""
    assert cut(tmp_path, *MADE, ("U", 0, b"f")) == {"f": OLD}


def test_a_cut_to_size_may_be_forgotten(tmp_path: Path) -> None:
    """What follows a forgotten cut to size is not seen either."""
    steps = (("T", 0, b""), ("W", 0, NEW))
    assert cut(tmp_path, *MADE, *steps) == {"f": OLD}


def test_sectors_are_kept_one_by_one(tmp_path: Path) -> None:
    """Of one long write the first sector may be old, the second new."""
    disk = Disk(keep_all)
    for kind, content in (("C", b"f"), ("D", b""), ("W", OLD + OLD)):
        disk.follow(Record(kind, 1, 0, content, 0))
    disk.follow(Record("S", 1, 0, b"", 0))
    disk.follow(Record("W", 1, 0, NEW + NEW, 0))
    answers = iter([0, 0, 1])
    disk.cut(tmp_path, lambda _count: next(answers))
    assert (tmp_path / "f").read_bytes() == OLD + NEW
