"""A part of the book by itself: it fails unless all came to its end once."""

import subprocess
import sys

import pytest

from tests.service import HOME


@pytest.mark.long
def test_incidents_are_measured_and_proved() -> None:
    """A few are enough to see that what is counted is what is compared."""
    words = ["bench.pipeline", "--incidents", "4", "--rounds", "1"]
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=HOME,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "ms CPU an incident" in done.stdout
