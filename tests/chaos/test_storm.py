"""F18: a storm, at the speed of 100,000 alerts in a minute."""

import pytest

from bench.acting.sending import Sent
from bench.storm import Blown
from scripts.soak.storm import faults_of, play

pytestmark = pytest.mark.chaos
ALERTS = 2_000


@pytest.mark.long
def test_a_storm_is_taken_whole() -> None:
    """Each alert is kept, each incident decided once, each mission ends."""
    assert play(ALERTS) == []


def test_what_takes_too_long_or_too_much_is_a_fault() -> None:
    """The limits of a storm are looked at."""
    assert list(faults_of(Blown(Sent(), 599.0, 1.0, 499.0))) == []
    assert list(faults_of(Blown(Sent(), 601.0, 1.0, 501.0))) == [
        "drained after 601 s",
        "it took 501 MB",
    ]
