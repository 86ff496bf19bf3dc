"""Races: whoever swaps what is being removed loses every time."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from app.act.local.sweep.beneath import Way
from app.act.local.sweep.sweeping import (
    CHANGED,
    Lost,
)
from app.act.local.sweep.sweepplan import describe
from tests.unit.act.local.sweeps import (
    WAYS,
    fingerprint,
    forge,
    make_rule,
    make_way,
    needs_linux,
    plan,
    swapping,
    sweep,
    sweeping,
    write,
)

pytestmark = needs_linux
DELETIONS = 10_000
ENDS = (".log", ".txt", " ü\n.log", "\udcff.log")
Change = Callable[[Path], object]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Return each way of opening."""
    return make_way(request.param)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an empty root with a sentinel beside it."""
    write(tmp_path / "outside" / "old.log", 100)
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    "path", ["link/old.log", "../outside/old.log", "sub/../../outside/old.log"]
)
def test_a_forged_plan_leads_nowhere(root: Path, way: Way, path: str) -> None:
    """A path out of the root is not opened, whoever wrote it."""
    (root / "sub").mkdir()
    (root / "link").symlink_to(root.parent / "outside")
    victim = root.parent / "outside" / "old.log"
    with sweeping(root, way) as sweeper:
        sweep(sweeper, (forge(root, path, victim),))
    assert sweeper.files == 0
    assert victim.exists()


def test_a_swapper_wins_nothing_with_a_folder(root: Path, way: Way) -> None:
    """Each of 10,000 removals is right about its file, or does not happen.

    The plan is forged: every file of it is one of the sentinel's. So nothing
    but the way of opening keeps a removal from being one of the sentinel.
    """
    outside = root.parent / "outside"
    victim = write(outside / "file", 50)
    sentinel = fingerprint(outside)
    write(root / "sub" / "file", 50)
    (root / "trap").symlink_to(outside)
    forged = forge(root, "sub/file", victim)
    with (
        sweeping(root, way) as sweeper,
        swapping(root / "sub", root / "trap") as swaps,
    ):
        sweep(sweeper, (forged,) * DELETIONS)
        assert swaps()
    assert sweeper.files == 0
    assert sweeper.skipped.total() == DELETIONS
    assert sweeper.skipped[CHANGED], "the folder was never there"
    assert len(sweeper.skipped) > 1, "the link was never there"
    assert fingerprint(outside) == sentinel


def test_a_swapper_loses_a_real_race(root: Path, way: Way) -> None:
    """10,000 real files go, or stay, and the same names outside all stay."""
    outside = root.parent / "outside"
    for number in range(DELETIONS):
        (outside / f"{number}.log").write_bytes(b"sentinel")
        path = root / "sub" / f"{number}.log"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"rubbish")
    sentinel = fingerprint(outside)
    found = plan(make_rule(root, max_files=DELETIONS), way)
    assert len(found.files) == DELETIONS
    (root / "trap").symlink_to(outside)
    with (
        sweeping(root, way) as sweeper,
        swapping(root / "sub", root / "trap") as swaps,
    ):
        sweep(sweeper, found.files)
        assert swaps()
    assert sweeper.files + sweeper.skipped.total() == DELETIONS
    assert sweeper.files, "nothing was removed"
    assert sweeper.skipped, "it was never swapped"
    assert fingerprint(outside) == sentinel
    real = next(p for p in (root / "sub", root / "trap") if not p.is_symlink())
    assert len(list(real.iterdir())) == sweeper.skipped.total()


def lay_out(old: Path, trap: Path, outside: Path) -> None:
    """Make a file and a link to the sentinel, which will change places."""
    for path in (old, trap):
        path.unlink(missing_ok=True)
    old.write_bytes(b"rubbish")
    trap.symlink_to(outside / "old.log")


def test_a_swapper_of_names_wins_nothing(root: Path, way: Way) -> None:
    """10,000 removals while a file and a link to the sentinel change places.

    Each is right about its file, or does not happen.
    """
    outside = root.parent / "outside"
    sentinel = fingerprint(outside)
    old, trap = root / "old.log", root / "trap"
    lay_out(old, trap, outside)
    ends: Counter[str] = Counter()
    with swapping(old, trap) as swaps, sweeping(root, way) as sweeper:
        while ends.total() < DELETIONS:
            one = describe(str(root), "old.log", old.lstat())
            try:
                why = sweeper.remove(one)
            except Lost:
                why = "lost"
            ends[why] += 1
            if why in ("", "lost"):
                lay_out(old, trap, outside)
        assert swaps()
    assert ends[""], "nothing was removed"
    assert ends["no file"], "it was never a link"
    assert fingerprint(outside) == sentinel


def test_the_very_last_moment(
    root: Path, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who swaps a name between the last look and the removal is found out."""
    for days, name in ((30, "first.log"), (20, "second.log")):
        write(root / name, days=days)
    found = plan(make_rule(root), way)
    unlink = os.unlink

    def swap_and_unlink(name: str, *, dir_fd: int) -> None:
        """Give the name to another file, and go on."""
        (root / name).rename(root / "saved")
        write(root / name)
        unlink(name, dir_fd=dir_fd)

    with sweeping(root, way) as sweeper:
        monkeypatch.setattr(os, "unlink", swap_and_unlink)
        why = sweeper.sweep(found, found.digest, lambda: False, print)
        monkeypatch.undo()
    assert "first.log was replaced at the very moment" in why
    assert sweeper.files == 0
    assert {path.name for path in root.iterdir()} == {"saved", "second.log"}
