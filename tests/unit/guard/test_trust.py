"""The trust report: who agrees how often, and what has been earned."""

import pytest

from app.guard.trust import Answers, Results, Standing, interval, report

WHERE = ("restart_service", "production")


def line_of(
    granted: int, refused: int = 0, mode: str = "approve", fixed: int = 0
) -> Standing:
    """Return the line of one action with so many answers."""
    answers = [
        Answers(*WHERE, mode, "granted", granted),
        Answers(*WHERE, mode, "refused", refused),
        Answers(*WHERE, mode, "expired", 90),
    ]
    results = [
        Results(*WHERE, "fixed", fixed),
        Results(*WHERE, "not_fixed", 10 - fixed if fixed else 0),
        Results("other", "production", "not_fixed", 99),
    ]
    (line,) = report(answers, results)
    return line


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (0, 0, 0.0, 1.0),
        (20, 20, 0.8389, 1.0),
        (35, 35, 0.9011, 1.0),
        (81, 263, 0.2553, 0.3662),
        (0, 20, 0.0, 0.1611),
    ],
)
def test_the_interval_is_that_of_wilson(
    hits: int, of: int, low: float, high: float
) -> None:
    """The ends are those of the published formula."""
    assert interval(hits, of) == pytest.approx((low, high), abs=1e-4)


def test_a_step_is_earned_by_many_who_agree() -> None:
    """Only when the lower end is good is a further step named."""
    assert line_of(35).earned == "auto"
    assert line_of(35, mode="suggest").earned == "approve"
    assert line_of(20).earned == ""
    assert line_of(12).why == "8 more answers are needed"
    assert line_of(60, 10).earned == ""
    assert line_of(300, mode="auto").why == "there is no further step"


def test_what_does_not_help_earns_nothing() -> None:
    """That people agree is not enough when runs do not help."""
    assert line_of(40, fixed=9).earned == "auto"
    line = line_of(40, fixed=8)
    assert (line.earned, line.not_fixed) == ("", 2)
    assert "8 of 10" in line.why


def test_what_nobody_answered_says_nothing() -> None:
    """Questions that expired are neither for nor against."""
    line = line_of(30, 2)
    assert (line.answers, line.agreed) == (32, 30)
    assert line.rate == pytest.approx(30 / 32)
    assert line_of(0).rate is None


def test_lines_come_by_name() -> None:
    """Each action, environment and mode has a line of its own."""
    answers = [
        Answers("b", "x", "approve", "granted", 1),
        Answers("a", "y", "suggest", "edited", 2),
        Answers("a", "x", "approve", "granted", 3),
        Answers("a", "x", "suggest", "granted", 4),
    ]
    lines = report(answers, [])
    keys = [(one.action, one.environment, one.mode) for one in lines]
    assert keys == sorted(keys)
    assert len(keys) == 4
    assert lines[2].agreed == 0
    assert lines[2].answers == 2
