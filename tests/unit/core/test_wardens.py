"""What wardens say: spans of time, and the last lines of a log."""

import pytest

from app.core.systemd import span_seconds
from app.core.warden import last_lines


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 0), ("0", 0), ("10s", 10), ("1min 30s", 90), ("500ms", 0.5),
     ("2min", 120), ("1h 5min", 3_900), ("1d", 86_400), ("1w", 604_800),
     ("1month 1us", 2_629_800.000001), ("infinity", float("inf")),
     ("soon", float("inf")), ("10", float("inf"))],
)  # fmt: skip
def test_a_span_of_systemd_is_read(text: str, seconds: float) -> None:
    """What nobody understands lasts for ever."""
    assert span_seconds(text) == pytest.approx(seconds)


def test_last_lines_are_the_last_that_say_something() -> None:
    """Empty ones are left out."""
    assert last_lines("a\n\n b\t\n\n", 5) == ("a", " b")
    assert last_lines("a\nb\nc", 2) == ("b", "c")
    assert last_lines("", 3) == ()
