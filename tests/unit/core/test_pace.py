"""Pace: once in a while for each name, and memory has an end."""

from app.core.pace import Pace
from tests.fakes import FakeClock


def test_each_name_waits_for_itself() -> None:
    """One that passed waits; another one does not."""
    clock = FakeClock()
    pace = Pace(10, clock, 5)
    assert pace.admits("a")
    assert not pace.admits("a")
    assert pace.admits("b")
    clock.advance(10)
    assert pace.admits("a")
    pace.forget("a")
    assert pace.admits("a")


def test_only_the_newest_names_are_known() -> None:
    """Who came long ago is forgotten for whoever comes now."""
    pace = Pace(10, FakeClock(), 2)
    for name in "abc":
        assert pace.admits(name)
    assert pace.admits("a")
    assert not pace.admits("c")
