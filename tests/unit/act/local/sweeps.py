"""Real trees to be swept: small file systems, swappers, fingerprints."""

import hashlib
import os
import select
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.act.local.sweep.beneath import ByKernel, BySteps, Root, Way, find_way
from app.act.local.sweep.descent import Descent
from app.act.local.sweep.openfiles import OpenFiles
from app.act.local.sweep.sweeping import Opened, Sweeper
from app.act.local.sweep.sweepplan import Plan, Planned, Planner, describe
from app.act.local.sweep.sweeprules import Rule
from tests.programs import lack

HOUR = 3_600
DAY = 24 * HOUR
NOTHING_OPEN = OpenFiles(is_whole=True)
# Two names change places, over and over, each time at once.
SWAPPER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
one, other = os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2])
exchange = lambda: libc.renameat2(-100, one, -100, other, 2)
if exchange() or exchange():
    sys.exit(3)
print("ready", flush=True)
while True:
    exchange()
"""

is_root = os.name == "posix" and os.geteuid() == 0
needs_root = pytest.mark.skipif(not is_root, reason="only root may mount")
needs_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="the local hands work on Linux"
)


def make_way(kind: type[Way]) -> Way:
    """Return one of the two ways, if this kernel has it: see `lack`."""
    if kind is ByKernel and not isinstance(find_way(), ByKernel):
        lack("this kernel does not know openat2")
    return kind()


WAYS = (ByKernel, BySteps)


def write(path: Path, size: int = 10, days: float = 20) -> Path:
    """Return a new file whose content is some days old."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))
    age(path, days)
    return path


def age(path: Path, days: float) -> None:
    """Let the content of a file be some days old."""
    moment = time.time() - days * DAY
    os.utime(path, (moment, moment))


def later(days: float = 10) -> int:
    """Return a moment to come: what is new today is old then."""
    return int((time.time() + days * DAY) * 1e6)


def fingerprint(folder: Path) -> str:
    """Return a hash over all names, contents, owners, kinds and dates."""
    found = hashlib.sha256()
    for path in sorted([folder, *folder.rglob("*")]):
        said = path.lstat()
        owner = said.st_mode, said.st_uid, said.st_gid
        kept = said.st_ino, said.st_mtime_ns, said.st_nlink
        line = f"{path} {owner} {kept}\n"
        found.update(line.encode(errors="surrogateescape"))
        if path.is_file() and not path.is_symlink():
            found.update(path.read_bytes())
    return found.hexdigest()


@contextmanager
def mounted(at: Path, *words: str) -> Iterator[Path]:
    """Lend what is mounted for a while; where we may not, see `lack`."""
    if not at.exists():
        at.mkdir(parents=True)
    done = subprocess.run(
        ["mount", *words, str(at)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        lack(f"nothing can be mounted here: {done.stderr!r}")
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], timeout=60, check=True)


def mount_disk(at: Path, *options: str) -> Any:
    """Lend a small file system of its own."""
    said = ",".join(options or ("size=16m",))
    return mounted(at, "-t", "tmpfs", "-o", said, "tmpfs")


@contextmanager
def swapping(one: Path, other: Path) -> Iterator[Callable[[], bool]]:
    """Let a process exchange two names as fast as it can; lends if it does."""
    words = [sys.executable, "-c", SWAPPER, str(one), str(other)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert select.select([process.stdout], [], [], 30)[0], "no word of it"
        if process.stdout.readline() != b"ready\n":
            lack("this file system cannot exchange names")
        yield lambda: process.poll() is None
    finally:
        process.kill()
        process.wait(timeout=30)
        process.stdout.close()


@contextmanager
def refused(*numbers: int) -> Iterator[None]:
    """Fail unless the system refuses what is tried, with such a number."""
    number = 0
    try:
        yield
    except OSError as error:
        number = error.errno or -1
    assert number in numbers


def names_in(folder: int) -> set[str]:
    """Return what is in an open folder."""
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries}


def make_rule(root: Path, *globs: str, **more: Any) -> Rule:
    """Return a rule as it would stand in the settings."""
    return Rule.model_validate(
        {"root": str(root), "globs": globs or ("**",), **more}
    )


def plan(
    rule: Rule,
    way: Way | None = None,
    now: int | None = None,
    opened: OpenFiles = NOTHING_OPEN,
    start: str = "",
) -> Plan:
    """Return what a rule allows to remove."""
    with Root(rule.root, way) as root:
        planner = Planner(rule, root, now or later(), opened)
        return planner.plan(start, Descent(lambda: None))


def paths(found: Plan) -> list[str]:
    """Return what is planned, in its order."""
    return [one.path for one in found.files]


@contextmanager
def sweeping(
    root: Path, way: Way | None = None, opened: OpenFiles = NOTHING_OPEN
) -> Iterator[Sweeper]:
    """Lend what removes files below a root."""
    with ExitStack() as stack:
        opens = stack.enter_context(Root(str(root), way))
        yield Sweeper({str(root): opens}, Opened(lambda _ours: opened))


def sweep(sweeper: Sweeper, files: tuple[Planned, ...]) -> list[str]:
    """Sweep all, and return the lines that were said."""
    lines: list[str] = []
    swept = Plan(files, Counter())
    why = sweeper.sweep(swept, swept.digest, lambda: False, lines.append)
    assert why == ""
    return lines


def forge(root: Path, path: str, victim: Path) -> Planned:
    """Return a plan that only the way of opening can refuse."""
    return describe(str(root), path, victim.lstat())
