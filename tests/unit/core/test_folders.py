"""Folders with a size of their own: added up, and looked at like a disk."""

import os
from pathlib import Path

import pytest

from app.core import folders as module
from app.core.errors import OutgoingFailed
from app.core.folders import Folder, find_allotted, read_share, weigh
from app.core.host import HostSettings
from app.core.machine import MB, read_disk
from app.models.verdict import Judgement
from tests.unit.verify.making import here, make_check, measure

KB = 1_024


def test_what_is_below_is_added_up(tmp_path: Path) -> None:
    """Files in all depths count with what they take of the disk."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    empty = weigh(str(tmp_path))
    (tmp_path / "one").write_bytes(bytes(64 * KB))
    (tmp_path / "deep" / "er" / "two").write_bytes(bytes(192 * KB))
    assert weigh(str(tmp_path)) - empty == 256 * KB


def test_a_file_with_two_names_counts_once(tmp_path: Path) -> None:
    """A second name takes no room."""
    (tmp_path / "one").write_bytes(bytes(64 * KB))
    before = weigh(str(tmp_path))
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    assert weigh(str(tmp_path)) == before


def test_no_link_is_followed(tmp_path: Path) -> None:
    """What lies elsewhere takes no room here."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "big").write_bytes(bytes(512 * KB))
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "folder").symlink_to(outside)
    (inside / "file").symlink_to(outside / "big")
    assert weigh(str(inside)) < 64 * KB


def test_too_much_to_count_is_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More entries than are counted are told, not guessed."""
    monkeypatch.setattr(module, "MOST_ENTRIES", 3)
    for name in "abcd":
        (tmp_path / name).touch()
    with pytest.raises(OutgoingFailed, match="more than 3 entries"):
        weigh(str(tmp_path))


def test_the_innermost_folder_is_meant(tmp_path: Path) -> None:
    """Of two that a path is in, the nearer one; links are followed to it."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "way").symlink_to(inner)
    known = {str(tmp_path): Folder(mb=10), str(inner): Folder(mb=2)}
    found = find_allotted(str(tmp_path / "way" / "x.log"), known)
    assert found == (str(inner), 2 * MB)
    outer = find_allotted(str(tmp_path / "a"), known)
    assert outer == (str(tmp_path), 10 * MB)
    assert find_allotted(str(tmp_path.parent), known) is None


def test_the_share_is_of_the_size(tmp_path: Path) -> None:
    """Half of its megabytes are half of it; elsewhere the disk is read."""
    known = {str(tmp_path): Folder(mb=4)}
    (tmp_path / "log").write_bytes(bytes(2 * MB))
    assert read_share(str(tmp_path), known) == pytest.approx(50, abs=1)
    above = os.sep
    assert read_share(above, known) == pytest.approx(read_disk(above), abs=2)


def test_the_check_measures_it(tmp_path: Path) -> None:
    """disk_has_room judges such a folder by its own size."""
    host = HostSettings.model_validate({"folders": {str(tmp_path): {"mb": 1}}})
    check = make_check("disk_has_room", {"limit": 85}, host=host)
    subject = here(arguments={"path": str(tmp_path)})
    reading = measure(check, subject)
    assert check.judge(None, reading) is Judgement.GOOD
    (tmp_path / "log").write_bytes(bytes(MB))
    reading = measure(check, subject)
    assert check.judge(None, reading) is Judgement.BAD
    assert "% of" in reading.says


@pytest.mark.parametrize("path", ["relative", "/", "/srv/"])
def test_a_folder_needs_its_whole_path(path: str) -> None:
    """What is no absolute path, or the root, is refused."""
    with pytest.raises(ValueError, match="folders"):
        HostSettings.model_validate({"folders": {path: {"mb": 1}}})


def test_the_innermost_folder_is_found_behind_links(tmp_path: Path) -> None:
    """A long name that leads to a short place is not the inner one."""
    outer, inner = tmp_path / "a", tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    alias = tmp_path / "a-very-long-name-for-the-outer-one"
    alias.symlink_to(outer)
    folders = {str(alias): Folder(mb=1), str(inner): Folder(mb=2)}
    found = find_allotted(str(inner / "file"), folders)
    assert found is not None
    assert found.path == str(inner)


def test_a_folder_that_goes_away_meanwhile_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is weighed; only the top must be there."""
    (tmp_path / "stays").write_bytes(b"x" * 8_192)
    (tmp_path / "goes").mkdir()
    scan = os.scandir

    def vanish(folder: str) -> object:
        """Look at a folder; one has just been removed."""
        if folder.endswith("goes"):
            (tmp_path / "goes").rmdir()
        return scan(folder)

    monkeypatch.setattr(os, "scandir", vanish)
    assert weigh(str(tmp_path)) >= 8_192
    with pytest.raises(FileNotFoundError):
        weigh(str(tmp_path / "goes"))
