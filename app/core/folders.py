"""Folders with a size of their own, each looked at like a file system.

For places that have a share of a disk and no disk: what is below such a
folder is added up, and set beside the size that the settings give it.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import NamedTuple

from pydantic import Field

from app.core.configfile import Section
from app.core.errors import OutgoingFailed
from app.core.machine import MB, read_disk

BLOCK = 512
# What is meant for more than that is a file system, and has a counter.
MOST_ENTRIES = 20_000


class Folder(Section):
    """How much may be below a folder.

    Attributes:
        mb: so many megabytes.
    """

    mb: int = Field(ge=1, le=10_000_000)


class Allotted(NamedTuple):
    """A folder and its size.

    Attributes:
        path: the folder.
        size: how much may be below it, in bytes.
    """

    path: str
    size: int


def find_allotted(path: str, folders: Mapping[str, Folder]) -> Allotted | None:
    """Return the innermost folder with a size that a path is in, if any."""
    real = PurePath(os.path.realpath(path))
    found = [
        (len(os.path.realpath(place)), Allotted(place, folder.mb * MB))
        for place, folder in folders.items()
        if real.is_relative_to(os.path.realpath(place))
    ]
    return max(found)[1] if found else None


def read_share(path: str, folders: Mapping[str, Folder]) -> float:
    """Return how much of a path's folder or file system is used, in percent.

    Raises:
        OutgoingFailed: there is more in the folder than is counted.
        OSError: it cannot be looked at.
    """
    found = find_allotted(path, folders)
    if found is None:
        return read_disk(path)
    return 100.0 * weigh(found.path) / found.size


def weigh(top: str) -> int:
    """Return what all below a folder takes, in bytes; no link is followed.

    Raises:
        OutgoingFailed: there is more than is counted.
        OSError: the folder cannot be looked at.
    """
    device = Path(top).stat().st_dev
    waiting, seen, total = [top], 0, 0
    linked: set[int] = set()
    while waiting:
        for entry in _entries(waiting.pop(), top):
            seen += 1
            if seen > MOST_ENTRIES:
                text = f"{top}: more than {MOST_ENTRIES} entries"
                raise OutgoingFailed(text)
            total += _weigh_one(entry, device, linked, waiting)
    return total


def _entries(folder: str, top: str) -> "Iterator[os.DirEntry[str]]":
    """Yield what is in a folder; one that is gone meanwhile is empty."""
    try:
        found = os.scandir(folder)
    except FileNotFoundError:
        if folder == top:
            raise
        return
    with found:
        yield from found


def _weigh_one(
    entry: "os.DirEntry[str]",
    device: int,
    linked: set[int],
    waiting: list[str],
) -> int:
    """Return what one entry takes; a folder is told to be looked at."""
    try:
        found = entry.stat(follow_symlinks=False)
        is_folder = entry.is_dir(follow_symlinks=False)
    except FileNotFoundError:
        return 0
    if found.st_dev != device or found.st_ino in linked:
        return 0
    if is_folder:
        waiting.append(entry.path)
    elif found.st_nlink > 1:
        linked.add(found.st_ino)
    return found.st_blocks * BLOCK
