"""Log files: what a service that tells systemd little writes by itself."""

import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from app.core.warden import last_lines

FOLDER = "var/log"
MOST_FILES, MOST_ENTRIES = 3, 200
MOST_BYTES = 65_536
# Who called for what is no trouble, and tells of people.
NEVER = ("access", "audit", "auth")
SUFFIXES = (".log", ".err", ".error", ".errors")


class LogFile(msgspec.Struct, frozen=True):
    """A log file.

    Attributes:
        path: where it is.
        age: how many seconds ago it was written to.
    """

    path: Path
    age: float


def find_logs(root: Path, names: Iterable[str]) -> list[LogFile]:
    """Return the log files that bear a service's name.

    Those of errors come first, then the newest. Neither a link, nor what
    is no plain file, is one.
    """
    found: list[LogFile] = []
    for path in dict.fromkeys(_places(root / FOLDER, names)):
        with suppress(OSError):
            seen = path.lstat()
            if stat.S_ISREG(seen.st_mode) and seen.st_size:
                age = max(0.0, time.time() - seen.st_mtime)
                found.append(LogFile(path, age))
    found.sort(key=lambda one: ("err" not in one.path.name, one.age))
    return found[:MOST_FILES]


def _places(folder: Path, names: Iterable[str]) -> Iterator[Path]:
    """Yield where logs of services of these names may be."""
    for name in names:
        yield folder / f"{name}.log"
        with suppress(OSError), os.scandir(folder / name) as inner:
            for count, one in enumerate(inner):
                is_log = one.name.endswith(SUFFIXES)
                is_other = any(word in one.name for word in NEVER)
                if is_log and not is_other:
                    yield Path(one.path)
                if count >= MOST_ENTRIES:
                    break


def read_end(path: Path, lines: int) -> tuple[str, ...]:
    """Return the last lines of a log file, or raise OSError."""
    # It may have become something else since it was found.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(None, "it is no plain file")
        left_out = file.seek(0, os.SEEK_END) - MOST_BYTES
        file.seek(max(0, left_out))
        raw = file.read(MOST_BYTES)
    if left_out > 0:
        # The first line was cut: it may begin with the half of a secret.
        raw = raw.partition(b"\n")[2]
    return last_lines(raw.decode(errors="replace"), lines)
