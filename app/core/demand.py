"""Demand: what a process would use of the cores if it had not to wait.

/proc/PID/schedstat is of the first thread only, so all are read.
"""

import os
from contextlib import suppress
from itertools import islice

PROC = "/proc"
MOST_THREADS = 256
SECOND = 1_000_000_000
# Whoever worked less than this share of the time says nothing by it.
LEAST = 0.02
# By thread: the time that it worked, and that it waited, in nanoseconds.
Work = dict[str, tuple[int, int]]


def read_work(pid: int) -> Work:
    """Return what the threads of a process did; nothing if not shown."""
    found: Work = {}
    place = f"{PROC}/{pid}/task"
    with suppress(OSError), os.scandir(place) as threads:
        for thread in islice(threads, MOST_THREADS):
            work = _read(f"{place}/{thread.name}/schedstat")
            if work is not None:
                found[thread.name] = work
    return found


def _read(path: str) -> tuple[int, int] | None:
    """Return what one thread did, None when it is gone or not shown."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        words = os.read(file, 128).split()
    except OSError:
        return None
    finally:
        os.close(file)
    if len(words) < 2:
        return None
    return int(words[0]), int(words[1])


def wanted(first: Work, last: Work, seconds: float) -> float:
    """Return how many cores a process would have used had it not waited.

    A thread that spins never rests: what it did is all of the time that it
    did not wait. One that rests now and then still rests as long.
    """
    cores = 0.0
    for thread in first.keys() & last.keys():
        worked = (last[thread][0] - first[thread][0]) / SECOND
        waited = (last[thread][1] - first[thread][1]) / SECOND
        if worked < LEAST * seconds:
            cores += max(0.0, worked) / seconds
            continue
        free = max(seconds - waited, worked)
        cores += min(1.0, worked / free)
    return cores
