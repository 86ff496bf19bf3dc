"""Probes at real faults: burners, leaks, zombies, hogs, full disks."""

import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from app.act.local.look.probe import LEAST_COUNT
from app.act.local.look.walking import weigh
from app.act.local.probes.latency import call_all
from app.core.clock import SystemClock
from app.core.look.past import EVERY_SECONDS, Past
from app.core.look.snapshot import take
from tests.unit.act.local.rounds import MB, Round, write
from tests.unit.act.local.victims import SPIN, Victim, wait_for

IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root mounts")


class LaterClock(SystemClock):
    """A clock that is some minutes ahead, so that there is a past."""

    def monotonic(self) -> float:
        """Return a time to come."""
        return super().monotonic() + 1_800.0


@contextmanager
def running(code: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a child that says when it is ready, and ends with the test."""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            yield child
        finally:
            child.kill()


def test_what_burns_cpu_is_named_first(tmp_path: Path) -> None:
    """Before the total: with its share, age, owner and command line."""
    with Victim(tmp_path, "burner", SPIN) as victim:
        name = f"burner[{victim.pid}] "

        def is_first() -> bool:
            """Tell whether it is said before other processes and totals."""
            found = Round("cpu")
            first = next(iter(found.first), "")
            lines = found.lines("processes by cpu")
            is_listed = any(line.startswith(name) for line in lines)
            return first.startswith(f"{name}takes ") and is_listed

        # Others may burn as much on a machine that builds many things.
        wait_for(is_first)


def test_what_burns_as_it_always_did_weighs_less(tmp_path: Path) -> None:
    """A process that was as busy for an hour is no news, and said so."""
    past = Past(LaterClock())
    with Victim(tmp_path, "worker", SPIN) as victim:
        for _ in range(LEAST_COUNT + 2):
            past.keep(take(), {})
            enough = worked(victim.pid) + 5
            wait_for(partial(has_worked, victim.pid, enough))

        def is_usual() -> bool:
            """Tell whether it is said to be as usual."""
            found = Round("cpu", past=past)
            lines = [one for one in found.first if f"[{victim.pid}]" in one]
            return bool(lines) and " as usual" in lines[0]

        wait_for(is_usual)


def has_worked(pid: int, ticks: int) -> bool:
    """Tell whether a process has worked for so many ticks."""
    return worked(pid) >= ticks


def worked(pid: int) -> int:
    """Return for how many ticks a process has worked."""
    procs = take().procs.values()
    return next(proc.ticks for proc in procs if proc.pid == pid)


def test_what_leaks_is_named_as_grower() -> None:
    """Against the real past: how much more it holds, and since when."""
    past = Past(LaterClock())
    total = take().memory_bytes
    # Who was small among many large ones is taken for as large as the floor.
    more = int(min(700 * MB, 0.08 * total))
    code = (
        "print('ready', flush=True)\ninput()\n"
        f"held = bytearray(b'x') * {more}\ninput()\n"
    )
    with running(code) as child:

        def rss() -> int:
            """Return what it holds."""
            procs = take().procs.values()
            return next(p.rss for p in procs if p.pid == child.pid)

        first = rss()
        past.keep(take(), {})
        young = Past(SystemClock())
        young.keep(take(), {})
        assert child.stdin is not None
        child.stdin.write(b"\n")
        child.stdin.flush()
        wait_for(lambda: rss() >= first + 0.99 * more)
        found = Round("memory", past=past)
        soon = Round("memory", past=young)
    name = f"python[{child.pid}] holds "
    line = next(one for one in found.first if one.startswith(name))
    assert " more than 30 min ago, " in line
    assert line in found.lines("processes that grow")
    # Of one that has just begun it is listed, and no news.
    assert any(
        one.startswith(name) for one in soon.lines("processes that grow")
    )
    assert not any(one.startswith(name) for one in soon.first)


def test_zombies_are_counted_with_their_parent() -> None:
    """Real dead children that nobody has asked about."""
    code = (
        "import os\n"
        "for _ in range(7):\n"
        "    if not os.fork(): os._exit(0)\n"
        "print('ready', flush=True)\ninput()\n"
    )
    with running(code) as child:
        wait_for(lambda: dead_of(child.pid) == 7)
        found = Round("processes")
    line = next(one for one in found.first if f"[{child.pid}]" in one)
    assert line.startswith("7 zombies left by python")


def dead_of(pid: int) -> int:
    """Return how many dead children a process has."""
    procs = take().procs.values()
    return sum(one.parent == pid and one.state == "Z" for one in procs)


def test_who_opens_too_many_files_is_named() -> None:
    """Near the limit of its own, not of the machine."""
    code = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
        "held = [open('/dev/null') for _ in range(58)]\n"
        "print('ready', flush=True)\ninput()\n"
    )
    with running(code) as child:
        found = Round("processes")
    line = next(one for one in found.first if f"[{child.pid}]" in one)
    assert f"python[{child.pid}] has 61 of 64 files open (95 %)" in line or (
        " of 64 files open (9" in line
    )


def test_a_deleted_file_that_is_still_open_is_found(tmp_path: Path) -> None:
    """With who holds it; room that no list of files shows."""
    file = tmp_path / "access.log"
    code = (
        f"f = open({str(file)!r}, 'wb')\nf.write(b'x' * 5_000_000)\n"
        "f.flush()\nimport os\nos.fsync(f.fileno())\n"
        f"os.unlink({str(file)!r})\nprint('ready', flush=True)\ninput()\n"
    )
    with running(code) as child:
        lines = Round("deleted").lines("deleted files that are still open")
    line = next(one for one in lines if "access.log" in one)
    assert line.startswith("5.0 MB ")
    assert line.endswith(f"[{child.pid}]")


@pytest.fixture(name="small")
def _small(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of 4 MB."""
    place = tmp_path / "small disk"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", "size=4m,nr_inodes=200", "none"]
    subprocess.run(["mount", *options, str(place)], timeout=60, check=True)
    yield place
    subprocess.run(["umount", str(place)], timeout=60, check=True)


@needs_root
def test_a_full_file_system_says_what_fills_it(small: Path) -> None:
    """Its share, its largest folder and file; a link leads nowhere else."""
    (small / "logs/app").mkdir(parents=True)
    (small / "logs/app/old.log").write_bytes(b"x" * 4_050_000)
    (small / "elsewhere").symlink_to("/usr")
    found = Round("disk")
    line = next(one for one in found.first if str(small) in one)
    assert line.startswith(f"{small} 9")
    assert " of 4.2 MB used" in line
    what = found.lines(f"what fills {small}")
    assert what[0] == f"4.1 MB {small}/logs/"
    assert f"4.1 MB {small}/logs/app/old.log (one file)" in what
    assert not any("/usr" in one for one in what)


@needs_root
def test_a_walk_stays_on_its_file_system(small: Path) -> None:
    """What is mounted below a folder takes no room of that folder's."""
    (small / "large").write_bytes(b"x" * 3_000_000)
    found = weigh(str(small.parent), SystemClock().monotonic() + 20)
    assert found.is_all
    assert not any("large" in path for path, _ in found.files)
    assert all(count < 1_000_000 for _, count in found.folders)


@needs_root
def test_a_file_system_without_names_is_full_too(small: Path) -> None:
    """Many small files take all inodes."""
    for number in range(195):
        (small / str(number)).touch()
    line = next(one for one in Round("disk").first if str(small) in one)
    assert line.endswith("(inodes) used")


@needs_root
def test_how_fast_a_disk_fills_is_said(small: Path) -> None:
    """Against the past: when it will be full at this pace."""
    past = Past(LaterClock())
    snapshot = take()
    snapshot.figures[f"disk_percent:{small}"] = 10.0
    past.keep(snapshot, {})
    (small / "half").write_bytes(b"x" * 2_100_000)
    line = next(o for o in Round("disk", past=past).first if str(small) in o)
    assert "10 % 30 min ago: full in " in line


def test_a_listener_that_accepts_nobody_stands_out() -> None:
    """Its queue is full: callers wait; another listener answers at once."""
    with socket.socket() as deaf, socket.socket() as good:
        for one in (deaf, good):
            one.bind(("127.0.0.1", 0))
        deaf.listen(0)
        good.listen(5)
        places = [deaf.getsockname(), good.getsockname()]
        callers = []
        for _ in range(4):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(places[0])
            callers.append(caller)
        try:
            select.select([], callers[:1], [], 5)
            found = call_all(places, 1.0)
        finally:
            for caller in callers:
                caller.close()
    assert found[places[0]] is None
    assert found[places[1]] is not None


def test_no_disk_hides_another(tmp_path: Path) -> None:
    """One that cannot be read is said; the others are looked at."""
    write(
        tmp_path,
        "proc/self/mountinfo",
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 8:2 / /nowhere/at\\040all rw - xfs /dev/sdb1 rw\n"
        "3 1 8:1 / /again rw - ext4 /dev/sda1 rw\n"
        "4 1 0:5 / /proc rw - proc proc rw\n",
    )
    found = Round("disk", root=tmp_path)
    # It lies below another one: nothing of it hangs.
    assert not any("hangs" in one for one in found.first)
    first, other = sorted(found.lines("file systems"))
    assert first.startswith("/ ")
    assert other == (
        "/nowhere/at all (xfs /dev/sdb1): not readable: no such file or"
        " directory"
    )


def test_a_past_of_five_minutes_is_enough_to_compare() -> None:
    """The rule of what is usual and the words about no past agree."""
    assert EVERY_SECONDS * LEAST_COUNT == 300.0
