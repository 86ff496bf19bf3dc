"""Totals of this machine, read cheaply: cores, memory, swap, load, disks."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil

MOST_DISKS = 128
# Their devices may be away, and whoever asks then waits for ever.
FOREIGN = ("fuse", "nfs", "cifs", "smb", "9p", "ceph", "gluster", "afs")
# Images that are full by nature.
IMAGES = frozenset({"squashfs", "iso9660", "erofs"})
# Their file systems are parts of a pool, which is no device: tank/home. One
# with a mark is a moment of the past, where nothing is free by nature.
POOLED = frozenset({"zfs"})
SNAPSHOT = "@"
# How the kernel writes a blank and the like in a path.
ESCAPED = re.compile(r"\\([0-7]{3})")


class Totals(msgspec.Struct, frozen=True):
    """What all cores did since the machine began, in clock ticks.

    Attributes:
        all: the time that passed on them.
        idle: when they had nothing to do.
        waiting: of that, when something waited for a disk.
    """

    all: int = 0
    idle: int = 0
    waiting: int = 0

    def since(self, before: "Totals") -> "Totals":
        """Return what they did after another moment."""
        return Totals(
            self.all - before.all,
            self.idle - before.idle,
            self.waiting - before.waiting,
        )


def read_totals() -> Totals:
    """Return what all cores did, nothing where it is not shown."""
    line = _read("/proc/stat").partition("\n")[0].split()
    if len(line) < 9 or line[0] != "cpu":
        return Totals()
    # What guests did is within user and nice already.
    times = [int(word) for word in line[1:9]]
    return Totals(sum(times), times[3] + times[4], times[4])


def read_memory() -> int:
    """Return how much memory there is, in bytes."""
    found = read_meminfo().get("MemTotal", 0)
    return found or int(psutil.virtual_memory().total)


def read_figures(since: Totals | None) -> dict[str, float]:
    """Return figures of the machine by their names, as far as known.

    Args:
        since: what the cores did in the time that is meant.
    """
    return read_quick_figures(since) | read_disk_figures()


def read_quick_figures(since: Totals | None) -> dict[str, float]:
    """Return those that no disk is asked for: nothing of it can hang."""
    figures = {}
    if since is not None and since.all > 0:
        busy = since.all - since.idle
        figures["cpu_percent"] = _share(busy, since.all)
        figures["io_wait_percent"] = _share(since.waiting, since.all)
    with suppress(OSError):
        figures["load1"] = os.getloadavg()[0]
    return figures | _read_memory_figures()


def read_disk_figures() -> dict[str, float]:
    """Return how full each disk is; one that hangs holds this up."""
    return {
        f"disk_percent:{place}": used
        for place, used in read_disk_shares().items()
        if used is not None
    }


def read_disk_shares(
    places: Iterable[str] | None = None,
) -> dict[str, float | None]:
    """Return how full each disk is, by its place, in percent.

    None of one that is mounted and does not say it, such as one that breaks.

    Args:
        places: those that are asked; left out: the first MOST_DISKS.
    """
    found: dict[str, float | None] = {}
    if places is None:
        places = disk_places()[:MOST_DISKS]
    for place in places:
        try:
            found[place] = _used(place)
        except FileNotFoundError:
            # Another one is mounted above it.
            continue
        except OSError:
            found[place] = None
    return found


def _read_memory_figures() -> dict[str, float]:
    """Return how full memory and swap are."""
    found = read_meminfo()
    if not found.get("MemTotal"):
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        return {
            "memory_percent": float(memory.percent),
            "swap_percent": float(swap.percent),
        }
    free = found.get("MemAvailable", found.get("MemFree", 0))
    used = found["MemTotal"] - free
    swapped = found.get("SwapTotal", 0) - found.get("SwapFree", 0)
    return {
        "memory_percent": _share(used, found["MemTotal"]),
        "swap_percent": _share(swapped, found.get("SwapTotal", 0)),
    }


def read_meminfo() -> dict[str, int]:
    """Return what /proc/meminfo says, in bytes; nothing without it."""
    found = {}
    for line in _read("/proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        words = value.split()
        if len(words) == 2 and words[0].isdecimal():
            found[name] = int(words[0]) * 1_024
    return found


def disk_places() -> list[str]:
    """Return where the disks of this machine are mounted, each once.

    All of them, but nothing that hangs when another machine is away.
    """
    found = [os.sep]
    seen = {_device(os.sep)}
    for line in _read("/proc/self/mounts").splitlines():
        words = line.split()
        if len(words) < 3 or not _is_disk(words[0], words[2]):
            continue
        place = ESCAPED.sub(lambda one: chr(int(one[1], 8)), words[1])
        device = _device(place)
        if device in seen:
            continue
        # One that does not say it takes nobody's room.
        if device is not None:
            seen.add(device)
        found.append(place)
    return found


def _is_disk(source: str, kind: str) -> bool:
    """Tell whether what is mounted is on a disk of this machine."""
    if kind in POOLED:
        return SNAPSHOT not in source
    if kind.startswith(FOREIGN) or kind in IMAGES:
        return False
    return source.startswith("/dev/")


def _device(place: str) -> int | None:
    """Return the number of the device that a folder is on."""
    with suppress(OSError):
        found = Path(place).stat()
        return found.st_dev
    return None


def _used(place: str) -> float:
    """Return how full a file system is for an ordinary user, in percent."""
    found = os.statvfs(place)
    used = found.f_blocks - found.f_bfree
    return _share(used, used + found.f_bavail)


def _share(part: int, whole: int) -> float:
    """Return a part in percent, nothing of nothing."""
    if whole <= 0:
        return 0.0
    return min(100.0, max(0.0, 100.0 * part / whole))


def _read(file: str) -> str:
    """Return what a file of the kernel says, nothing without it."""
    with suppress(OSError):
        return Path(file).read_text(encoding="utf-8", errors="replace")
    return ""
