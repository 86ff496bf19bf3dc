"""What a page asks for while nobody touches it says so."""

from playwright.sync_api import Page

from tests.ui.alone import fresh, page, run

__all__ = ["fresh", "page"]
MINUTE_MS = 60_000
SAYS = "x-smokejumper-unattended"
ASK = "return m.get('status').catch(() => null);"


def says_so(page: Page) -> bool:
    """Tell whether the page says that nobody touches it."""
    with page.expect_request("**/api/v1/status") as asked:
        run(page, "lib/api", ASK)
    return SAYS in asked.value.headers


def test_who_touches_nothing_for_a_minute_has_left(fresh: Page) -> None:
    """And is back with the first key, or move of the pointer."""
    fresh.clock.install()
    fresh.clock.pause_at(fresh.evaluate("Date.now() + 1000"))
    assert not says_so(fresh)
    fresh.clock.run_for(2 * MINUTE_MS)
    assert says_so(fresh)
    fresh.keyboard.press("Shift")
    assert not says_so(fresh)
    fresh.clock.run_for(2 * MINUTE_MS)
    assert says_so(fresh)
    fresh.mouse.move(20, 20)
    assert not says_so(fresh)
