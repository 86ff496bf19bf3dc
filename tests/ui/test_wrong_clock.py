"""A laptop whose clock is wrong: what counts is the service's."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.flow.acting import ActingService
from tests.ui.alone import ORIGIN, give, run
from tests.ui.browser import Chromium, close, go
from tests.ui.conftest import Opener

BOARD = "/console/incidents"
# All that a page asks about the time goes through this.
SHIFT = """(() => {
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...given) {
      super(...(given.length ? given : [Real.now() + %d]));
    }
    static now() { return Real.now() + %d; }
  };
})()"""
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActingService]:
    """Return a service whose brain asks people."""
    with ActingService(tmp_path_factory.mktemp("clock")) as running:
        yield running


def open_at(
    watched: Opener, node: ActingService, path: str, ahead_ms: int
) -> Page:
    """Open a page on a machine whose clock is ahead."""
    opened = watched(node.url)
    opened.context.add_init_script(SHIFT % (ahead_ms, ahead_ms))
    page = opened.page()
    go(page, path)
    return page


@pytest.mark.parametrize("ahead_ms", [HOUR_MS, -HOUR_MS])
def test_what_is_muted_is_muted_from_now_on(
    node: ActingService, watched: Opener, ahead_ms: int
) -> None:
    """For as long as it says, by the clock that ends it."""
    host = f"wc-mute{ahead_ms}"
    number = node.ask_about(host)["incident"]
    begun = datetime.now(UTC)
    page = open_at(watched, node, f"{BOARD}/{number}", ahead_ms)
    page.keyboard.press("u")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why?").fill("new disk")
    dialog.get_by_role("button", name="Mute").click()
    expect(page.locator("#says")).to_contain_text("It is muted.")
    made = node.get("/mutes")["items"]
    (mine,) = [one for one in made if host in str(one["matchers"])]
    since, until = map(datetime.fromisoformat, (mine["from"], mine["until"]))
    assert abs(since - begun) < timedelta(minutes=5)
    assert until - since == timedelta(hours=1)


@pytest.mark.parametrize("ahead_ms", [HOUR_MS, -HOUR_MS])
def test_the_time_that_is_left_is_the_services(
    node: ActingService, watched: Opener, ahead_ms: int
) -> None:
    """Nobody gives up a question that still waits, or waits for its end."""
    asked = node.ask_about(f"wc-ask{ahead_ms}")
    number = asked["incident"]
    ends = datetime.fromisoformat(asked["expires_at"])
    left = int((ends - datetime.now(UTC)).total_seconds()) // 60
    page = open_at(watched, node, f"{BOARD}/{number}", ahead_ms)
    countdown = page.locator(".now .countdown")
    told = rf"^({left}|{left - 1})m.* left"
    expect(countdown).to_have_text(re.compile(told))
    go(page, BOARD)
    row = page.locator(f"#i-{number} time.count")
    expect(row).to_have_text(re.compile(rf"in ({left}|{left - 1})m"))


@pytest.mark.parametrize(
    ("iso", "said"),
    [
        ("2026-10-24T20:00:00Z", "2026-10-24 22:00:00 CEST"),
        ("2026-10-25T00:30:00Z", "2026-10-25 02:30:00 CEST"),
        ("2026-10-25T01:30:00Z", "2026-10-25 02:30:00 CET"),
        ("2026-03-29T01:30:00Z", "2026-03-29 03:30:00 CEST"),
    ],
)
def test_a_zone_is_called_as_it_was_then(
    browser: Chromium, iso: str, said: str
) -> None:
    """A handover of the night in which the clocks change is read as it was."""
    context = browser.new_context(timezone_id="Europe/Berlin", locale="de-DE")
    context.route("**/*", give)
    page = context.new_page()
    page.goto(f"{ORIGIN}/")
    found = run(page, "lib/time", "return m.full(given);", iso)
    close(context)
    assert found == said
