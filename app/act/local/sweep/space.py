"""Space: how full a file system is, and what fills it."""

import os
import time
from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from app.act.local.look.walking import weigh
from app.act.local.sweep.beneath import Root
from app.act.local.sweep.openfiles import Held
from app.act.local.sweep.sweepplan import show
from app.core.folders import Allotted, Folder, find_allotted
from app.core.folders import weigh as weigh_folder
from app.core.look.amounts import size

SECONDS = 4.0
MOST_SHOWN = 10


class Space(msgspec.Struct, frozen=True):
    """How full a file system is.

    Attributes:
        total: how much there is, in bytes.
        used: how much is used.
        free: how much whoever is not root may still use.
        inodes: how many files there may be; 0 when there is no such number.
        inodes_free: how many more.
    """

    total: int
    used: int
    free: int
    inodes: int
    inodes_free: int

    @property
    def percent(self) -> float:
        """Return how much is used, as df says it."""
        return _percent(self.used, self.used + self.free)

    @property
    def inode_percent(self) -> float:
        """Return how many of the inodes are used."""
        return _percent(self.inodes - self.inodes_free, self.inodes)

    @property
    def worst(self) -> float:
        """Return whichever of both is used more."""
        return max(self.percent, self.inode_percent)

    def __str__(self) -> str:
        """Return it as one line for people."""
        return (
            f"{self.percent:.1f} % used, {size(self.free)} free"
            f" ({self.free} bytes) of {size(self.total)}; inodes:"
            f" {self.inode_percent:.1f} % used, {self.inodes_free} free"
        )


def read_space(file: int) -> Space:
    """Return how full the file system of an open file is."""
    found = os.fstatvfs(file)
    return Space(
        total=found.f_blocks * found.f_frsize,
        used=(found.f_blocks - found.f_bfree) * found.f_frsize,
        free=found.f_bavail * found.f_frsize,
        inodes=found.f_files,
        inodes_free=found.f_ffree,
    )


class Place(msgspec.Struct, frozen=True):
    """What fills up, and how that is measured.

    Attributes:
        root: the folder that is meant.
        top: where what it is on begins: a mount point, or a folder that
            has a size of its own.
        measure: says how full it is; raises OSError or OutgoingFailed.
    """

    root: Root
    top: str
    measure: Callable[[], Space]


def find_place(root: Root, folders: Mapping[str, Folder]) -> Place:
    """Return what a folder is on."""
    found = find_allotted(root.path, folders)
    if found is None:
        top = find_mount_point(root.path)
        return Place(root, top, partial(read_space, root.folder))
    return Place(root, found.path, partial(read_allotted, found))


def read_allotted(folder: Allotted) -> Space:
    """Return how full a folder with a size of its own is."""
    used = weigh_folder(folder.path)
    return Space(folder.size, used, max(0, folder.size - used), 0, 0)


def held_text(held: tuple[Held, ...]) -> str:
    """Return who holds how much that has no name any more, for people."""
    if not held:
        return ""
    total = size(sum(one.size for one in held))
    head = (
        f"{total} are taken by {len(held)} deleted files that are still open;"
        " this room comes back when whoever holds them closes them or ends:"
    )
    lines = [
        f"  {size(one.size):>8}  {show(one.program)} (pid {one.pid}):"
        f" {show(one.name)}"
        for one in held[:MOST_SHOWN]
    ]
    return "\n".join((head, *lines))


def largest_text(top: str) -> str:
    """Return what takes most of the room below a folder, for people."""
    try:
        found = weigh(top, time.monotonic() + SECONDS)
    except OSError as error:
        return f"What fills {top} cannot be seen: {error.strerror}"
    lines = [f"What fills {show(top)}:"]
    lines += [f"  {size(n):>8}  {show(path)}/" for path, n in found.folders]
    lines += [f"  {size(n):>8}  {show(path)}" for path, n in found.files]
    if not found.is_all or found.hidden:
        lines.append(
            f"  (only {found.seen} entries were seen, and {found.hidden}"
            " folders may not be read)"
        )
    return "\n".join(lines)


def find_mount_point(path: str) -> str:
    """Return where the file system of a whole, real path is mounted."""
    while not os.path.ismount(path):
        path = os.path.dirname(path)  # noqa: PTH120 # text in, text out
    return path


def _percent(part: int, whole: int) -> float:
    """Return a share in percent, 0 of nothing."""
    return 100.0 * part / whole if whole > 0 else 0.0
