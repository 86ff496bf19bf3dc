"""What tests of the local deeds share."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def alone() -> Iterator[None]:
    """Let one test at a time have what grows faster than all of a machine.

    Tests of other files run in other processes, and of two that grow a
    person must choose.
    """
    name = f"smokejumper-growers-{os.getuid()}.lock"
    with (Path(tempfile.gettempdir()) / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
