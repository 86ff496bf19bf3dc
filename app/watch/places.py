"""What is looked at beside the processes: disks, sensors, open files.

Each of these may hang with a device, so none holds up another.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress

import msgspec
import psutil

from app.core.errors import OutgoingFailed
from app.core.folders import Folder, read_share
from app.core.look.details import read_text
from app.core.look.snapshot import PROC, Key, Proc
from app.core.look.totals import read_disk_shares
from app.core.machine import read_disk

MOST_SENSORS = 32
# Whoever has fewer open is not asked how many it may have.
LEAST_FILES = 200


class Files(msgspec.Struct, frozen=True):
    """How many files a process has open, and may have."""

    count: int
    most: int

    @property
    def percent(self) -> float:
        """Return the one as a share of the other."""
        return 100.0 * self.count / max(1, self.most)


def read_disks(
    disks: tuple[str, ...],
    folders: Mapping[str, Folder],
    found_places: Iterable[str] | None = None,
) -> dict[str, float | None]:
    """Return how full each file system is, in percent, by its path.

    None of one that is there, and cannot be looked at now.

    Args:
        disks: more of them, beside those on devices.
        folders: those that have a size of their own.
        found_places: those on devices; left out: the first of them.
    """
    found = read_disk_shares(found_places)
    for path in disks:
        try:
            # A mount that does not answer is there: ismount() says it is not.
            os.lstat(path)
            if os.path.ismount(path):
                found[path] = read_disk(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            found[path] = None
    for path in folders:
        try:
            found[path] = read_share(path, folders)
        except FileNotFoundError:
            continue
        # One with too much in it is not counted: nothing is known of it.
        except (OSError, OutgoingFailed):
            found[path] = None
    return found


def read_sensors() -> dict[str, float]:
    """Return the temperature of each sensor, in degrees Celsius."""
    read: Callable[[], Mapping[str, list[object]]] | None
    read = getattr(psutil, "sensors_temperatures", None)
    if read is None:
        return {}
    found: dict[str, float] = {}
    with suppress(OSError, ValueError):
        for chip, sensors in read().items():
            for number, one in enumerate(sensors):
                label = str(getattr(one, "label", "")) or str(number)
                value = float(getattr(one, "current", 0.0) or 0.0)
                if len(found) < MOST_SENSORS:
                    found[f"{chip}/{label}"] = value
    return found


def read_files(procs: Mapping[Key, Proc]) -> dict[Key, Files]:
    """Return the open files of those that have many, as far as shown."""
    found = {}
    for key, proc in procs.items():
        if proc.is_kernel:
            continue
        count = _count(proc.pid)
        if count >= LEAST_FILES:
            most = _most(proc.pid)
            if most:
                found[key] = Files(count, most)
    return found


def _count(pid: int) -> int:
    """Return how many files a process has open; 0 when it is not shown.

    The kernel says it as the size of the folder, from 6.2 on; before that
    nothing is known.
    """
    with suppress(OSError):
        return os.stat(f"{PROC}/{pid}/fd").st_size  # noqa: PTH116 many times
    return 0


def _most(pid: int) -> int:
    """Return how many files a process may open; 0 when it is not shown."""
    return next(_limits(read_text(pid, "limits")), 0)


def _limits(text: str) -> Iterator[int]:
    """Yield the soft limit of open files in /proc/PID/limits."""
    for line in text.splitlines():
        words = line.split()
        is_meant = line.startswith("Max open files")
        if is_meant and len(words) > 3 and words[3].isdecimal():
            yield int(words[3])
