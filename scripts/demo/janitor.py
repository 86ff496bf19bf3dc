"""Remove the folders of a demo when it is gone, however it ended.

    python -I -S scripts/demo/janitor.py FOLDER ...

A demo that is killed can remove nothing. This reads from it, line by line,
the numbers of its programs; at the end of that it waits until those have
ended, too. It needs the standard library only.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterable, Sequence

SECONDS = 60.0
PAUSE_SECONDS = 0.1


def main(folders: Sequence[str]) -> int:
    """Wait for the end of a demo, and remove what it left."""
    # What it says ends when it does, also when it is killed.
    programs = [int(line) for line in sys.stdin if line.strip().isdecimal()]
    until = time.monotonic() + SECONDS
    while any(map(is_there, programs)) and time.monotonic() < until:
        time.sleep(PAUSE_SECONDS)
    remove(folders)
    return 0


def is_there(pid: int) -> bool:
    """Tell whether a process runs; one that has ended does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # It is somebody else's by now.
        return False
    try:
        # No more is imported than needed: it waits for long.
        stat = f"/proc/{pid}/stat"
        with open(stat, encoding="utf-8") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return not os.path.isdir("/proc/self")  # noqa: PTH112 (as above)


def remove(folders: Iterable[str]) -> None:
    """Remove folders, as far as it goes."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
