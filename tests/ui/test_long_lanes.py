"""Lanes in a storm: every row can be reached, and the words are right."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.service import Service
from tests.ui.conftest import Opener
from tests.ui.pouring import pour_needs

BOARD = "/console/incidents"
MANY = 230
# Of the board's API at most.
MOST = 200
SOON_MS = 30_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service in which many incidents need people."""
    with Service(tmp_path_factory.mktemp("long")) as running:
        pour_needs(running, MANY)
        yield running


def lane(page: Page, name: str = "needs_you") -> Locator:
    """Return a lane with its head and its foot."""
    return page.locator(f"section.{name}")


def test_row_51_and_those_after_it_can_be_reached(
    service: Service, watched: Opener
) -> None:
    """Fifty at a time; behind what the board has is the list of all."""
    page = watched(service.url).page(BOARD)
    rows = lane(page).locator("li.incident")
    expect(rows).to_have_count(50)
    more = lane(page).get_by_role("button", name="Show 50 more")
    others = lane(page).get_by_role("link", name="The list of all")
    expect(others).to_be_hidden()
    for many in (100, 150, MOST):
        more.click()
        expect(rows).to_have_count(many, timeout=SOON_MS)
        expect(lane(page).locator(".note")).to_contain_text(
            f"the first {many} are shown"
        )
    expect(page.locator("#i-51")).to_be_visible()
    expect(more).to_be_hidden()
    others.click()
    page.wait_for_url(re.compile("all=1"))
    note = page.get_by_role("region", name="All incidents").get_by_role(
        "status"
    )
    expect(note).to_contain_text(f"{MANY} incidents", timeout=SOON_MS)


def test_a_filter_finds_more_than_what_is_shown(
    service: Service, watched: Opener
) -> None:
    """All that the board has is looked at, and numbers say that it is part."""
    page = watched(service.url).page(f"{BOARD}?q=host:long-150")
    expect(page.locator("#i-150")).to_be_visible(timeout=SOON_MS)
    note = lane(page).locator(".note")
    expect(note).to_contain_text(f"1 of the first {MOST} match the filter")
    tab = page.get_by_role("button", name="Everything")
    expect(tab).to_contain_text(f"{MOST}+")
    chip = page.locator('[data-chip="sev:warning"]')
    expect(chip).to_contain_text(f"{MOST}+")


def test_what_a_filter_does_not_find_is_not_said_to_be_nothing(
    service: Service, watched: Opener
) -> None:
    """No row matches: that is another thing than that nobody waits."""
    page = watched(service.url).page(BOARD)
    expect(lane(page).locator("li.incident")).to_have_count(50)
    page.keyboard.press("/")
    page.keyboard.type(f"host:long-{MANY}")
    expect(lane(page)).to_contain_text(
        f"None of the first {MOST} matches the filter.", timeout=SOON_MS
    )
    assert "Nothing needs you" not in lane(page).inner_text()
    expect(lane(page, "acting")).to_contain_text("works on nothing")
    others = lane(page).get_by_role("link", name="The list of all")
    others.click()
    expect(page.locator("#all")).to_contain_text(
        f"long-{MANY}", timeout=SOON_MS
    )
