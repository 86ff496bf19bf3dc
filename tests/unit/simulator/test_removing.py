"""Files of ours are removed; links, folders and what is outside stay."""

import os
from pathlib import Path

import pytest

from simulator.removing import Outside, remove_files, root_of


def test_only_plain_files_that_fit_go(tmp_path: Path) -> None:
    """Folders, links and other names stay, and what links lead to."""
    precious = tmp_path / "precious"
    precious.write_text("x")
    folder = tmp_path / "ours" / "disk"
    folder.mkdir(parents=True)
    for name in ("app.log", "app.log.1", "other.log"):
        (folder / name).write_text("x")
    (folder / "app.log.2").symlink_to(precious)
    (folder / "app.log.3").mkdir()
    os.mkfifo(folder / "app.log.4")
    assert remove_files(tmp_path / "ours", folder, "app.log*") == 2
    assert precious.read_text() == "x"
    left = {path.name for path in folder.iterdir()}
    assert left == {"other.log", "app.log.2", "app.log.3", "app.log.4"}


def test_no_link_is_followed_on_the_way(tmp_path: Path) -> None:
    """A folder that was changed for a link is left alone."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "app.log").write_text("x")
    ours = tmp_path / "ours"
    ours.mkdir()
    (ours / "disk").symlink_to(elsewhere)
    assert remove_files(ours, ours / "disk", "app.log*") == 0
    assert remove_files(ours / "disk", ours / "disk", "app.log*") == 0
    assert (elsewhere / "app.log").exists()


def test_what_is_not_there_is_nothing_to_remove(tmp_path: Path) -> None:
    """It may be swept already."""
    assert remove_files(tmp_path, tmp_path / "a" / "b", "*") == 0


def test_outside_is_not_ours(tmp_path: Path) -> None:
    """Neither beside our folders nor up and out of them."""
    roots = (tmp_path / "a", tmp_path / "b")
    assert root_of(tmp_path / "b" / "c", roots) == tmp_path / "b"
    for path in (tmp_path, tmp_path / "ab", Path("/"), Path("a")):
        with pytest.raises(Outside, match="no folder of the simulator"):
            root_of(path, roots)
    with pytest.raises(Outside, match="no folder"):
        root_of(tmp_path / "a" / ".." / "c", roots)
    with pytest.raises(Outside, match="is not below"):
        remove_files(tmp_path, tmp_path / "a" / ".." / "c", "*")
