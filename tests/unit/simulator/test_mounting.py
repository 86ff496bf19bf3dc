"""A tmpfs of ours is mounted and unmounted; another's is left alone."""

import shutil
import subprocess
from pathlib import Path

import pytest

from simulator.mounting import (
    SOURCE,
    NotMounted,
    mount_small,
    sources_at,
    unmount,
)
from tests.unit.simulator.scene import MB, can_mount

needs_mounts = pytest.mark.skipif(
    not can_mount(), reason="only root may mount a file system"
)


@needs_mounts
def test_it_is_of_its_size_and_goes_again(tmp_path: Path) -> None:
    """Twice over each other too, and with a blank in its name."""
    path = tmp_path / "a small one"
    path.mkdir()
    mount_small(path, 8)
    try:
        assert sources_at(path) == [SOURCE]
        size = subprocess.run(
            ["stat", "-f", "-c", "%b %S", str(path)],
            capture_output=True,
            check=True,
        ).stdout.split()
        assert int(size[0]) * int(size[1]) == 8 * MB
        mount_small(path, 8)
        assert len(sources_at(path)) == 2
    finally:
        assert unmount(path)
    assert sources_at(path) == []
    assert unmount(path)


@needs_mounts
def test_one_that_is_in_use_goes_too(tmp_path: Path) -> None:
    """Whoever has a file open there keeps that file only."""
    mount_small(tmp_path, 8)
    with (tmp_path / "held").open("w"):
        assert unmount(tmp_path)
        assert sources_at(tmp_path) == []
        assert list(tmp_path.iterdir()) == []


@needs_mounts
def test_another_is_left_alone(tmp_path: Path) -> None:
    """What we did not mount we do not unmount."""
    words = ["mount", "-t", "tmpfs", "-o", "size=1m", "others", str(tmp_path)]
    subprocess.run(words, timeout=60, check=True)
    try:
        assert unmount(tmp_path)
        assert sources_at(tmp_path) == ["others"]
    finally:
        subprocess.run(["umount", str(tmp_path)], timeout=60, check=True)


def test_why_it_cannot_be_is_said(tmp_path: Path) -> None:
    """The system's own words reach whoever asked."""
    with pytest.raises(NotMounted, match=r"\w+"):
        mount_small(tmp_path / "none", 8)


def test_without_the_program_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container may have none."""
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(NotMounted, match="there is no program mount"):
        mount_small(tmp_path, 8)
