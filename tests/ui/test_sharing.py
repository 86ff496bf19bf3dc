"""What all tabs show alike is fetched once, and never for somebody else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from app.access.gate import COOKIE
from app.models.account import Role
from tests.flow.events import note, write
from tests.flow.visitors import Visitors
from tests.service import Service
from tests.ui.browser import Watched
from tests.ui.conftest import Opener
from tests.ui.trouble import fire, halt

SOON_MS = 30_000
BOARD = "/console/incidents"
TABS = 6
# Longer than the page waits between two questions.
STEP_MS = 1_000
QUIET_STEPS = 3
MOST_STEPS = 40
SIGHT = "x-smokejumper-sight"
# Whatever the head ever says of the node that answers.
NODES = """addEventListener('DOMContentLoaded', () => {
  const node = document.getElementById('node');
  const seen = document.documentElement.dataset;
  seen.nodes = '';
  new MutationObserver(() => { seen.nodes += ` ${node.textContent}`; })
    .observe(node, { childList: true });
});"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a running service that has an incident."""
    with Service(tmp_path_factory.mktemp("sharing")) as running:
        fire(running, "web-01")
        yield running


@pytest.fixture
def peopled(tmp_path: Path) -> Iterator[Service]:
    """Return a running service of a test that lets people in."""
    with Service(tmp_path) as running:
        yield running


def expect_live(page: Page) -> None:
    """Wait until a page hears the service."""
    expect(page.locator("#live")).to_have_attribute(
        "data-state", "live", timeout=SOON_MS
    )


def boards(opened: Watched, many: int) -> list[Page]:
    """Return so many boards that all are seen, each with its incidents."""
    pages = [opened.page(BOARD) for _ in range(many)]
    for page in pages:
        expect_live(page)
        expect(page.get_by_text("web-01").first).to_be_visible()
    return pages


def test_six_boards_cost_the_service_one(
    service: Service, watched: Opener
) -> None:
    """What happens is on all of them, and few of them asked for it."""
    opened = watched(service.url)
    pages = boards(opened, TABS)
    asked = len(opened.asked)
    fire(service, f"all-{asked}")
    for page in pages:
        expect(page.get_by_text(f"all-{asked}").first).to_be_visible(
            timeout=SOON_MS
        )
    found = [one for one in opened.asked[asked:] if "/api/v1/board" in one]
    assert 0 < len(found) < TABS, found


def test_a_tab_that_hangs_holds_up_no_other(
    service: Service, watched: Opener
) -> None:
    """Its answer never comes; the others wait for a moment only."""
    opened = watched(service.url)
    pages = boards(opened, 3)
    held: list[Route] = []

    def hold(route: Route) -> None:
        """Answer never."""
        held.append(route)

    pages[0].route("**/api/v1/board*", hold)
    for count in range(2):
        host = f"held-{count}"
        fire(service, host)
        for page in pages[1:]:
            expect(page.get_by_text(host).first).to_be_visible(timeout=SOON_MS)
    pages[0].close()
    fire(service, "held-3")
    for page in pages[1:]:
        expect(page.get_by_text("held-3").first).to_be_visible(timeout=SOON_MS)
        expect_live(page)


def test_an_answer_of_another_sight_stays_where_it_is(
    service: Service, watched: Opener
) -> None:
    """Who signed in meanwhile is shown something else: so is this page."""
    opened = watched(service.url)
    opened.context.add_init_script(NODES)
    page, other = boards(opened, 2)

    def change(route: Route) -> None:
        """Answer as if it were for somebody else."""
        answer = route.fetch()
        told = {**json.loads(answer.text()), "node": "wrong"}
        headers = {**answer.headers, SIGHT: "0" * 16}
        route.fulfill(json=told, headers=headers)

    page.route("**/api/v1/status*", change)
    page.bring_to_front()
    page.keyboard.press("P")
    page.get_by_label("Why?").fill("a drill")
    page.keyboard.press("Enter")
    # For a moment at least: the other tab's answer may be drawn upon it.
    seen = re.compile("wrong")
    expect(page.locator("html")).to_have_attribute("data-nodes", seen)
    expect(page.get_by_role("dialog")).to_contain_text("You are signed out")
    expect(other.locator("#halted")).to_contain_text("drill", timeout=SOON_MS)
    halt(service, halted=False)
    expect(other.locator("#halted")).to_be_hidden(timeout=SOON_MS)
    expect(other.locator("html")).not_to_have_attribute("data-nodes", seen)


def test_an_alert_that_joins_costs_one_question(
    service: Service, watched: Opener
) -> None:
    """In a storm nothing else changes; what was done is asked for then."""
    opened = watched(service.url)
    page = opened.page("/console/incidents/1")
    expect_live(page)
    rest = re.compile("/api/v1/(missions|rulings|jobs|approvals)[?]")
    quiet = 0
    for _ in range(MOST_STEPS):
        # What the pipeline still does about it is told until it is done.
        asked = len(opened.asked)
        with page.expect_request("**/api/v1/incidents/1"):
            write(service, note(1, "incident.joined", incident=1))
        page.wait_for_timeout(STEP_MS)
        new = [one for one in opened.asked[asked:] if rest.search(one)]
        quiet = 0 if new else quiet + 1
        if quiet == QUIET_STEPS:
            break
    assert quiet == QUIET_STEPS
    with page.expect_request(rest):
        write(service, note(2, "mission.closed", incident=1))


def sign_in(context: BrowserContext, visitors: Visitors, role: Role) -> None:
    """Let a browser be somebody, whoever it was."""
    context.clear_cookies()
    secret = visitors.sign_in(role)
    context.add_cookies(
        [{"name": COOKIE, "value": secret, "url": visitors.url}]
    )


def test_a_page_whose_person_has_gone_says_so(
    peopled: Service, watched: Opener
) -> None:
    """Another one signed in beside it: it does not go on as the first."""
    visitors = Visitors(peopled)
    opened = watched(peopled.url)
    sign_in(opened.context, visitors, Role.APPROVER)
    first = opened.page(BOARD)
    expect_live(first)
    sign_in(opened.context, visitors, Role.VIEWER)
    second = opened.page(BOARD)
    expect_live(second)
    dialog = first.get_by_role("dialog")
    # The stream is not theirs any more, whether anything happens or not.
    expect(dialog).to_contain_text("You are signed out")
    fire(peopled, "new-01")
    expect(second.get_by_text("new-01").first).to_be_visible(timeout=SOON_MS)
    expect(second.get_by_role("dialog")).to_have_count(0)
    dialog.get_by_role("button", name="I am signed in again").click()
    expect(first.locator("#state")).to_contain_text("viewer (viewer)")
    visitors.close()
