"""Remove files of ours, and nothing else: no links, nothing outside.

Standard library only: the guard uses it too.
"""

import os
import stat
from fnmatch import fnmatch
from pathlib import Path

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class Outside(Exception):
    """A path is not in a folder of the simulator's own."""


def remove_files(root: Path, folder: Path, pattern: str) -> int:
    """Remove the plain files of a folder that fit; return how many.

    Args:
        root: a folder of ours; what it is called may hold links.
        folder: the folder, which is root or below it: no link is followed
            on the way from root to it.
        pattern: which names, such as ``app.log*``.
    """
    held = _open_beneath(root, folder)
    if held is None:
        return 0
    removed = 0
    try:
        for name in os.listdir(held):  # noqa: PTH208  by a descriptor
            if not fnmatch(name, pattern):
                continue
            try:
                found = os.stat(name, dir_fd=held, follow_symlinks=False)
                if stat.S_ISREG(found.st_mode):
                    os.unlink(name, dir_fd=held)
                    removed += 1
            except FileNotFoundError:
                continue  # the remedy was quicker
    finally:
        os.close(held)
    return removed


def root_of(path: Path, roots: tuple[Path, ...]) -> Path:
    """Return which of our folders a path is in, or raise Outside."""
    for root in roots:
        if ".." not in path.parts and path.is_relative_to(root):
            return root
    raise Outside(f"{path} is in no folder of the simulator's own")


def _open_beneath(root: Path, folder: Path) -> int | None:
    """Return a folder's descriptor, None when it is not there."""
    names = folder.relative_to(root).parts
    if ".." in names:
        raise Outside(f"{folder} is not below {root}")
    held: int | None = None
    try:
        held = os.open(root, FOLDER)
        for name in names:
            below = os.open(name, FOLDER, dir_fd=held)
            os.close(held)
            held = below
    except OSError:
        if held is not None:
            os.close(held)
        return None
    return held
