"""The broom: takes off of the journal what ended long ago.

A job that is still done is never taken off: its lock is held. What a crash
left half made goes, too. The last thousand jobs stay, whatever the clock
says: it may have jumped by a week, and a key that was done may come again.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

DAY_SECONDS = 86_400
KEPT_DAYS = 7
KEPT_JOBS = 1_000
# So many old jobs are taken off with each new one.
MOST_TAKEN = 20
WHOLE = ("out", "stop", "undo", "plan", "end", "order")
ORDER = ".order"
OURS = re.compile(r".+\.(order|(new|end)-[0-9]+-[0-9a-f]{8})")


def sweep(folder: Path) -> None:
    """Take off some of what is old; what cannot be taken off stays.

    What is old is said by the file system's clock, which wrote the dates.
    """
    with suppress(OSError):
        now = folder.stat().st_mtime
        before = now - KEPT_DAYS * DAY_SECONDS
        found = sorted(_find(folder))
        jobs = [one for one in found if one[1].endswith(ORDER)]
        kept = set(jobs[max(0, len(jobs) - KEPT_JOBS) :])
        old = [one for one in found if one[0] < before and one not in kept]
        for _, name in old[:MOST_TAKEN]:
            _take_off(folder, name)


def _find(folder: Path) -> Iterator[tuple[float, str]]:
    """Yield the files of jobs, and when they were written."""
    with os.scandir(folder) as found:
        for one in found:
            if OURS.fullmatch(one.name) is None:
                continue
            with suppress(FileNotFoundError):
                yield one.stat(follow_symlinks=False).st_mtime, one.name


def _take_off(folder: Path, name: str) -> None:
    """Take off one old file: a whole job, or what a crash left of one."""
    key, _, kind = name.rpartition(".")
    if kind != "order":
        (folder / name).unlink(missing_ok=True)
        return
    lock = os.open(folder / name, os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        for each in WHOLE:
            (folder / f"{key}.{each}").unlink(missing_ok=True)
    finally:
        os.close(lock)
