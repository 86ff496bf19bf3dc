"""Removal: only the files of the plan, as they were when it was made."""

import errno
import os
import random
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest

from app.act.local.sweep.beneath import Way, closing
from app.act.local.sweep.sweeping import (
    CHANGED,
    MOST_SHOWN,
    Lost,
    be_gone,
)
from app.act.local.sweep.sweepplan import describe
from tests.unit.act.local.sweeps import (
    WAYS,
    age,
    fingerprint,
    forge,
    make_rule,
    make_way,
    mounted,
    needs_linux,
    needs_root,
    plan,
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


def test_the_plan_is_removed(root: Path, way: Way) -> None:
    """All of its files, no other, and no folder."""
    for name in ("a.log", "sub/b.log", "sub/deep/c.log"):
        write(root / name, 5_000)
    stays = write(root / "sub" / "keep.txt")
    sentinel = fingerprint(root.parent / "outside")
    found = plan(make_rule(root, "**/*.log"), way)
    with sweeping(root, way) as sweeper:
        assert sweep(sweeper, found.files) == []
    assert sweeper.files == 3
    assert sweeper.room == found.size > 0
    left = {path for path in root.rglob("*") if path.is_file()}
    assert left == {stays}
    assert (root / "sub" / "deep").is_dir()
    assert fingerprint(root.parent / "outside") == sentinel


def replace(path: Path) -> None:
    """Put another file in the place of one, as old and as long."""
    new = write(path.with_name("new"), path.stat().st_size)
    was = path.stat()
    os.utime(new, ns=(was.st_atime_ns, was.st_mtime_ns))
    new.rename(path)


def write_anew(path: Path) -> None:
    """Change what is in a file, and hide when."""
    was = path.stat()
    path.write_bytes(os.urandom(was.st_size))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def make_link(path: Path) -> None:
    """Put a link to something outside in the place of a file."""
    path.unlink()
    path.symlink_to(path.parents[2] / "outside" / "old.log")


def make_folder(path: Path) -> None:
    """Put a folder in the place of a file."""
    path.unlink()
    path.mkdir()


def make_pipe(path: Path) -> None:
    """Put a pipe in the place of a file."""
    path.unlink()
    os.mkfifo(path)


def swap_folder(path: Path) -> None:
    """Put a link to a folder outside in the place of the file's folder."""
    path.parent.rename(path.parents[1] / "moved")
    path.parent.symlink_to(path.parents[2] / "outside")


@pytest.mark.parametrize(
    ("change", "whys"),
    [
        (replace, {CHANGED}),
        (write_anew, {CHANGED}),
        (lambda p: os.truncate(p, 3), {CHANGED}),
        (os.utime, {CHANGED}),
        (lambda p: p.chmod(0o600), {CHANGED}),
        (lambda p: p.with_name("more").hardlink_to(p), {"it has other names"}),
        (make_link, {"no file"}),
        (make_folder, {"no file"}),
        (make_pipe, {"no file"}),
        (Path.unlink, {os.strerror(errno.ENOENT)}),
        (
            swap_folder,
            {os.strerror(errno.ELOOP), os.strerror(errno.ENOTDIR)},
        ),
    ],
)
def test_what_changed_stays(
    root: Path, way: Way, change: Change, whys: set[str]
) -> None:
    """Whatever happened to a file after the plan, it survives."""
    file = write(root / "sub" / "old.log", 100)
    other = write(root / "sub" / "other.log", 100)
    found = plan(make_rule(root), way)
    change(file)
    before = fingerprint(root.parent)
    others = [one for one in found.files if one.path == "sub/old.log"]
    with sweeping(root, way) as sweeper:
        lines = sweep(sweeper, tuple(others))
    assert fingerprint(root.parent) == before
    assert set(sweeper.skipped) <= whys
    assert sweeper.skipped.total() == 1
    assert "old.log" in lines[0]
    # Without it there is nothing that would keep the other one.
    if other.exists() and not file.parent.is_symlink():
        with sweeping(root, way) as sweeper:
            sweep(sweeper, found.files)
        assert not other.exists()


def test_a_folder_that_was_replaced_by_a_folder(root: Path, way: Way) -> None:
    """What is in the new one is not what was planned."""
    write(root / "sub" / "old.log", 100)
    found = plan(make_rule(root), way)
    (root / "sub").rename(root.parent / "moved")
    new = write(root / "sub" / "old.log", 100)
    with sweeping(root, way) as sweeper:
        sweep(sweeper, found.files)
    assert sweeper.skipped == Counter([CHANGED])
    assert new.exists()
    assert (root.parent / "moved" / "old.log").exists()


@pytest.mark.parametrize("mode", ["rb", "r+b", "ab"])
def test_what_is_opened_after_the_plan_stays(
    root: Path, way: Way, mode: str
) -> None:
    """The kernel itself says it: /proc was not even looked at."""
    file = write(root / "old.log", 100)
    found = plan(make_rule(root), way)
    with file.open(mode), sweeping(root, way) as sweeper:
        sweep(sweeper, found.files)
        assert sweeper.skipped == Counter(["open"])
    assert file.exists()
    with sweeping(root, way) as sweeper:
        sweep(sweeper, found.files)
    assert not file.exists()


@needs_root
def test_what_is_mounted_after_the_plan_stays(root: Path, way: Way) -> None:
    """Neither what is under a mount point nor what is on it is removed."""
    write(root / "sub" / "old.log", 100)
    found = plan(make_rule(root), way)
    outside = root.parent / "outside"
    with (
        mounted(root / "sub", "--bind", str(outside)),
        sweeping(root, way) as sweeper,
    ):
        sweep(sweeper, found.files)
        assert (outside / "old.log").exists()
        assert sweeper.files == 0
    assert (root / "sub" / "old.log").exists()


def test_a_file_that_kept_its_name_ends_the_sweep(root: Path) -> None:
    """If ever another name was taken off, nothing more is removed."""
    path = write(root / "old.log")
    one = describe(str(root), "old.log", path.lstat())
    with closing(os.open(path, os.O_RDONLY)) as file:
        with pytest.raises(Lost, match="nothing more is"):
            be_gone(one, file)
        path.unlink()
        be_gone(one, file)


def test_it_ends_when_enough_is_free(root: Path) -> None:
    """What is older goes first; what is left stays."""
    for days in (20, 40, 30):
        write(root / f"{days}.log", days=days)
    found = plan(make_rule(root))
    answers = iter((False, False, True))
    with sweeping(root) as sweeper:
        why = sweeper.sweep(found, found.digest, lambda: next(answers), print)
    assert why == "enough is free"
    assert [path.name for path in root.iterdir()] == ["20.log"]


def test_what_is_said_is_bounded(root: Path) -> None:
    """Only the first that were skipped are named; all are counted."""
    for number in range(MOST_SHOWN + 20):
        write(root / f"{number}.log")
    found = plan(make_rule(root))
    for path in root.iterdir():
        age(path, 1)
    with sweeping(root) as sweeper:
        lines = sweep(sweeper, found.files)
    assert len(lines) == MOST_SHOWN
    assert sweeper.skipped == Counter({CHANGED: MOST_SHOWN + 20})


def test_nothing_stays_open(root: Path, way: Way) -> None:
    """Neither of what was removed, nor of what was skipped."""
    for number in range(20):
        write(root / f"{number}.log")
    found = plan(make_rule(root), way)
    age(root / "3.log", 1)
    (root / "4.log").unlink()
    with sweeping(root, way) as sweeper:
        before = len(list(Path("/proc/self/fd").iterdir()))
        sweep(sweeper, found.files)
        after = len(list(Path("/proc/self/fd").iterdir()))
    assert sweeper.files == 18
    assert after == before


@pytest.mark.parametrize("seed", range(15))
def test_any_tree(tmp_path: Path, way: Way, seed: int) -> None:
    """In a random tree exactly the old, plain, unshared files go."""
    rng = random.Random(seed)
    root, outside = tmp_path / "root", tmp_path / "outside"
    victim = write(outside / "victim")
    folders = [root]
    doomed: set[Path] = set()
    stays: set[Path] = set()
    root.mkdir()
    for number in range(60):
        folder = rng.choice(folders)
        path = folder / f"{number}{rng.choice(ENDS)}"
        kind = rng.choice(["file"] * 4 + ["folder", "link", "hard", "pipe"])
        if kind == "folder":
            path.mkdir()
            folders.append(path)
        elif kind == "link":
            path.symlink_to(rng.choice([victim, outside, root]))
        elif kind == "hard":
            path.hardlink_to(write(outside / f"h{number}"))
        elif kind == "pipe":
            os.mkfifo(path)
        else:
            days = rng.choice([20, -9])
            write(path, rng.randrange(9_000), days)
            is_doomed = days > 0 and path.suffix == ".log"
            (doomed if is_doomed else stays).add(path)
    sentinel = fingerprint(outside)
    everything = {path for path in root.rglob("*") if not path.is_dir()}
    found = plan(make_rule(root, "**/*.log"), way)
    with sweeping(root, way) as sweeper:
        sweep(sweeper, found.files)
    left = {path for path in root.rglob("*") if not path.is_dir()}
    assert everything - left == doomed
    assert stays <= left
    assert sweeper.files == len(doomed)
    assert fingerprint(outside) == sentinel


def test_special_files_stay(root: Path, way: Way) -> None:
    """A socket, a device, a pipe: a forged plan removes none."""
    made = [root / "pipe", root / "socket"]
    os.mkfifo(made[0])
    with socket.socket(socket.AF_UNIX) as server, chdir(root):
        server.bind("socket")
    if not os.geteuid():
        made.append(root / "device")
        os.mknod(made[2], 0o600 | 0o020000, os.makedev(1, 3))
    forged = tuple(forge(root, path.name, path) for path in made)
    with sweeping(root, way) as sweeper:
        sweep(sweeper, forged)
    assert sweeper.skipped == Counter({"no file": len(made)})
    assert all(path.exists() for path in made)
