"""The days on which clocks are set: one hour is missing, one comes twice."""

from datetime import datetime
from itertools import pairwise

import pytest
from playwright.sync_api import Page

from tests.service import Service
from tests.ui.charting import BEGIN, PATH, root, service
from tests.ui.conftest import Opener

__all__ = ["root", "service"]
BERLIN = "Europe/Berlin"
HOUR = 3_600_000
CLOCK = """async ([moment, now]) => {
  const time = await import(`${root}/js/lib/time.js`);
  return [time.clock(moment, new Date(now)), time.full(moment)];
}"""
TICKS = """async ([from, to]) => {
  const tool = await import(`${root}/js/el/chart/measure.js`);
  return tool.timeTicks(from, to).map((at) => tool.timeWord(at, to - from));
}"""


@pytest.fixture
def berlin(service: Service, root: str, watched: Opener) -> Page:
    """Return a page of somebody in Berlin."""
    opened = watched(service.url, timezone_id=BERLIN).context.new_page()
    opened.goto(PATH)
    opened.evaluate(BEGIN, root)
    return opened


@pytest.mark.parametrize(
    ("moment", "shown", "full"),
    [
        ("2026-10-24T23:59:59Z", "01:59:59", "2026-10-25 01:59:59 CEST"),
        ("2026-10-25T00:30:00Z", "02:30:00 CEST", "2026-10-25 02:30:00 CEST"),
        ("2026-10-25T01:10:00Z", "02:10:00 CET", "2026-10-25 02:10:00 CET"),
        ("2026-10-25T02:00:00Z", "03:00:00", "2026-10-25 03:00:00 CET"),
        (
            "2026-03-29T01:00:00Z",
            "2026-03-29 03:00:00",
            "2026-03-29 03:00:00 CEST",
        ),
    ],
)
def test_what_comes_twice_says_which_it_is(
    berlin: Page, moment: str, shown: str, full: str
) -> None:
    """Else what was later would stand in a timeline as earlier."""
    now = "2026-10-25T08:00:00Z"
    assert berlin.evaluate(CLOCK, [moment, now]) == [shown, full]


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-06-01"])
def test_the_axis_has_round_hours(berlin: Page, day: str) -> None:
    """Before clocks are set and after it; each once, and in their order."""
    ends = datetime.fromisoformat(f"{day}T20:30:00+00:00").timestamp() * 1000
    words = berlin.evaluate(TICKS, [ends - 24 * HOUR, ends])
    hours = [int(word.split(":")[0]) for word in words]
    assert 3 <= len(words) <= 7
    assert all(word.endswith(":00") for word in words)
    apart = {(b - a) % 24 for a, b in pairwise(hours)}
    assert len(apart) == 1, words
