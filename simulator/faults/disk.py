"""A small file system that fills: with old logs, or with one that grows."""

import errno
import os
import time
from pathlib import Path

from simulator.child_fault import Children, start_all
from simulator.fault import Fault, FaultEnv, Option, Plan, Running, Spec
from simulator.nursery import Task
from simulator.problem import Refused, Unable
from simulator.small_disk import SmallDisk

KIND = "disk"
LOG = "app.log"
# So many rotated ones; each is a day older than the one before it.
ROTATED = 9
YOUNGEST_DAYS = 8
DAY_SECONDS = 86_400
CHUNK = 256 * 1024
LINE = b"2026-01-01T00:00:00Z INFO order accepted in 12 ms, cart of 3\n"


class Full(Running):
    """A small file system that is full, until somebody makes room.

    It is over as soon as no more than a share of it is used: what makes
    room need not make it empty. While it still fills up it is not over.
    """

    def __init__(
        self, disk: SmallDisk, over_at: int, writer: Children | None
    ) -> None:
        """Take what is filled, when that is over, and who holds the log."""
        self._disk = disk
        self._over_at = over_at
        self._writer = writer
        self._number = disk.begin_to_write()
        self._was_full = False

    def is_going(self) -> bool:
        """Tell whether there is still no room."""
        if not self._disk.is_there:
            return False
        if self._disk.percent > self._over_at:
            self._was_full = True
            return True
        if self._was_full or self._writer is None:
            return False
        return self._writer.is_going()

    def hold(self, writer: Children) -> None:
        """Take who writes and holds the log."""
        self._writer = writer

    def end(self) -> None:
        """Remove what was written."""
        if self._writer is not None:
            self._writer.end()
        self._disk.empty()
        self._disk.end_writing(self._number)


class Disk(Fault):
    """A full disk, but a small one of its own."""

    def __init__(self, env: FaultEnv) -> None:
        """Take what it may use."""
        self._env = env
        self._disk = SmallDisk(env.settings, env.journal)
        least = env.settings.disk.over_at_percent + 1
        self.spec = Spec(
            name="disk",
            purpose="A small file system of its own fills up.",
            unit="% full",
            least=least,
            most=100,
            default=max(95, least),
            seconds=180,
            expects=("free_disk_space",),
            options={
                "shape": Option(
                    "logs: old rotated logs; one_log: one that is held open",
                    "logs",
                    choices=("logs", "one_log"),
                ),
                "within": Option(
                    "one_log: in how many seconds it grows; 0 at once",
                    0,
                    least=0,
                    most=600,
                ),
            },
        )

    def target(self, plan: Plan) -> dict[str, str]:
        """Return the labels by which an alert may name it."""
        del plan
        host, path = self._env.settings.host, str(self._disk.path)
        return {"host": host, "mountpoint": path}

    def expects(self, plan: Plan) -> tuple[str, ...]:
        """Return the right first actions: what is held open stays."""
        if plan.word("shape") == "one_log":
            return ("free_disk_space", "escalate")
        return self.spec.expects

    def prepare(self) -> None:
        """Make the small file system."""
        self._disk.prepare()

    def put_away(self) -> None:
        """Leave nothing of it."""
        self._disk.put_away()

    def begin(self, plan: Plan) -> Running:
        """Fill it."""
        if plan.number("within") and plan.word("shape") == "logs":
            raise Refused(
                "old logs are there at once",
                field="options.within",
                remedy="Leave it out, or choose shape=one_log",
            )
        self._disk.need_small()
        wanted = self._disk.size * plan.level // 100 - self._disk.used
        over_at = self._env.settings.disk.over_at_percent
        running = Full(self._disk, over_at, None)
        try:
            if plan.word("shape") == "logs":
                write_logs(self._disk, plan.level)
            else:
                running.hold(self._start_writer(plan, wanted))
        except OSError as error:
            running.end()
            raise Unable(
                f"{self._disk.path} cannot be filled: {error.strerror}"
            ) from error
        except BaseException:
            running.end()
            raise
        return running

    def _start_writer(self, plan: Plan, wanted: int) -> Children:
        """Start who writes one log and holds it."""
        words = {
            "path": str(self._disk.path / LOG),
            "bytes": max(0, wanted),
            "within": plan.number("within"),
        }
        task = Task(
            "disk", self._env.settings.program(KIND), plan.seconds, words
        )
        return start_all(self._env.children, task)


def write_logs(disk: SmallDisk, level: int) -> None:
    """Fill a small file system with logs that were rotated long ago."""
    wanted = disk.size * level // 100
    each = max(1, (wanted - disk.used) // (ROTATED + 1))
    now = time.time()
    for number in range(ROTATED, 0, -1):
        path = disk.path / f"{LOG}.{number}"
        _write(path, each)
        old = now - (YOUNGEST_DAYS + number) * DAY_SECONDS
        os.utime(path, (old, old), follow_symlinks=False)
    _write(disk.path / LOG, max(0, wanted - disk.used))


def _write(path: Path, size: int) -> None:
    """Write a log of that size, as far as there is room."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    file = os.open(path, flags, 0o644)
    text = LINE * (CHUNK // len(LINE))
    try:
        while size > 0:
            size -= os.write(file, text[:size])
        # Some file systems say only then how much it takes.
        os.fsync(file)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    finally:
        os.close(file)


def plugin(env: FaultEnv) -> Fault:
    """Return the kind."""
    return Disk(env)
