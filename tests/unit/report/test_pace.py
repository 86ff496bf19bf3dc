"""Pace: never more letters within a window than a channel may have."""

from hypothesis import given
from hypothesis import strategies as st

from app.models.message import DispatchState, Kind
from app.report.pace import digest_at, has_room, held_back
from app.report.settings import DigestSettings
from tests.unit.report.making import NOW, SECOND, dispatch

PACE = DigestSettings(most=3, window_seconds=10, every_seconds=20)


def test_one_place_of_a_window_is_the_digest_s() -> None:
    """Of three letters two go by themselves."""
    assert has_room(PACE, [NOW], NOW)
    assert not has_room(PACE, [NOW, NOW], NOW)
    assert has_room(PACE, [NOW, NOW], NOW + 10 * SECOND)
    assert not has_room(PACE, [NOW, NOW], NOW + 10 * SECOND - 1)


def test_what_is_planned_later_counts_as_well() -> None:
    """A letter is not squeezed in before two that are planned."""
    later = NOW + 5 * SECOND
    assert not has_room(PACE, [later, later], NOW)


def test_digests_are_due_at_fixed_moments() -> None:
    """A multiple of their span, at or after the moment."""
    first = digest_at(PACE, NOW)
    assert NOW <= first < NOW + 20 * SECOND
    assert digest_at(PACE, first) == first
    assert digest_at(PACE, first + 1) == first + 20 * SECOND


def test_what_comes_all_at_once_after_a_pause_is_gathered() -> None:
    """Letters that were planned one by one go together when all are due."""
    late = dispatch(due_at=NOW - 3_600 * SECOND)
    late.kind = Kind.ESCALATED.value
    assert held_back(PACE, late, [NOW], NOW) == late
    found = held_back(PACE, late, [NOW, NOW - SECOND], NOW)
    assert found.state == DispatchState.GATHERING
    assert found.due_at == digest_at(PACE, NOW)
    assert "more than 3 in 10 s" in found.reason
    gathered = dispatch(state=DispatchState.GATHERING.value)
    assert held_back(PACE, gathered, [NOW] * 9, NOW) == gathered


def test_a_question_goes_alone_unless_it_is_one_of_a_flood() -> None:
    """It has a place when others have none, up to as many once more."""
    asked = dispatch(kind=Kind.ASKED.value)
    assert held_back(PACE, asked, [NOW] * 4, NOW) is asked
    found = held_back(PACE, asked, [NOW] * 5, NOW)
    assert found.state == DispatchState.GATHERING


@given(
    wishes=st.lists(st.integers(0, 120), max_size=60),
    most=st.integers(2, 6),
    window=st.integers(1, 20),
)
def test_no_window_ever_holds_more_than_it_may(
    wishes: list[int], most: int, window: int
) -> None:
    """Letters and digests together, in whatever order they are planned."""
    pace = DigestSettings(
        most=most, window_seconds=window, every_seconds=window
    )
    sent: list[int] = []
    for wish in wishes:
        at = NOW + wish * SECOND
        if has_room(pace, sent, at):
            sent.append(at)
        elif digest_at(pace, at) not in sent:
            sent.append(digest_at(pace, at))
    for begin in sent:
        end = begin + window * SECOND
        assert sum(begin <= at < end for at in sent) <= most
