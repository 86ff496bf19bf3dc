"""Walking: what takes the room of a file system, within bounds.

It only lists: no link is followed, no other file system is entered, and it
ends when its time or its number of entries is over.
"""

import heapq
import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import msgspec

MOST_SECONDS = 3.0
MOST_ENTRIES = 200_000
SHOWN_FOLDERS = 10
SHOWN_FILES = 5
# Sizes are summed up for folders down to here.
DEPTH = 3
BLOCK = 512


class Weighed(msgspec.Struct, frozen=True):
    """What takes the room below a folder.

    Attributes:
        folders: the largest, with all below them.
        files: the largest.
        seen: how many entries were looked at.
        hidden: how many folders may not be read.
        is_all: whether all was looked at.
    """

    folders: tuple[tuple[str, int], ...]
    files: tuple[tuple[str, int], ...]
    seen: int
    hidden: int
    is_all: bool


class _Walk:
    """One walk; the folders nearest to the top come first."""

    def __init__(self, top: str) -> None:
        """Begin at a folder."""
        self.device = Path(top).stat().st_dev
        self.sums: dict[str, int] = {}
        self.files: list[tuple[int, str]] = []
        self.seen = 0
        self.hidden = 0
        self._linked: set[int] = set()

    def step(self, folder: str, above: tuple[str, ...]) -> Iterator[str]:
        """Yield the folders of one, and add its files to those above."""
        try:
            entries = os.scandir(folder)
        except OSError:
            self.hidden += 1
            return
        with entries:
            for entry in entries:
                self.seen += 1
                if self.seen > MOST_ENTRIES:
                    return
                if self._add(entry, above):
                    yield entry.path

    def _add(self, entry: "os.DirEntry[str]", above: tuple[str, ...]) -> bool:
        """Tell whether an entry is a folder to walk; add its size."""
        try:
            found = entry.stat(follow_symlinks=False)
            is_folder = entry.is_dir(follow_symlinks=False)
        except OSError:
            return False
        if found.st_dev != self.device:
            return False
        if found.st_nlink > 1 and not is_folder:
            if found.st_ino in self._linked:
                return False
            self._linked.add(found.st_ino)
        count = found.st_blocks * BLOCK
        for one in above:
            self.sums[one] = self.sums.get(one, 0) + count
        if not is_folder:
            one_file = (count, entry.path)
            if len(self.files) < SHOWN_FILES:
                heapq.heappush(self.files, one_file)
            else:
                heapq.heappushpop(self.files, one_file)
        return is_folder


def weigh(top: str, until: float) -> Weighed:
    """Return what takes the room below a folder, or raise OSError.

    Args:
        top: where to begin.
        until: when to end, on the clock that never jumps.
    """
    walk = _Walk(top)
    waiting: deque[tuple[str, tuple[str, ...]]] = deque([(top, ())])
    while waiting and time.monotonic() < until and walk.seen <= MOST_ENTRIES:
        folder, above = waiting.popleft()
        for inner in walk.step(folder, above):
            sums = (*above, inner) if len(above) < DEPTH else above
            waiting.append((inner, sums))
    largest = heapq.nlargest(
        SHOWN_FOLDERS, walk.sums.items(), key=lambda one: one[1]
    )
    files = sorted(walk.files, reverse=True)
    return Weighed(
        tuple(largest),
        tuple((path, count) for count, path in files),
        walk.seen,
        walk.hidden,
        not waiting,
    )
