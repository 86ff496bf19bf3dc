"""The broom: takes off of the journal what ended long ago.

A job that is still done is never taken off: its lock is held. What a crash
left half made goes, too.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

DAY_SECONDS = 86_400
KEPT_DAYS = 7
# So many old jobs are taken off with each new one.
MOST_TAKEN = 20
WHOLE = ("out", "stop", "end", "order")
OURS = re.compile(r".+\.(order|(new|end)-[0-9]+-[0-9a-f]{8})")


def sweep(folder: Path) -> None:
    """Take off some of what is old; what cannot be taken off stays.

    What is old is said by the file system's clock, which wrote the dates.
    """
    with suppress(OSError):
        now = folder.stat().st_mtime
        old = sorted(_find_old(folder, now - KEPT_DAYS * DAY_SECONDS))
        for _, name in old[:MOST_TAKEN]:
            _take_off(folder, name)


def _find_old(folder: Path, before: float) -> Iterator[tuple[float, str]]:
    """Yield the files that were not written since, and when they were."""
    with os.scandir(folder) as found:
        for one in found:
            if OURS.fullmatch(one.name) is None:
                continue
            with suppress(FileNotFoundError):
                written = one.stat(follow_symlinks=False).st_mtime
                if written < before:
                    yield written, one.name


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
