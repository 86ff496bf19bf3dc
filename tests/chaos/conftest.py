"""How much chaos: sizes that a soak makes larger."""

import os

import pytest


@pytest.fixture
def scale() -> int:
    """Return by how much the kills and cuts are multiplied."""
    return int(os.environ.get("CHAOS_SCALE", "1"))
