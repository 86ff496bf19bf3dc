"""One simulated trouble at a time: all of them are on the same machine."""

import fcntl
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

LOCK = Path(tempfile.gettempdir()) / "smokejumper-e2e.lock"
LONGEST_SECONDS = 900.0


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """Wait for the other workers' runs: their faults have the same names."""
    deadline = time.monotonic() + LONGEST_SECONDS
    with LOCK.open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                assert time.monotonic() < deadline, f"{LOCK} is held"
                time.sleep(0.5)
        yield
