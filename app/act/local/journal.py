"""The journal: which jobs were started here, on disk before they begin.

One job is some files named by its key. ``KEY.order`` is there before
anything is done, and its lock is held as long as it is done: whoever finds
an order without an end and without a lock knows that its doer died. So a
job is started once, whoever asks and however often, through any crash.
"""

import codecs
import errno
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from app.act.local.broom import sweep
from app.act.local.notes import Debts, Resume
from app.core.errors import NotAccepted, OutgoingFailed
from app.models.job import JobState, Order, Progress

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
PLACE = re.compile(r"[0-9]{1,15}")
PIECE_BYTES = 262_144
DIED = "whoever did it died meanwhile: nobody knows how far it came"
OTHERS_WRITE = 0o022


class End(msgspec.Struct, frozen=True):
    """How a job ended."""

    state: JobState
    reason: str


class Journal:
    """The folder of one machine's jobs; several processes may share it."""

    def __init__(self, folder: Path, resume: Resume | None = None) -> None:
        """Take the folder; it is made with its first job.

        Args:
            folder: where it is.
            resume: starts what a job ended whose doer died; None: nobody.
        """
        self._folder = folder
        self._debts = Debts(folder, resume)

    def open(self, order: Order) -> int | None:
        """Return the lock of a new job, None when it was started before.

        Raises:
            NotAccepted: it cannot be written down, so it is not started.
        """
        final = self._file(order.key, "order")
        own = self._file(order.key, f"new-{os.getpid()}-{os.urandom(4).hex()}")
        try:
            self._make_folder()
            sweep(self._folder)
            return self._claim(order, own, final)
        except FileExistsError:
            return None
        except OSError as error:
            why = f"it cannot be written down: {error.strerror}"
            raise NotAccepted(why, may_retry=True) from error

    def withdraw(self, key: str, lock: int) -> None:
        """Forget a job that was opened, and of which nothing was done."""
        with suppress(OSError):
            self._file(key, "order").unlink()
        os.close(lock)

    @contextmanager
    def writing(self, key: str) -> Iterator[int]:
        """Lend the file that takes a job's output."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        file = os.open(self._file(key, "out"), flags, 0o600)
        try:
            yield file
        finally:
            with suppress(OSError):
                os.close(file)

    def owes(self, key: str) -> bool:
        """Tell whether a job has ended something and not started it yet."""
        return self._debts.owes(key)

    def repay(self) -> None:
        """Start what was left ended by jobs whose doers died."""
        for key in self._debts.find():
            self._debts.pay(key, self._settle_dead)

    def _settle_dead(self, key: str, told: str) -> None:
        """Write down that a job's doer died, and what was done then."""
        with self.writing(key) as file:
            write_all(file, f"{told}\n".encode(errors="replace"))
        if not self._file(key, "end").exists():
            self.end(key, End(JobState.UNKNOWN, f"{DIED}; {told}"))

    def stop_file(self, key: str) -> Path:
        """Return the file that tells a job to end."""
        return self._file(key, "stop")

    def stop(self, key: str) -> None:
        """Tell a job to end, if there is one.

        Raises:
            OutgoingFailed: it cannot be told now.
        """
        try:
            if self._file(key, "order").exists():
                self.stop_file(key).touch(mode=0o600)
        except OSError as error:
            raise OutgoingFailed(f"the journal: {error.strerror}") from error

    def end(self, key: str, end: End) -> None:
        """Write down how a job ended, once; or raise OSError."""
        own = self._file(key, f"end-{os.getpid()}-{os.urandom(4).hex()}")
        try:
            file = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                write_all(file, msgspec.json.encode(end))
                os.fsync(file)
            finally:
                os.close(file)
            with suppress(FileExistsError):
                os.link(own, self._file(key, "end"))
        finally:
            with suppress(OSError):
                own.unlink()
        _sync(self._folder)

    def find(
        self, key: str, cursor: str, known: End | None = None
    ) -> Progress | None:
        """Return how far a job is, None when it was never started here.

        Args:
            key: what the job is known by.
            cursor: how far its output was read.
            known: how it ended, when that could not be written down.

        Raises:
            OutgoingFailed: it cannot be said now.
        """
        order = self._file(key, "order")
        self._debts.pay(key, self._settle_dead)
        try:
            # Where nobody may look, it is not said that there is nothing.
            if not _is_there(order):
                return None
            end = known or self._find_end(key, order)
            output, place, is_all = self._read(key, cursor, is_over=bool(end))
        except OSError as error:
            raise OutgoingFailed(f"the journal: {error.strerror}") from error
        except msgspec.MsgspecError as error:
            raise OutgoingFailed("the journal: it is damaged") from error
        said = Progress(reference=f"local:{key}", output=output, cursor=place)
        if end is None or not is_all:
            return said
        replace = msgspec.structs.replace
        return replace(said, state=end.state, reason=end.reason)

    def _make_folder(self) -> None:
        """Make the folder, or raise OSError when it is not ours alone."""
        if not self._folder.is_dir():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync(self._folder.parent)
        found = self._folder.stat()
        if found.st_mode & OTHERS_WRITE or found.st_uid != os.geteuid():
            why = f"{self._folder} is not ours alone to write in"
            raise PermissionError(errno.EACCES, why)

    def _claim(self, order: Order, own: Path, final: Path) -> int:
        """Return the lock of a new job, or raise OSError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        lock = os.open(own, flags, 0o600)
        is_ours = False
        try:
            # It is locked before others can see it.
            fcntl.flock(lock, fcntl.LOCK_EX)
            write_all(lock, msgspec.json.encode(order))
            os.fsync(lock)
            os.link(own, final)
            is_ours = True
            _sync(self._folder)
        except OSError:
            if is_ours:
                self.withdraw(order.key, lock)
            else:
                os.close(lock)
            raise
        finally:
            with suppress(OSError):
                own.unlink()
        return lock

    def _find_end(self, key: str, order: Path) -> End | None:
        """Return how a job ended; when its doer died, that is its end."""
        file = self._file(key, "end")
        if not file.exists():
            lock = os.open(order, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None
            finally:
                os.close(lock)
            # It may have ended between the two looks.
            if not file.exists():
                self.end(key, End(JobState.UNKNOWN, DIED))
        return msgspec.json.decode(file.read_bytes(), type=End)

    def _read(
        self, key: str, cursor: str, *, is_over: bool
    ) -> tuple[str, str, bool]:
        """Return what a job wrote beyond a place, a new one, and if all.

        No character is divided: its rest comes with the next piece.
        """
        file = self._file(key, "out")
        start = int(cursor) if PLACE.fullmatch(cursor) else 0
        if not file.exists():
            return "", str(start), True
        with file.open("rb") as opened:
            # There is nothing beyond its end, however far that is.
            opened.seek(min(start, os.fstat(opened.fileno()).st_size))
            read = opened.read(PIECE_BYTES + 1)
        piece = read[:PIECE_BYTES]
        is_all = len(piece) == len(read)
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        text = decoder.decode(piece, final=is_all and is_over)
        kept_back, _ = decoder.getstate()
        return text, str(start + len(piece) - len(kept_back)), is_all

    def _file(self, key: str, kind: str) -> Path:
        """Return a file of a job, or raise NotAccepted for no key."""
        if KEY.fullmatch(key) is None:
            raise NotAccepted("the key is none")
        return self._folder / f"{key}.{kind}"


def write_all(file: int, data: bytes) -> None:
    """Write all of it, or raise OSError."""
    left = data
    while left:
        left = left[os.write(file, left) :]


def _is_there(file: Path) -> bool:
    """Tell whether a file is there, or raise OSError where nobody can."""
    try:
        file.lstat()
    except FileNotFoundError:
        return False
    return True


def _sync(folder: Path) -> None:
    """Return once a folder's names are on disk."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
