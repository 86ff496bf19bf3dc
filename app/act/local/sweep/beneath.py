"""Beneath: what lies below a folder is opened without ever leaving it.

A root is opened once; everything after that is opened through its file
descriptor. No link is followed, at no place of a path, and no mount point
is crossed. The kernel sees to it (openat2); where it cannot, each step is
made and looked at by itself.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from types import TracebackType
from typing import Protocol, Self

# The numbers of <linux/openat2.h> and of the call, the same on all machines
# that are listed; there is no function for it in the C library.
OPENAT2 = 437
MACHINES = ("x86_64", "aarch64")
NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH = 0x01, 0x02, 0x04, 0x08
ANYWHERE = NO_MAGICLINKS | NO_SYMLINKS
WITHIN = ANYWHERE | NO_XDEV | BENEATH

# Other systems than Linux do not have it; nothing is opened there.
O_PATH = getattr(os, "O_PATH", 0)
ITSELF = O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
STEP = ITSELF | os.O_DIRECTORY
READ = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
MOST_BYTES = 1_024
NO_NAMES = ("", ".", "..")


class Way(Protocol):
    """One way to open what is below a folder."""

    def open(self, folder: int, path: str, flags: int, resolve: int) -> int:
        """Return a file descriptor, or raise OSError.

        Args:
            folder: where the path begins.
            path: names with / between them.
            flags: how the last of them is opened.
            resolve: what may not be passed on the way.
        """


class ByKernel:
    """The kernel follows the path, in one call."""

    def __init__(self) -> None:
        """Find the call."""
        self._libc = ctypes.CDLL(None, use_errno=True)

    def open(self, folder: int, path: str, flags: int, resolve: int) -> int:
        """Return a file descriptor, or raise OSError."""
        how = struct.pack("QQQ", flags, 0, resolve)
        file = self._libc.syscall(
            ctypes.c_long(OPENAT2),
            ctypes.c_int(folder),
            ctypes.c_char_p(os.fsencode(path)),
            ctypes.c_char_p(how),
            ctypes.c_size_t(len(how)),
        )
        if file < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
        return int(file)


class BySteps:
    """Each name is opened by itself; it must be a folder, and no link."""

    def open(self, folder: int, path: str, flags: int, resolve: int) -> int:
        """Return a file descriptor, or raise OSError."""
        home = place_of(folder) if resolve & NO_XDEV else None
        *steps, last = path.split("/")
        at = os.dup(folder)
        try:
            for step in steps:
                at = _replace(at, os.open(step, STEP, dir_fd=at))
                _stay(at, home, path)
            flags |= os.O_NOFOLLOW | os.O_CLOEXEC
            at = _replace(at, os.open(last, flags, dir_fd=at))
            _stay(at, home, path)
        except OSError:
            os.close(at)
            raise
        return at


def find_way() -> Way:
    """Return the best way that this machine has.

    An old kernel does not know the call, and some sandboxes forbid it.
    """
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        return BySteps()
    way = ByKernel()
    top = os.open("/", STEP)
    try:
        os.close(way.open(top, ".", STEP, WITHIN))
    except OSError:
        return BySteps()
    finally:
        os.close(top)
    return way


class Root:
    """A folder that was opened once.

    Attributes:
        path: where it is.
        folder: its descriptor, to look at and to begin at.
        device: the file system that it is on.
    """

    def __init__(self, path: str, way: Way | None = None) -> None:
        """Open a folder by its whole path; no part of it may be a link.

        Raises:
            OSError: it is not there, or no folder, or a link leads to it.
        """
        names = PurePosixPath(path).parts
        if not path.startswith("/") or ".." in names:
            raise OSError(errno.EINVAL, "it is no whole path", path)
        self.path = path
        self._way = way or find_way()
        top = os.open("/", STEP)
        try:
            below = "/".join(names[1:]) or "."
            self.folder = self._way.open(top, below, STEP, ANYWHERE)
        finally:
            os.close(top)
        self.device = os.fstat(self.folder).st_dev

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the folder."""
        self.close()

    def close(self) -> None:
        """Close the folder; nothing can be opened below it any more."""
        os.close(self.folder)

    def open_folder(self, path: str) -> int:
        """Return a folder below, opened anew to be read; "" is the root.

        Raises:
            OSError: it is gone, no folder, a link, or a mount point.
        """
        if not path:
            return self._way.open(self.folder, ".", READ, WITHIN)
        _be_names(path.split("/"), path)
        return self._way.open(self.folder, path, READ, WITHIN)

    def look_at(self, folder: int, name: str) -> int:
        """Return a handle of what has a name, whatever it is; never open it.

        Raises:
            OSError: it is gone, or something is mounted there.
        """
        _be_names([name], name)
        return self._way.open(folder, name, ITSELF, WITHIN)


@contextmanager
def closing(file: int) -> Iterator[int]:
    """Lend a file descriptor, and close it."""
    try:
        yield file
    finally:
        os.close(file)


def place_of(file: int) -> tuple[int, bytes]:
    """Return the file system and the mount that something is on.

    What is mounted a second time has the same device: only the mount tells.
    """
    info = os.open(f"/proc/self/fdinfo/{file}", os.O_RDONLY | os.O_CLOEXEC)
    with closing(info):
        said = os.read(info, MOST_BYTES)
    for line in said.splitlines():
        if line.startswith(b"mnt_id:"):
            return os.fstat(file).st_dev, line
    raise OSError(errno.ENOSYS, "the kernel does not tell mounts apart")


def _stay(file: int, home: tuple[int, bytes] | None, path: str) -> None:
    """Raise OSError for what is on another mount."""
    if home is not None and place_of(file) != home:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), path)


def _replace(old: int, new: int) -> int:
    """Close one file descriptor, and return the other."""
    os.close(old)
    return new


def _be_names(names: Sequence[str], path: str) -> None:
    """Raise OSError for a path that could lead anywhere but down."""
    if any(name in NO_NAMES or "/" in name for name in names):
        raise OSError(errno.EINVAL, "it leads not only down", path)
