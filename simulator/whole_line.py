"""Add a line to a file: all of it and on the disk, or an error.

Standard library only: the guard uses it too.
"""

import errno
import os


def write_line(file: int, line: bytes) -> None:
    """Add a line, and wait until it is on the disk.

    What somebody else could not write to its end does not swallow it.

    Args:
        file: opened to read and to append.
        line: without its end.

    Raises:
        OSError: it does not stand there; nothing of it does, if possible.
    """
    size = os.fstat(file).st_size
    is_torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
    whole = (b"\n" if is_torn else b"") + line + b"\n"
    # A disk that has room for a part of it takes that, without an error.
    written = os.write(file, whole)
    if written < len(whole):
        os.ftruncate(file, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file)
