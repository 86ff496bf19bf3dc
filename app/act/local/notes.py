"""Notes beside the journal: what was ended and must be started again.

``KEY.undo`` is there while the job KEY has ended something that it will
start again. Whoever finds it without a doer starts that, and says so.
``KEY.plan`` has what the job KEY was about to remove, for a person.
``restarts.counted`` has when what was restarted or ended from here, since
the machine started.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from app.core.errors import NotAccepted, OutgoingFailed
from app.core.log import get_log

UNDO = "undo"
PLAN = "plan"
COUNTED = "restarts.counted"
MOST_COUNTED = 1_000
BOOT = Path("/proc/sys/kernel/random/boot_id")
Resume = Callable[[str, str, float], str]
Settle = Callable[[str, str], None]
log = get_log("local")


class Owed(msgspec.Struct, frozen=True):
    """What was ended and must be started again.

    Attributes:
        keeper: who keeps it.
        name: what he calls it.
        at: when it was about to be ended, by the wall clock.
    """

    keeper: str
    name: str
    at: float


class Counted(msgspec.Struct, frozen=True):
    """One restart, or one end.

    Attributes:
        name: of what.
        boot: since which start of the machine the clock counts.
        at: when, by that clock.
    """

    name: str
    boot: str
    at: float


class FileNotes:
    """The notes of one job; they outlive us."""

    def __init__(self, folder: Path, key: str) -> None:
        """Take the journal's folder, and what the job is known by."""
        self._folder = folder
        self._key = key

    def owe(self, keeper: str, name: str) -> None:
        """Write down what is about to be ended, or raise NotAccepted."""
        owed = Owed(keeper, name, time.time())
        with _telling():
            self.keep(UNDO, msgspec.json.encode(owed))

    def keep(self, kind: str, data: bytes) -> Path:
        """Return a file of the job with all of this, or raise OSError."""
        nonce = f"new-{os.getpid()}-{os.urandom(4).hex()}"
        own = self._folder / f"{self._key}.{nonce}"
        kept = self._folder / f"{self._key}.{kind}"
        try:
            _write(own, data)
            own.rename(kept)
        finally:
            own.unlink(missing_ok=True)
        _sync(self._folder)
        return kept

    def pay(self) -> None:
        """Take off what was written; what cannot be is seen to be done."""
        with suppress(OSError):
            self._undo.unlink()

    def add(self, name: str) -> None:
        """Write down that something is restarted now, or raise NotAccepted."""
        with _telling(), _counted(self._folder) as file:
            _add(file, name)

    def once(self, name: str, seconds: float) -> bool:
        """Write down that something is done now, unless it was lately.

        Two who ask at the same time are not both told that it may be.

        Args:
            name: what is done.
            seconds: so long it must not have been.

        Raises:
            NotAccepted: it cannot be written down: it is not done.
        """
        with _telling(), _counted(self._folder) as file:
            if _count(file, name, seconds):
                return False
            _add(file, name)
        return True

    def count(self, name: str, seconds: float) -> int:
        """Return how often something was restarted in the last seconds."""
        with _telling(), _counted(self._folder) as file:
            return _count(file, name, seconds)

    @property
    def _undo(self) -> Path:
        """Return the file that says what must be started again."""
        return self._folder / f"{self._key}.{UNDO}"


class Debts:
    """What must be started again, of all jobs of a journal."""

    def __init__(self, folder: Path, resume: Resume | None) -> None:
        """Take the journal's folder, and what starts it: None for nobody."""
        self._folder = folder
        self._resume = resume

    def owes(self, key: str) -> bool:
        """Tell whether a job has ended something and not started it yet."""
        return (self._folder / f"{key}.{UNDO}").exists()

    def find(self) -> tuple[str, ...]:
        """Return the jobs that owe something."""
        found = sorted(self._folder.glob(f"*.{UNDO}"))
        return tuple(one.name.removesuffix(f".{UNDO}") for one in found)

    def pay(self, key: str, settle: Settle) -> None:
        """Start what a job left ended whose doer is gone.

        What cannot be started now stays written down for the next one.

        Args:
            key: of a job.
            settle: writes down that its doer died, and what was done then.
        """
        if self._resume is None or not self.owes(key):
            return
        with suppress(OSError), _taking_over(self._folder, key) as is_ours:
            if is_ours:
                self._pay(self._folder / f"{key}.{UNDO}", key, settle)

    def _pay(self, file: Path, key: str, settle: Settle) -> None:
        """Start it, say so, and take the note off."""
        if self._resume is None:
            return
        try:
            owed = msgspec.json.decode(file.read_bytes(), type=Owed)
            told = self._resume(owed.keeper, owed.name, owed.at)
        except FileNotFoundError:
            return
        except msgspec.MsgspecError:
            told = "nobody can read what it left ended"
        except OutgoingFailed as error:
            log.warning("restart.owed", key=key, error=str(error))
            return
        log.warning("restart.made_good", key=key, told=told)
        settle(key, told)
        file.unlink(missing_ok=True)


def _write(file: Path, data: bytes) -> None:
    """Write a new file to the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    opened = os.open(file, flags, 0o600)
    left = data
    try:
        while left:
            left = left[os.write(opened, left) :]
        os.fsync(opened)
    finally:
        os.close(opened)


def _sync(folder: Path) -> None:
    """Return once a folder's names are on disk."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _telling() -> Iterator[None]:
    """Tell what the disk does not take: then nothing is done."""
    try:
        yield
    except OSError as error:
        why = f"it cannot be written down: {error.strerror}"
        raise NotAccepted(why, may_retry=True) from error


@contextmanager
def _counted(folder: Path) -> Iterator[int]:
    """Lend the file of what was restarted, to one at a time."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    file = os.open(folder / COUNTED, flags, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _add(file: int, name: str) -> None:
    """Write down what is done now, or raise OSError."""
    counted = [*_read(file), Counted(name, _boot(), time.monotonic())]
    lines = map(msgspec.json.encode, counted[-MOST_COUNTED:])
    data = b"".join(line + b"\n" for line in lines)
    os.pwrite(file, data, 0)
    os.ftruncate(file, len(data))
    os.fsync(file)


def _count(file: int, name: str, seconds: float) -> int:
    """Return how often something was done in the last seconds."""
    since, boot = time.monotonic() - seconds, _boot()
    return sum(
        one.name == name and one.boot == boot and one.at > since
        for one in _read(file)
    )


def _read(file: int) -> list[Counted]:
    """Return what was restarted; what a crash left half is left out."""
    found = []
    for line in os.pread(file, os.fstat(file).st_size, 0).splitlines():
        with suppress(msgspec.MsgspecError):
            found.append(msgspec.json.decode(line, type=Counted))
    return found


@contextmanager
def _taking_over(folder: Path, key: str) -> Iterator[bool]:
    """Lend a job's lock, if nobody does the job any more."""
    lock = os.open(folder / f"{key}.order", os.O_RDWR)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(lock)


def _boot() -> str:
    """Return which start of the machine this is; empty where none is told."""
    try:
        return BOOT.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
