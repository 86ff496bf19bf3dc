"""The metrics screen behind a proxy that gives each node its turn."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.service import Service
from tests.ui.conftest import Opener

PATH = "/console/metrics?range=1h"
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"
# What a node has measured long ago, and since.
LONG_AGO, SINCE = 77.0, 1.0
OLD = timedelta(minutes=30)


class Nodes:
    """Several nodes that answer one after the other.

    Attributes:
        turns: whose turn it is, the last one for ever.
        asked: the seconds that each question was about.
    """

    def __init__(self, page: Page, *turns: str) -> None:
        self.turns = list(turns)
        self.asked: list[float] = []
        page.route(re.compile("/api/v1/meters[?]"), self._answer)

    def _answer(self, route: Route) -> None:
        """Answer as the node whose turn it is."""
        node = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        query = parse_qs(urlsplit(route.request.url).query)
        since, until = (
            datetime.fromisoformat(query[name][0])
            for name in ("since", "until")
        )
        self.asked.append((until - since).total_seconds())
        columns = list(_columns(since, until))
        items = [
            {"name": name, "unit": "%", "value": SINCE, "columns": columns}
            for name in query["series"]
        ]
        route.fulfill(
            json={
                "node": node,
                "since": query["since"][0],
                "until": query["until"][0],
                "items": items,
            }
        )


def _columns(since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    """Yield a value each fifteen seconds: high long ago, low since."""
    at = since
    while at < until:
        is_old = datetime.now(UTC) - at > OLD
        value = LONG_AGO if is_old else SINCE
        yield {
            "at": at.isoformat(),
            "low": value,
            "mean": value,
            "high": value,
        }
        at += timedelta(seconds=15)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a running service, for its page only."""
    with Service(tmp_path_factory.mktemp("nodes")) as running:
        yield running


def expect_past(page: Page) -> None:
    """Wait until a chart has what was measured long ago."""
    cpu = page.get_by_role("img", name=re.compile(r"^CPU\."))
    expect(cpu).to_have_attribute("aria-label", re.compile("77"))


def look_again(page: Page) -> None:
    """Let the page ask anew, and wait for all that it asks."""
    with page.expect_response(re.compile("/meters[?]")):
        page.evaluate(LOOK)


def test_a_node_that_comes_second_has_its_past(
    service: Service, watched: Opener
) -> None:
    """By turns, whoever is asked: both have the whole span, once each."""
    page = watched(service.url).context.new_page()
    nodes = Nodes(page, "A:1", "B:2", "A:1", "B:2", "A:1", "B:2", "A:1")
    page.goto(PATH)
    expect_past(page)
    other = page.get_by_role("button", name="B:2")
    for _ in range(3):
        look_again(page)
    other.click()
    expect(other).to_have_attribute("aria-pressed", "true")
    expect_past(page)
    look_again(page)
    assert nodes.asked[-1] < 60


def test_what_a_node_missed_is_fetched_again(
    service: Service, watched: Opener
) -> None:
    """A node that was silent for long has a gap, until it answers."""
    page = watched(service.url).context.new_page()
    page.clock.install()
    nodes = Nodes(page, "A:1", "A:1", "B:2", "B:2")
    page.goto(PATH)
    expect_past(page)
    look_again(page)
    assert nodes.asked[1] < 60
    expect(page.get_by_role("button", name="B:2")).to_have_count(0)
    look_again(page)
    page.get_by_role("button", name="B:2").click()
    expect_past(page)


def test_what_is_held_is_of_the_node_that_is_wanted(
    service: Service, watched: Opener
) -> None:
    """A link names a node: another one's answer is not the end of it."""
    until = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    page = watched(service.url).context.new_page()
    page.clock.install()
    Nodes(page, "A:1", "B:2")
    page.goto(f"{PATH}&node=B:2&until={until}")
    # The last that is drawn: whoever asks again has set the time for it.
    expect(page.get_by_role("region", name="The past days")).to_be_visible()
    page.clock.fast_forward(6_000)
    expect_past(page)
