"""The kill switch as a file."""

import os
from pathlib import Path

from app.guard.halting import Halting


def test_without_the_file_nothing_is_halted(tmp_path: Path) -> None:
    """Neither a missing file nor a missing folder halts anything."""
    assert Halting(tmp_path / "HALT").look() == ""
    assert Halting(tmp_path / "none" / "HALT").look() == ""


def test_the_file_says_why(tmp_path: Path) -> None:
    """What the file says is shown in one line, and no longer than that."""
    file = tmp_path / "HALT"
    halting = Halting(file)
    file.write_text("", encoding="utf-8")
    assert halting.look() == "the file HALT is there"
    file.write_bytes(b"ana:\tfire\ndrill \x1b[31m\xff")
    assert halting.look() == "ana: fire drill [31m\ufffd"
    file.write_text("x" * 5_000, encoding="utf-8")
    assert halting.look() == "x" * 200
    file.unlink()
    assert halting.look() == ""


def test_what_cannot_be_read_halts(tmp_path: Path) -> None:
    """When nobody can tell whether all is halted, all is."""
    folder = tmp_path / "HALT"
    folder.mkdir()
    assert "cannot be read" in Halting(folder).look()


def test_whatever_is_there_halts_at_once(tmp_path: Path) -> None:
    """Somebody put it there, be it a link to nothing or a pipe."""
    link, pipe = tmp_path / "HALT", tmp_path / "PIPE"
    link.symlink_to(tmp_path / "nowhere")
    assert Halting(link).look() == "HALT leads nowhere"
    os.mkfifo(pipe)
    assert Halting(pipe).look() == "the file PIPE is there"
    held = os.open(pipe, os.O_RDWR)
    assert Halting(pipe).look() == "the file PIPE is there"
    os.close(held)
