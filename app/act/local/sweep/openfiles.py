"""Open files: what is in use, and what was deleted but is still held.

There are two looks. A lease asks the kernel about one file: it is given only
when nobody has the file open or mapped, in no container, and not the kernel
itself. The other look goes through /proc: it shows the files of all
processes at once, but only of those that we may look at.
"""

import fcntl
import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum
from pathlib import Path
from threading import Thread

import msgspec

PROC = "/proc"
# The number of the first process namespace: who is in it sees all the others.
FIRST_NAMESPACE = 0xEFFFFFFC
SECONDS = 15.0
PIECE_SECONDS = 0.1
MOST_FILES = 500_000
MOST_HELD = 1_000
FORGOTTEN = " (deleted)"
# Not on every system; nothing is asked for there.
F_SETSIG = getattr(fcntl, "F_SETSIG", -1)
F_SETLEASE = getattr(fcntl, "F_SETLEASE", -1)
QUIETLY = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
O_NOATIME = getattr(os, "O_NOATIME", 0)

Id = tuple[int, int]


class Use(Enum):
    """Whether somebody uses a file."""

    FREE = "free"
    USED = "used"
    UNKNOWN = "unknown"


class Held(msgspec.Struct, frozen=True):
    """A file without a name that takes room as long as it is open.

    Attributes:
        pid: who has it open; others may have it, too.
        program: what the kernel calls that process.
        size: how much room it takes, in bytes.
        name: what it was called.
    """

    pid: int
    program: str
    size: int
    name: str


class OpenFiles(msgspec.Struct, frozen=True):
    """What is open on one file system.

    Attributes:
        ids: the files, by device and inode.
        held: those without a name, the largest first.
        is_whole: whether all processes were seen.
        why: why not.
    """

    ids: frozenset[Id] = frozenset()
    held: tuple[Held, ...] = ()
    is_whole: bool = False
    why: str = ""


class _Search:
    """Goes through /proc once; on a thread, since a file may hang."""

    def __init__(self, device: int, proc: str, ours: int) -> None:
        """Take the file system, where /proc is, and what is not counted."""
        self.ids: set[Id] = set()
        self.held: dict[Id, Held] = {}
        self.unseen = 0
        self.has_ended = False
        self._device = device
        self._proc = Path(proc)
        self._ours = self._proc / str(os.getpid()) / "fd" / str(ours)
        self._until = time.monotonic() + SECONDS
        self._left = MOST_FILES

    def run(self) -> None:
        """Look at all processes, until the time is over."""
        for folder in self._proc.iterdir():
            if not folder.name.isdigit():
                continue
            if time.monotonic() > self._until or self._left < 0:
                return
            try:
                self._look_at(folder)
            except (FileNotFoundError, ProcessLookupError):
                continue  # It has ended meanwhile.
            except OSError:
                self.unseen += 1
        self.has_ended = True

    def _look_at(self, folder: Path) -> None:
        """Look at one process, or raise OSError when we may not."""
        for file in (folder / "fd").iterdir():
            self._left -= 1
            if file == self._ours:
                continue
            with suppress(FileNotFoundError):
                path = str(file.readlink())
                # Neither a pipe nor a socket.
                if path.startswith("/"):
                    self._add(folder, path, file.stat())
        self.ids |= set(self._mapped(folder / "maps"))

    def _add(self, folder: Path, path: str, found: os.stat_result) -> None:
        """Remember an open file of the file system."""
        if found.st_dev != self._device or not stat.S_ISREG(found.st_mode):
            return
        one = found.st_dev, found.st_ino
        self.ids.add(one)
        if found.st_nlink or one in self.held or len(self.held) >= MOST_HELD:
            return
        program = (folder / "comm").read_bytes()
        self.held[one] = Held(
            int(folder.name),
            program.decode(errors="replace").strip(),
            512 * found.st_blocks,
            path.removesuffix(FORGOTTEN),
        )

    def _mapped(self, file: Path) -> Iterator[Id]:
        """Yield the files of the file system that a process has mapped."""
        for line in file.read_bytes().splitlines():
            words = line.split(None, 5)
            if len(words) < 6 or words[4] == b"0":
                continue
            major, _, minor = words[3].partition(b":")
            device = os.makedev(int(major, 16), int(minor, 16))
            if device == self._device:
                yield device, int(words[4])


def find_open(
    device: int,
    check: Callable[[], None],
    ours: int = -1,
    proc: str = PROC,
) -> OpenFiles:
    """Return what is open on a file system, as far as it can be seen.

    Args:
        device: the file system.
        check: raises when it must end.
        ours: a file descriptor of ours that does not count.
        proc: where the processes are.
    """
    search = _Search(device, proc, ours)
    thread = Thread(target=search.run, name="find-open", daemon=True)
    thread.start()
    until = time.monotonic() + SECONDS
    while thread.is_alive() and time.monotonic() < until:
        check()
        thread.join(PIECE_SECONDS)
    why = _why_not_whole(search, proc)
    held = sorted(search.held.copy().values(), key=lambda one: -one.size)
    return OpenFiles(frozenset(search.ids.copy()), tuple(held), not why, why)


def _why_not_whole(search: _Search, proc: str) -> str:
    """Return why not all open files are known, or nothing."""
    if search.unseen:
        return f"we may not see the files of {search.unseen} processes"
    if not search.has_ended:
        return "there are too many, or one of them hangs"
    try:
        if Path(f"{proc}/self/ns/pid").stat().st_ino == FIRST_NAMESPACE:
            # Processes of others may be hidden as a whole.
            is_shown = Path(f"{proc}/1/fd").exists()
            return "" if is_shown else "other processes are hidden from us"
    except OSError:
        return "the kernel does not say who we are"
    return "we are in a container and do not see what is outside"


def reopen(file: int) -> int | None:
    """Return a regular file opened for a lease, None when we may not.

    Args:
        file: a handle of it; no name is looked up, so it is the same file.
    """
    try:
        return os.open(f"{PROC}/self/fd/{file}", QUIETLY | O_NOATIME)
    except OSError:
        return None


def take_lease(file: int) -> Use:
    """Return whether anybody but us has a file open or mapped.

    When nobody has, whoever wants to open it waits until it is closed here.

    Args:
        file: it as reopen gave it, and no other handle of it by us: old
            kernels count handles, too.
    """
    try:
        # Whoever opens it meanwhile makes the kernel send us a signal: it
        # must be one that does nothing.
        fcntl.fcntl(file, F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, F_SETLEASE, fcntl.F_WRLCK)
    except BlockingIOError:
        return Use.USED
    except OSError:
        return Use.UNKNOWN
    return Use.FREE
