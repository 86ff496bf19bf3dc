"""A line stands in its file whole, or it is an error."""

import contextlib
import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulator.fault import Order
from simulator.problem import Unable
from simulator.stage import Stage
from simulator.whole_line import write_line
from tests.unit.simulator.scene import (
    born_since,
    can_mount,
    our_children,
    settings_at,
)

KB = 1024


def add(path: Path, line: bytes) -> None:
    """Add a line as the journal does."""
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        write_line(file, line)
    finally:
        os.close(file)


def test_a_line_has_an_end_and_begins_a_new_one(tmp_path: Path) -> None:
    """Also after one that somebody could not write to its end."""
    path = tmp_path / "lines"
    add(path, b"one")
    with path.open("ab") as file:
        file.write(b"tor")
    add(path, b"two")
    assert path.read_bytes() == b"one\ntor\ntwo\n"


def test_half_a_line_is_an_error_and_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is nearly full takes a part, and says nothing."""
    path = tmp_path / "lines"
    add(path, b"one")
    write: Callable[[int, bytes], int] = os.write

    def write_half(file: int, line: bytes) -> int:
        """Write as such a disk does."""
        return write(file, line[: len(line) // 2])

    monkeypatch.setattr("simulator.whole_line.os.write", write_half)
    with pytest.raises(OSError, match="No space") as caught:
        add(path, b"a longer one")
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"one\n"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Mount a small file system for the simulator's folder."""
    if not can_mount():
        pytest.skip("only root may mount a file system")
    words = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    subprocess.run(["mount", *words], timeout=60, check=True)
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], timeout=60, check=True)


def fill(path: Path) -> None:
    """Write a file until there is no room for more of it."""
    with contextlib.suppress(OSError), path.open("wb", 0) as file:
        while file.write(bytes(KB)):
            continue


def test_where_the_folder_is_full_nothing_begins(small: Path) -> None:
    """It is said in words, no child is left, and with room it goes on."""
    with Stage(settings_at(small / "sim")) as stage:
        before = our_children()
        filler = small / "filler"
        fill(filler)
        for kind in ("cpu", "clock", "io", "disk"):
            with pytest.raises(Unable, match="No space") as caught:
                stage.start(Order(kind))
            assert caught.value.remedy
        assert born_since(before) == []
        assert stage.running() == []
        filler.unlink()
        truth = stage.start(Order("cpu", level=5, seconds=60))
        assert [one.id for one in stage.truths.since()] == [truth.id]
