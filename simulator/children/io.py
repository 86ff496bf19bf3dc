"""Write to a file of a bounded size, and have each piece on the disk."""

import contextlib
import os
import time
from pathlib import Path

from simulator.children import leash

MB = 1024 * 1024
STEPS_PER_SECOND = 10


def main() -> None:
    """Write so many MB a second until it is over."""
    words = leash.take()
    path, cap = Path(words["path"]), int(words["cap_mb"]) * MB
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        file = os.open(path, flags, 0o600)
        # Without a name it is gone as soon as this process is.
        path.unlink()
        written = write(file, int(words["level"]), 0, cap)
    except OSError as error:
        leash.fail(f"{path} cannot be written: {error.strerror}")
    leash.ready()
    pause = 1 / STEPS_PER_SECOND
    due = time.monotonic() + pause
    while not leash.is_over(max(0.0, due - time.monotonic())):
        # A disk that is full now is no reason to end: that is no remedy.
        with contextlib.suppress(OSError):
            written = write(file, int(words["level"]), written, cap)
        # What the disk could not take in time is not made up for.
        due = max(due + pause, time.monotonic())


def write(file: int, level: int, at: int, cap: int) -> int:
    """Write one step's share; return where the next one begins."""
    left = level * MB // STEPS_PER_SECOND
    while left > 0:
        if at >= cap:
            at = 0
        size = os.pwrite(file, b"\x5a" * min(left, cap - at, MB), at)
        at, left = at + size, left - size
    os.fsync(file)
    return at


if __name__ == "__main__":
    main()
