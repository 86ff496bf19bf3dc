"""Open files: what /proc shows of them, and what the kernel says."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from app.act.local.sweep.beneath import closing
from app.act.local.sweep.openfiles import (
    OpenFiles,
    Use,
    find_open,
    reopen,
    take_lease,
)
from app.act.local.sweep.sweeping import Opened
from tests.unit.act.local.stands import is_told, wait_for
from tests.unit.act.local.sweeps import (
    make_rule,
    needs_linux,
    paths,
    plan,
    write,
)

pytestmark = needs_linux


def holding(path: Path, how: str) -> "subprocess.Popen[bytes]":
    """Return a process that uses a file until it is ended."""
    code = (
        "import mmap, sys\n"
        "file = open(sys.argv[1], 'r+b')\n"
        f"{how}\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize(
    "how", ["pass", "held = mmap.mmap(file.fileno(), 0); file.close()"]
)
def test_what_a_process_uses_stays(tmp_path: Path, how: str) -> None:
    """Open, or mapped and closed: /proc shows it, and no lease is given."""
    path = write(tmp_path / "used")
    write(tmp_path / "free")
    device = tmp_path.stat().st_dev
    with holding(path, how):
        opened = find_open(device, lambda: None)
        said = path.stat()
        assert (said.st_dev, said.st_ino) in opened.ids
        found = plan(make_rule(tmp_path), opened=opened)
        assert paths(found) == ["free"]
        assert found.left["open"] == 1
        uses = {name: use_of(tmp_path / name) for name in ("used", "free")}
        assert uses == {"used": Use.USED, "free": Use.FREE}
    assert use_of(path) is Use.FREE


def use_of(path: Path) -> Use:
    """Return what the kernel says of a file."""
    handle = os.open(path, os.O_PATH)
    file = reopen(handle)
    os.close(handle)
    assert file is not None
    use = take_lease(file)
    os.close(file)
    return use


def test_deleted_files_that_are_held(tmp_path: Path) -> None:
    """Who holds how much is known, and that it has no name."""
    path = write(tmp_path / "gone\n.log", 300_000)
    device = tmp_path.stat().st_dev
    with holding(path, "pass") as process:
        path.unlink()
        found = find_open(device, lambda: None)
    # A child inherits nameless files of its own, such as its output's.
    mine = [
        one
        for one in found.held
        if (one.pid, one.name) == (process.pid, str(path))
    ]
    assert len(mine) == 1
    assert 300_000 <= mine[0].size <= 400_000
    assert mine[0].program.startswith("python")
    sizes = [one.size for one in found.held]
    assert sizes == sorted(sizes, reverse=True)


def test_what_is_hidden_is_said(tmp_path: Path) -> None:
    """Where a process cannot be looked at, not all is known."""
    (tmp_path / "12").mkdir()
    # No folder: it can be read by nobody, root included.
    (tmp_path / "12" / "fd").write_text("")
    found = find_open(1, lambda: None, proc=str(tmp_path))
    assert not found.is_whole
    assert found.why == "we may not see the files of 1 processes"
    (tmp_path / "12" / "fd").unlink()
    found = find_open(1, lambda: None, proc=str(tmp_path))
    assert found.why == "the kernel does not say who we are"
    (tmp_path / "self" / "ns").mkdir(parents=True)
    (tmp_path / "self" / "ns" / "pid").write_text("")
    found = find_open(1, lambda: None, proc=str(tmp_path))
    assert "container" in found.why


def test_searching_ends_when_it_must(tmp_path: Path) -> None:
    """Whoever waits for it may end meanwhile."""
    os.mkfifo(tmp_path / "maps")
    (tmp_path / "12" / "fd").mkdir(parents=True)
    (tmp_path / "12" / "maps").symlink_to(tmp_path / "maps")

    def check() -> None:
        """End it at once."""
        raise InterruptedError

    with pytest.raises(InterruptedError):
        find_open(1, check, proc=str(tmp_path))
    # Its thread hangs at a pipe; it goes on when somebody writes.
    wait_for(partial(is_told, tmp_path / "maps"))


def test_our_own_look_does_not_count(tmp_path: Path) -> None:
    """Where no lease is given, only what others have open is in use."""
    path = write(tmp_path / "old.log")
    device = tmp_path.stat().st_dev
    with path.open("rb") as ours:
        opened = find_open(device, lambda: None, ours.fileno())
        mine = Opened(lambda ours: find_open(device, lambda: None, ours))
        use = Use.FREE if opened.is_whole else Use.UNKNOWN
        assert mine.use_of(ours.fileno()) is use
        with path.open("rb"):
            again = Opened(lambda ours: find_open(device, lambda: None, ours))
            assert again.use_of(ours.fileno()) is Use.USED


def test_without_a_lease_proc_says_it(tmp_path: Path) -> None:
    """What it shows is used; what it may not show may be used, too."""
    path = write(tmp_path / "old.log")
    said = path.stat()
    shown = frozenset({(said.st_dev, said.st_ino)})

    def said_of(opened: OpenFiles, _ours: int) -> OpenFiles:
        """Say always the same."""
        return opened

    for opened, use in (
        (OpenFiles(shown, is_whole=True), Use.USED),
        (OpenFiles(shown, is_whole=False), Use.USED),
        (OpenFiles(is_whole=True), Use.FREE),
        (OpenFiles(is_whole=False), Use.UNKNOWN),
    ):
        with closing(os.open(path, os.O_PATH)) as file:
            asked = Opened(partial(said_of, opened))
            assert asked.use_of(file) is use


def test_who_opens_what_goes_does_not_hurt_us(tmp_path: Path) -> None:
    """It has to wait, and the kernel tells us by a signal that does nothing.

    The usual signal of a lease would end the whole service.
    """
    path = write(tmp_path / "old.log")
    heard: list[int] = []
    before = signal.signal(signal.SIGURG, lambda n, _: heard.append(n))
    try:
        with path.open("rb") as file:
            assert take_lease(file.fileno()) is Use.FREE
            code = "import os, sys; os.open(sys.argv[1], os.O_NONBLOCK)"
            done = subprocess.run(
                [sys.executable, "-c", code, str(path)],
                capture_output=True,
                timeout=60,
                check=False,
            )
            assert b"BlockingIOError" in done.stderr
        assert heard == [signal.SIGURG]
    finally:
        signal.signal(signal.SIGURG, before)
    # What does nothing here does nothing in the service, too.
    assert before is signal.SIG_DFL
