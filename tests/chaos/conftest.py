"""How much chaos, and what a service that acts needs around it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.acting import SECRET
from tests.receiver import Receiver


@pytest.fixture
def scale() -> int:
    """Return by how much the kills and cuts are multiplied."""
    return int(os.environ.get("CHAOS_SCALE", "1"))


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """Return a running receiver of jobs."""
    with Receiver(tmp_path, secret=SECRET) as running:
        yield running
