"""The breaker: opens after failures in a row, tries again, closes."""

from app.core.breaker import Breaker
from tests.fakes import FakeClock


def make(failures: int = 3) -> tuple[Breaker, FakeClock]:
    """Return a breaker and its clock."""
    clock = FakeClock()
    return Breaker(clock, failures, 30.0), clock


def fail(breaker: Breaker, times: int) -> None:
    """Let calls fail that went through."""
    for _ in range(times):
        assert breaker.admits()
        breaker.fail()


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    """One success in between starts the count anew."""
    breaker, _ = make()
    fail(breaker, 2)
    breaker.succeed()
    fail(breaker, 2)
    assert breaker.admits()
    breaker.fail()
    assert not breaker.admits()
    assert breaker.seconds_left == 30


def test_after_its_time_one_call_is_a_trial() -> None:
    """The others wait for what comes of it; a success closes it."""
    breaker, clock = make()
    fail(breaker, 3)
    clock.advance(29)
    assert not breaker.admits()
    clock.advance(1)
    assert breaker.admits()
    assert not breaker.admits()
    breaker.succeed()
    assert breaker.admits()
    assert breaker.admits()


def test_a_trial_that_fails_opens_it_anew() -> None:
    """One failure is enough then, for the whole time."""
    breaker, clock = make()
    fail(breaker, 3)
    clock.advance(30)
    fail(breaker, 1)
    assert not breaker.admits()
    assert breaker.seconds_left == 30


def test_a_trial_that_says_nothing_leaves_room_for_the_next() -> None:
    """A bug of ours is no failure of the server."""
    breaker, clock = make()
    fail(breaker, 3)
    clock.advance(30)
    assert breaker.admits()
    breaker.forget()
    assert breaker.admits()
