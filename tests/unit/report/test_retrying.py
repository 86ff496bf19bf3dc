"""Retrying: later and later, not all at once, and not for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import NotAccepted, OutgoingFailed
from app.models.message import URGENT, DispatchState, Kind
from app.report.retrying import after_failure, pause
from app.report.settings import RetrySettings
from tests.unit.report.making import NOW, SECOND, dispatch

RETRIES = RetrySettings(tries=4, first_seconds=10, most_seconds=25)
HOUR = 3_600 * SECOND
NEWS = Kind.EVIDENCE.value
UNKNOWN = OutgoingFailed("no answer in 10 s")


def test_what_nobody_knows_about_is_sent_again() -> None:
    """Told twice is better than not told."""
    found = after_failure(RETRIES, dispatch(tries=0), UNKNOWN, NOW, 0.5)
    assert found.state == DispatchState.WAITING
    assert found.tries == 1
    assert found.due_at == NOW + 5 * SECOND
    assert found.reason == "no answer in 10 s"
    assert found.ended_at is None


def test_the_last_try_ends_in_a_dead_letter() -> None:
    """It says how often it was tried, and why it failed."""
    found = after_failure(
        RETRIES, dispatch(tries=3, kind=NEWS), UNKNOWN, NOW, 0.5
    )
    assert found.state == DispatchState.DEAD
    assert (found.tries, found.due_at, found.ended_at) == (4, None, NOW)
    assert found.reason == "after 4 tries: no answer in 10 s"


@pytest.mark.parametrize("kind", URGENT)
def test_what_is_urgent_outlives_an_outage_of_hours(kind: str) -> None:
    """It is tried on, at the longest pause, and dies after a day."""
    one = dispatch(tries=3, kind=kind, created_at=NOW - 24 * HOUR + 1)
    found = after_failure(RETRIES, one, UNKNOWN, NOW, 1.0)
    assert (found.state, found.tries) == (DispatchState.WAITING, 4)
    assert found.due_at == NOW + 25 * SECOND
    late = after_failure(RETRIES, found, UNKNOWN, NOW + 1, 1.0)
    assert late.state == DispatchState.DEAD
    assert late.reason == "after 5 tries: no answer in 10 s"


def test_what_is_urgent_has_all_its_tries_however_late_it_is() -> None:
    """A dispatch of a later level, or of a service that was down."""
    one = dispatch(tries=2, created_at=NOW - 50 * HOUR)
    found = after_failure(RETRIES, one, UNKNOWN, NOW, 0.5)
    assert found.state == DispatchState.WAITING


def test_how_long_what_is_urgent_is_tried_can_be_set() -> None:
    """None: as often as all the rest."""
    retries = RetrySettings(tries=4, urgent_hours=0)
    found = after_failure(retries, dispatch(tries=3), UNKNOWN, NOW, 0.5)
    assert found.state == DispatchState.DEAD


def test_a_clock_that_was_set_back_ends_nothing_early() -> None:
    """What seems to come from the future is tried on."""
    one = dispatch(tries=99, created_at=NOW + HOUR)
    found = after_failure(RETRIES, one, UNKNOWN, NOW, 0.5)
    assert found.state == DispatchState.WAITING


def test_a_refusal_that_is_final_is_not_tried_again() -> None:
    """The other end has said no."""
    error = NotAccepted("answered 410")
    found = after_failure(RETRIES, dispatch(), error, NOW, 0.5)
    assert (found.state, found.reason) == (DispatchState.DEAD, "answered 410")
    assert found.due_at is None


def test_the_other_end_may_say_when() -> None:
    """Not before that, whatever the pause would be."""
    error = NotAccepted("answered 429", may_retry=True, after_seconds=60)
    found = after_failure(RETRIES, dispatch(), error, NOW, 0.0)
    assert found.state == DispatchState.WAITING
    assert found.due_at == NOW + 60 * SECOND


def test_a_reason_stays_on_one_line_and_short() -> None:
    """What the other end says is not believed to be tidy."""
    error = OutgoingFailed("a\nb\x1b[31m" + "c" * 9_000)
    found = after_failure(RETRIES, dispatch(), error, NOW, 0.1)
    assert found.reason.isprintable()
    assert len(found.reason) <= 500


@given(
    tries=st.integers(0, 998),
    chance=st.floats(0, 1, exclude_max=True),
    most=st.floats(1, 86_400),
)
def test_a_pause_is_bounded_and_never_in_the_past(
    tries: int, chance: float, most: float
) -> None:
    """Whatever is drawn, the next try lies ahead, and not too far."""
    settings = RetrySettings(tries=1_000, first_seconds=1, most_seconds=most)
    found = after_failure(
        settings, dispatch(tries=tries), UNKNOWN, NOW, chance
    )
    assert found.due_at is not None
    assert NOW < found.due_at <= NOW + most * SECOND + 1


@pytest.mark.parametrize(("tries", "seconds"), [(1, 10), (2, 20), (3, 25)])
def test_pauses_double_up_to_the_longest(tries: int, seconds: float) -> None:
    """Ten, twenty, and then no longer than is set."""
    assert pause(RETRIES, tries) == seconds
