"""Write one log, and hold it open: its removal alone gives no room back."""

import errno
import os
import time
from pathlib import Path

from simulator.children import leash

CHUNK = 256 * 1024
LINE = b"2026-01-01T00:00:00Z WARN payment retry 3 of 3 failed: timeout\n"
STEP_SECONDS = 0.1


def main() -> None:
    """Write as much as told, at once or over a time, and hold the file."""
    words = leash.take()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        file = os.open(Path(words["path"]), flags, 0o644)
    except OSError as error:
        leash.fail(f"{words['path']} cannot be written: {error.strerror}")
    size, within = int(words["bytes"]), int(words["within"])
    if not within:
        write(file, size)
    leash.ready()
    begun, written = time.monotonic(), 0
    while within and written < size and not leash.is_over(STEP_SECONDS):
        passed = min(1.0, (time.monotonic() - begun) / within)
        due = int(size * passed) - written
        written += write(file, due) if due > 0 else 0
    leash.stay()


def write(file: int, count: int) -> int:
    """Write so many bytes of lines; a full disk ends it, as with any log.

    Returns:
        What counts as written.
    """
    text = (LINE * (CHUNK // len(LINE) + 1))[:CHUNK]
    left = count
    while left > 0:
        try:
            left -= os.write(file, text[:left])
        except OSError as error:
            if error.errno != errno.ENOSPC:
                leash.fail(str(error.strerror))
            break
    return count


if __name__ == "__main__":
    main()
