"""Plays: one folder for each playbook that was started, and who runs it.

A play is a process of its own. While it lives it holds a lock, whatever
becomes of us; what it was told and how it ended are files. So a key is
started once, by one process of all that share the folder, and a play is
followed through our restarts.
"""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil

from app.act.environment import small_environment
from app.act.passing import LAST_BYTES, decode, last_part
from app.core.brief import LONG, brief
from app.core.errors import NotAccepted, NotHere, OutgoingFailed
from app.models.job import JobState, Progress

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
PLACE = re.compile(r"[0-9]{1,15}")
SCRIPT = Path(__file__).parent / "play_one.py"
BEGIN_SECONDS = 20.0
PIECE_BYTES = LAST_BYTES
# The output of a job is what its tasks have written.
SAID = "stdout"
KEEP_SECONDS = 7 * 86_400
# Who was told to end and does not is killed so many seconds later.
GRACE_SECONDS = 20.0
DIED = "its process died: nobody knows how far it came, or comes"
STATES: Mapping[str, JobState] = {
    "successful": JobState.SUCCEEDED,
    "failed": JobState.FAILED,
    "timeout": JobState.TIMED_OUT,
    "canceled": JobState.ABORTED,
}
# What Ansible counts by host, and what it means.
TROUBLES = {"failures": "failed on", "dark": "not reached:"}
WORDS = {
    JobState.ABORTED: "it was told to end",
    JobState.TIMED_OUT: "its time was over",
}


class Score(msgspec.Struct, frozen=True):
    """What is played.

    Attributes:
        private_data_dir: where the playbooks and the inventory are.
        playbook: which one, in its folder ``project``.
        limit: the host that it is limited to, or empty.
        forks: on so many hosts at once.
        seconds: how long it may take.
        shows: what its output is: ``play``, or the ``stdout`` of its tasks.
    """

    private_data_dir: str
    playbook: str
    limit: str
    forks: int
    seconds: int
    shows: str = "play"


class End(msgspec.Struct, frozen=True):
    """How a play ended, as Ansible Runner says it."""

    status: str
    rc: int = 0
    stats: dict[str, Any] = {}


class Plays:
    """The folder of all plays."""

    def __init__(
        self, folder: Path, python: str, names: tuple[str, ...] = ()
    ) -> None:
        """Take the folder, and how a play is begun.

        Args:
            folder: what was started is written down there.
            python: a Python that has Ansible Runner.
            names: the variables of ours that a play gets, beside a few.
        """
        self._folder = folder
        self._python = python
        self._names = names

    def start(self, key: str, score: Score, variables: str) -> Progress:
        """Start a play, or say how far it is when it was started before.

        Raises:
            NotAccepted: it was certainly not started.
        """
        folder = self._of(key)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep()
            with self._locked(folder) as lock:
                if lock is not None and not (folder / "run").exists():
                    (folder / "end.json").unlink(missing_ok=True)
                    _put(folder / "vars.yml", variables.encode())
                    if score.shows == SAID:
                        _put(folder / "said", b"")
                    _put(folder / "order.json", msgspec.json.encode(score))
                    self._begin(folder, lock)
        except OSError as error:
            why = f"it cannot be written down: {error.strerror}"
            raise NotAccepted(why, may_retry=True) from error
        return self.look(key, "")

    def has_begun(self, key: str) -> bool:
        """Tell whether a play was started here, or is about to be.

        Raises:
            OutgoingFailed: it is not known at this moment.
        """
        folder = self._of(key)
        try:
            return (folder / "run").exists() or (
                folder.exists() and self._lives(folder)
            )
        except OSError as error:
            raise OutgoingFailed(f"the play: {error.strerror}") from error

    def look(self, key: str, cursor: str) -> Progress:
        """Return how a play goes on, or raise NotHere for none."""
        found = self.find(key, cursor)
        if found is None:
            raise NotHere("it was never started here")
        return found

    def find(self, key: str, cursor: str) -> Progress | None:
        """Return how a play goes on, or None when it was never started.

        Raises:
            OutgoingFailed: it is not known at this moment.
        """
        folder = self._of(key)
        try:
            is_live = folder.exists() and self._lives(folder)
            if not (folder / "order.json").exists():
                if is_live:
                    raise OutgoingFailed("it is about to be started")
                return None
            state, reason = JobState.STARTED, ""
            if not is_live:
                self._reap(folder)
                state, reason = _ended(folder)
            output, place = _read(folder, cursor, is_over=not is_live)
        except OSError as error:
            raise OutgoingFailed(f"the play: {error.strerror}") from error
        return Progress(
            state=state,
            reference=f"ansible:{key}",
            reason=reason,
            output=output,
            cursor=place,
        )

    def stop(self, key: str) -> None:
        """Tell a play to end, if it lives; kill it when it does not.

        Raises:
            NotHere: it was never started here.
            OutgoingFailed: it cannot be told now.
        """
        folder = self._of(key)
        told = folder / "stop"
        try:
            if not folder.exists():
                raise NotHere("it was never started here")
            is_late = (
                told.exists()
                and time.time() - told.stat().st_mtime > GRACE_SECONDS
            )
            if not told.exists():
                told.touch(mode=0o600)
            word = signal.SIGKILL if is_late else signal.SIGTERM
            self._signal(folder, word)
        except OSError as error:
            raise OutgoingFailed(f"the play: {error.strerror}") from error

    def _begin(self, folder: Path, lock: int) -> None:
        """Start the process; it is on its own when this returns."""
        with (folder / "log").open("wb") as log:
            words = [self._python, "-I", str(SCRIPT), str(folder), str(lock)]
            try:
                done = subprocess.run(  # noqa: S603  fixed words, no shell
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=folder,
                    env=small_environment(self._names),
                    pass_fds=(lock,),
                    start_new_session=True,
                    timeout=BEGIN_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise OutgoingFailed("it takes long to begin") from error
        if done.returncode:
            raise NotAccepted(f"it could not begin: {_last_line(folder)}")

    def _signal(self, folder: Path, word: signal.Signals) -> None:
        """Send a signal to the process of a play that lives."""
        written = _text(folder / "pid").strip()
        if not PLACE.fullmatch(written):
            return
        with suppress(ProcessLookupError):
            if not hasattr(os, "pidfd_open"):
                if self._lives(folder):
                    os.kill(int(written), word)
                return
            handle = os.pidfd_open(int(written))
            try:
                # It lives and holds the lock, so the number is still its.
                if self._lives(folder):
                    below = _below(int(written))
                    signal.pidfd_send_signal(handle, word)
                    if word is signal.SIGKILL:
                        _kill(below)
            finally:
                os.close(handle)

    def _reap(self, folder: Path) -> None:
        """Leave no dead child behind where orphans become ours."""
        written = _text(folder / "pid").strip()
        if PLACE.fullmatch(written):
            with suppress(ChildProcessError):
                os.waitpid(int(written), os.WNOHANG)

    def _lives(self, folder: Path) -> bool:
        """Tell whether the process of a play is there."""
        with self._locked(folder) as lock:
            return lock is None

    @contextmanager
    def _locked(self, folder: Path) -> Iterator[int | None]:
        """Lend the lock of a play, None when somebody else has it."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        lock = os.open(folder / "lock", flags, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield lock
        finally:
            os.close(lock)

    def _sweep(self) -> None:
        """Remove what ended long ago."""
        before = time.time() - KEEP_SECONDS
        for folder in self._folder.iterdir():
            if not KEY.fullmatch(folder.name) or not folder.is_dir():
                continue
            if folder.stat().st_mtime < before and not self._lives(folder):
                shutil.rmtree(folder, ignore_errors=True)

    def _of(self, key: str) -> Path:
        """Return the folder of a play, or raise NotAccepted for no key."""
        if KEY.fullmatch(key) is None:
            raise NotAccepted("the key is none")
        return self._folder / key


def _below(pid: int) -> list[psutil.Process]:
    """Return the processes that a play has begun and not left behind."""
    with suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
    return []


def _kill(processes: list[psutil.Process]) -> None:
    """Kill processes, each only when it is still the same one."""
    for process in processes:
        with suppress(psutil.Error):
            process.kill()


def _ended(folder: Path) -> tuple[JobState, str]:
    """Return how a play whose process is gone ended, and why."""
    try:
        raw = (folder / "end.json").read_bytes()
        end = msgspec.json.decode(raw, type=End)
    except FileNotFoundError:
        return _died(folder)
    except msgspec.MsgspecError:
        return JobState.UNKNOWN, "how it ended is not readable"
    state = STATES.get(end.status, JobState.FAILED)
    if state in WORDS:
        return state, WORDS[state]
    why = "; ".join(_troubles(end))
    if not why and state is JobState.FAILED:
        why = _last_line(folder) or f"ended with {end.rc}"
    if why:
        return JobState.FAILED, brief(why, LONG)
    hosts = ", ".join(end.stats["processed"])
    return state, f"done on {brief(hosts, 200)}"


def _died(folder: Path) -> tuple[JobState, str]:
    """Return what is known of a play that came to no end."""
    if not (folder / "run").exists():
        return JobState.FAILED, f"nothing was done: {_last_line(folder)}"
    if (folder / "stop").exists():
        return JobState.ABORTED, f"told to end, and killed; {DIED}"
    return JobState.UNKNOWN, DIED


def _troubles(end: End) -> Iterator[str]:
    """Yield what went wrong, or what speaks against success."""
    for name, words in TROUBLES.items():
        hosts = sorted(end.stats.get(name) or ())
        if hosts:
            yield f"{words} {', '.join(hosts)}"
    if end.status == "successful" and not end.stats.get("processed"):
        yield "nothing was done: no play is for this host"


def _read(folder: Path, cursor: str, *, is_over: bool) -> tuple[str, str]:
    """Return the output beyond a place, and a new place.

    What runs is read piece by piece. Of what is over only the last piece
    is read: whoever would read megabytes would learn its end too late.
    """
    start = int(cursor) if PLACE.fullmatch(cursor) else 0
    file = folder / "said"
    if not file.exists():
        file = folder / "run" / "stdout"
    if not file.exists():
        return "", str(start)
    with file.open("rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        left = max(0, size - start - PIECE_BYTES) if is_over else 0
        opened.seek(start + left)
        piece = opened.read(PIECE_BYTES)
    if is_over:
        return last_part(piece, left), str(max(start, size))
    # Only whole lines, unless one is longer than all that is read.
    end = piece.rfind(b"\n") + 1
    piece = piece[:end] if end or len(piece) < PIECE_BYTES else piece
    return decode(piece), str(start + len(piece))


def _put(file: Path, data: bytes) -> None:
    """Write a file that others cannot read; it is on disk afterwards."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    opened = os.open(file, flags, 0o600)
    with os.fdopen(opened, "wb") as written:
        written.write(data)
        written.flush()
        os.fsync(written.fileno())


def _text(file: Path) -> str:
    """Return the beginning of a small file, empty when there is none."""
    try:
        with file.open(errors="replace") as opened:
            return opened.read(65_536)
    except FileNotFoundError:
        return ""


def _last_line(folder: Path) -> str:
    """Return the last thing that was complained about."""
    for place in ("run/stdout", "run/stderr", "log"):
        lines = [ln for ln in _text(folder / place).splitlines() if ln.strip()]
        if lines:
            return brief(lines[-1], LONG)
    return ""
