"""The descent below a root: bounded in depth, entries and time."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from app.act.local.sweep.beneath import Root, closing

MOST_DEPTH = 40
MOST_ENTRIES = 500_000
SECONDS = 60.0
# The end is looked for this often.
CHECK_ENTRIES = 256
MORE = "there is more than was looked at"


class Folder(NamedTuple):
    """One folder while it is open.

    Attributes:
        path: where it is below the root; "" is the root.
        file: its descriptor.
        entries: what is in it; what is taken off is not entered.
    """

    path: str
    file: int
    entries: list["os.DirEntry[str]"]


class Descent:
    """Goes through folders; what it could not see is counted.

    Attributes:
        missed: why something was not seen, and how often.
    """

    def __init__(
        self,
        check: Callable[[], None],
        entries: int = MOST_ENTRIES,
        seconds: float = SECONDS,
    ) -> None:
        """Take the bounds.

        Args:
            check: raises when it must end.
            entries: so many names are looked at.
            seconds: so long at most.
        """
        self.missed: Counter[str] = Counter()
        self._check = check
        self._left = entries
        self._until = time.monotonic() + seconds
        self._has_ended = False

    def run(
        self, root: Root, start: str, enters: Callable[[str], bool]
    ) -> Iterator[Folder]:
        """Yield every folder; it is open as long as it is looked at.

        Args:
            root: nothing outside of it is seen.
            start: where it begins below the root; "" is the root.
            enters: whether a folder with a name is entered.
        """
        left = [start]
        while left and not self._has_ended:
            path = left.pop()
            try:
                file = root.open_folder(path)
            except OSError as error:
                self.missed[str(error.strerror)] += 1
                continue
            with closing(file):
                folder = Folder(path, file, self._read(file))
                yield folder
                left += self._below(folder, enters)

    def _read(self, file: int) -> list["os.DirEntry[str]"]:
        """Return what is in a folder, as far as the bounds allow it."""
        found = []
        with os.scandir(file) as entries:
            for entry in entries:
                if self._left % CHECK_ENTRIES == 0:
                    self._check()
                    self._has_ended = time.monotonic() > self._until
                if self._has_ended or self._left <= 0:
                    self._has_ended = True
                    self.missed[MORE] = 1
                    break
                self._left -= 1
                found.append(entry)
        return found

    def _below(
        self, folder: Folder, enters: Callable[[str], bool]
    ) -> Iterator[str]:
        """Yield the folders in a folder that are entered."""
        for entry in folder.entries:
            if not is_folder(entry):
                continue
            path = join(folder.path, entry.name)
            if path.count("/") >= MOST_DEPTH:
                self.missed["too deep"] += 1
            elif enters(entry.name):
                yield path


def is_folder(entry: "os.DirEntry[str]") -> bool:
    """Tell whether a name is a folder; no when it is gone, or a link."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def is_file(entry: "os.DirEntry[str]") -> bool:
    """Tell whether a name is a file; no when it is gone, or a link."""
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:
        return False


def join(path: str, name: str) -> str:
    """Return the path of a name in a folder below a root."""
    return f"{path}/{name}" if path else name
