"""Which disks of this machine are watched."""

from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.core.look import totals
from app.watch.places import read_disks
from app.watch.settings import WatchSettings
from app.watch.watching import Watch
from tests.fakes import FakeClock
from tests.unit.watch.making import make_place


@pytest.fixture
def mount(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], None]:
    """Return what has folders be mounts, each of a device of its own."""
    device = totals._device

    def mount(lines: list[str]) -> None:
        """Have the kernel say these lines."""
        ours = {line.split()[1].replace("\\040", " "): 0 for line in lines}
        numbers = {place: -1 - n for n, place in enumerate(ours)}
        monkeypatch.setattr(totals, "_read", lambda _: "\n".join(lines))
        monkeypatch.setattr(
            totals, "_device", lambda one: numbers.get(one) or device(one)
        )

    return mount


def test_all_disks_are_watched_or_it_is_said(
    tmp_path: Path, mount: Callable[[list[str]], None]
) -> None:
    """The last mounted are often those with the data. Once, until all are."""
    paths = [tmp_path / str(n) for n in range(totals.MOST_DISKS + 2)]
    lines = [f"/dev/sd{n} {one} ext4 rw 0 0" for n, one in enumerate(paths)]
    for path in paths:
        path.mkdir()
    settings = WatchSettings(disks=(str(paths[-1]),))
    watch = Watch(settings, make_place(FakeClock()))
    with capture_logs() as said:
        mount(lines)
        assert len(watch._disks()) == totals.MOST_DISKS
        assert len(watch._disks()) == totals.MOST_DISKS
        mount(lines[:-3])
        assert set(map(str, paths[:-3])) <= set(watch._disks())
        mount(lines)
        watch._disks()
    told = [(one["event"], one["disks"], one["first"]) for one in said]
    left_out = ("watch.disks_left_out", 2, str(paths[-3]))
    assert told == [left_out, left_out]
    assert "watch.disks" in said[0]["remedy"]


@pytest.mark.parametrize(
    ("source", "kind", "is_disk"),
    [
        ("tank/home", "zfs", True),
        ("tank/home@monday", "zfs", False),
        ("/dev/sda1", "ext4", True),
        ("/dev/loop3", "squashfs", False),
        ("/dev/sdb1", "fuseblk", False),
        ("nas:/home", "nfs4", False),
        ("tmpfs", "tmpfs", False),
    ],
)
def test_what_is_a_disk(
    source: str,
    kind: str,
    tmp_path: Path,
    mount: Callable[[list[str]], None],
    *,
    is_disk: bool,
) -> None:
    """What lies on this machine, by any name that the kernel writes."""
    path = tmp_path / "a b"
    path.mkdir()
    written = str(path).replace(" ", "\\040")
    mount([f"{source} {written} {kind} rw 0 0"])
    assert (str(path) in read_disks((), {})) is is_disk
