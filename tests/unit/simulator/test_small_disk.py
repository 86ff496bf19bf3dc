"""The small file system: mounted, given, or a folder with a cap."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator import small_disk as module
from simulator.journal import MOUNT, Journal
from simulator.mounting import NotMounted, sources_at
from simulator.problem import Unable
from simulator.small_disk import SmallDisk
from tests.unit.simulator.scene import MB, can_mount, settings_at

needs_mounts = pytest.mark.skipif(
    not can_mount(), reason="only root may mount a file system"
)


def make(home: Path, **disk: Any) -> SmallDisk:
    """Return a small disk of 8 MB."""
    home.mkdir(exist_ok=True)
    return SmallDisk(settings_at(home, disk=disk), Journal(home))


def test_a_folder_counts_what_is_below_it(home: Path) -> None:
    """Its size is the cap; links and what they lead to count nothing."""
    disk = make(home, kind="folder")
    disk.prepare()
    assert (disk.kind, disk.size, disk.used) == ("folder", 8 * MB, 0)
    (disk.path / "below").mkdir()
    (disk.path / "below" / "some").write_bytes(b"x" * 4 * MB)
    (disk.path / "link").symlink_to(disk.path / "below" / "some")
    assert 49 < disk.percent < 51
    disk.put_away()
    assert disk.kind == ""


@needs_mounts
def test_a_tmpfs_is_there_until_it_is_put_away(home: Path) -> None:
    """Of its own size, and in the journal as long as it is mounted."""
    disk = make(home, kind="auto")
    disk.prepare()
    assert (disk.kind, disk.size) == ("tmpfs", 8 * MB)
    assert [made.what for made in Journal(home).read()] == [MOUNT]
    disk.put_away()
    disk.put_away()
    assert sources_at(disk.path) == []
    assert Journal(home).read() == []


@needs_mounts
def test_what_was_unmounted_is_no_small_disk(home: Path) -> None:
    """Its place is on somebody's large one: nothing is written there.

    Nor is anything removed there.
    """
    disk = make(home, kind="tmpfs")
    disk.prepare()
    disk.need_small()
    subprocess.run(["umount", str(disk.path)], timeout=60, check=True)
    with pytest.raises(Unable, match="somebody unmounted"):
        disk.need_small()
    theirs = disk.path / "app.log"
    theirs.touch()
    disk.put_away()
    assert theirs.exists()


def test_one_that_was_made_larger_is_not_filled(
    home: Path, given: Path
) -> None:
    """The cap of the settings holds for as long as it is there."""
    disk = make(home, kind="auto", path=str(given))
    disk.prepare()
    words = ["mount", "-o", "remount,size=64m", str(given)]
    subprocess.run(words, timeout=60, check=True)
    with pytest.raises(Unable, match="a file system of more than 16 MB"):
        disk.need_small()
    disk.put_away()


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Path]:
    """Mount a tmpfs of 8 MB as somebody else would."""
    if not can_mount():
        pytest.skip("only root may mount a file system")
    path = tmp_path / "given"
    path.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=8m", "others", str(path)]
    subprocess.run(words, timeout=60, check=True)
    yield path
    subprocess.run(["umount", str(path)], timeout=60, check=True)


def test_what_is_mounted_there_is_used_as_it_is(
    home: Path, given: Path
) -> None:
    """And stays mounted: a container is given one so."""
    disk = make(home, kind="auto", path=str(given))
    disk.prepare()
    assert (disk.kind, disk.size) == ("given", 8 * MB)
    disk.put_away()
    assert sources_at(given) == ["others"]


def test_a_large_one_is_never_filled(
    home: Path, given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's data may be on it."""
    monkeypatch.setattr(module, "MOST_TIMES", 0.5)
    with pytest.raises(Unable, match="a file system of more than 4"):
        make(home, kind="auto", path=str(given)).prepare()


def test_who_is_not_root_has_a_folder(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless a tmpfs is what was asked for: then it says why not."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    disk = make(home, kind="auto")
    disk.prepare()
    assert disk.kind == "folder"


@pytest.mark.parametrize("kind", ["auto", "tmpfs"])
def test_root_that_may_not_mount_is_no_more_than_a_user(
    home: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container without that right."""

    def refuse(path: Path, megabytes: int) -> None:
        """Mount nothing, as the system does there."""
        raise NotMounted(f"{path}, {megabytes} MB: permission denied")

    monkeypatch.setattr(module, "mount_small", refuse)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    disk = make(home, kind=kind)
    if kind == "auto":
        disk.prepare()
        assert disk.kind == "folder"
    else:
        with pytest.raises(Unable, match="permission denied") as caught:
            disk.prepare()
        assert "kind: folder" in caught.value.remedy
    assert Journal(home).read() == []


def test_what_others_wrote_is_in_the_way(home: Path) -> None:
    """Their logs could be taken for ours."""
    disk = make(home, kind="folder")
    disk.path.mkdir()
    (disk.path / "app.log.1").write_text("x")
    with pytest.raises(Unable, match=r"holds files like app\.log"):
        disk.prepare()
    disk.put_away()
    assert (disk.path / "app.log.1").exists()


@needs_mounts
def test_nothing_is_hidden_under_a_mount(home: Path) -> None:
    """A folder with something in it is not mounted over."""
    disk = make(home, kind="tmpfs")
    disk.path.mkdir()
    (disk.path / "precious").write_text("x")
    with pytest.raises(Unable, match="is not empty"):
        disk.prepare()
    assert sources_at(disk.path) == []
    assert Journal(home).read() == []


def test_no_link_is_followed(home: Path, tmp_path: Path) -> None:
    """What it leads to is not ours to fill."""
    disk = make(home, kind="folder")
    (tmp_path / "elsewhere").mkdir()
    disk.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unable, match="is a link"):
        disk.prepare()
