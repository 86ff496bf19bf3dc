"""A page that could not fetch what it shows says so, and catches up."""

import os
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.flow.acting import ActingService
from tests.ui.browser import Watched, go
from tests.ui.conftest import Opener
from tests.ui.trouble import halt

SOON_MS = 30_000
BOARD = "/console/incidents"
LATE = re.compile("late|stale")
SET_BACK = """() => {
  const now = Date.now.bind(Date);
  Date.now = () => now() - 3_600_000;
}"""


class Trouble:
    """Answers to what a page asks for, while the stream lives.

    Attributes:
        is_on: whether it fails.
        failed: what was asked for in vain.
    """

    def __init__(self, opened: Watched, page: Page, how: str) -> None:
        self._opened = opened
        self._how = how
        self.is_on = False
        self.failed: list[str] = []
        page.route(re.compile("/api/v1/(?!stream)"), self._answer)

    def end(self) -> None:
        """Let everything through; what was meant to fail is forgiven."""
        self.is_on = False
        self._opened.wrong[:] = [
            one for one in self._opened.wrong if not one.startswith("502 ")
        ]

    def _answer(self, route: Route) -> None:
        """Fail, as a cut line does or a gateway."""
        if not self.is_on or route.request.method != "GET":
            route.fallback()
            return
        self.failed.append(route.request.url)
        if self._how == "cut":
            route.abort()
        else:
            route.fulfill(status=502, body="<html>bad gateway</html>")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActingService]:
    """Return a service whose jobs go on until they are ended."""
    folder = tmp_path_factory.mktemp("stale")
    with ActingService(folder, "slow") as running:
        yield running


def expect_state(page: Page, state: str | re.Pattern[str]) -> None:
    """Wait until the head says how old the page is."""
    live = page.locator("#live")
    expect(live).to_have_attribute("data-state", state, timeout=SOON_MS)


def test_a_question_that_was_answered_does_not_stay(
    node: ActingService, watched: Opener
) -> None:
    """Somebody else refuses, and the page cannot fetch what came of it."""
    asked = node.ask_about("st-cut")
    opened = watched(node.url)
    page = opened.page(f"{BOARD}/{asked['incident']}")
    title = page.locator("#now-title")
    expect(title).to_contain_text("Needs an answer")
    expect_state(page, "live")
    trouble = Trouble(opened, page, "cut")
    trouble.is_on = True
    node.answer(asked["id"], "refuse")
    expect_state(page, LATE)
    expect(page.locator("#live")).to_contain_text("catching up")
    expect(page.locator("html")).to_have_attribute("data-live", LATE)
    expect(title).to_contain_text("Needs an answer")
    trouble.end()
    expect(title).not_to_contain_text("Needs an answer", timeout=SOON_MS)
    approve = page.locator(".now").get_by_role("button", name="Approve")
    expect(approve).to_be_hidden()
    expect_state(page, "live")
    expect(page.locator("#says .bad")).to_have_count(0)
    assert trouble.failed


def test_no_lane_is_empty_before_there_is_a_board(
    node: ActingService, watched: Opener
) -> None:
    """The first answer fails, and what the stream's beginning asks for."""
    asked = node.ask_about("st-first")
    opened = watched(node.url)
    page = opened.page()
    trouble = Trouble(opened, page, "gateway")
    trouble.is_on = True
    go(page, f"{BOARD}#i-{asked['incident']}")
    expect_state(page, LATE)
    lanes = page.locator("#lanes")
    expect(lanes).to_contain_text("One moment ...")
    assert "Nothing needs you" not in lanes.inner_text()
    trouble.end()
    row = page.locator(f"#i-{asked['incident']}")
    expect(row).to_be_visible(timeout=SOON_MS)
    expect(row).to_be_focused()
    expect_state(page, "live")
    trouble.end()


def test_what_is_paused_is_said_as_soon_as_it_can_be(
    node: ActingService, watched: Opener
) -> None:
    """The state of the service and a list of a screen catch up alike."""
    opened = watched(node.url)
    page = opened.page("/console/mutes")
    expect_state(page, "live")
    trouble = Trouble(opened, page, "cut")
    trouble.is_on = True
    now = datetime.now(UTC)
    mute = {
        "author": "ana",
        "matchers": ['target="st-mute"'],
        "from": now.isoformat(),
        "until": (now + timedelta(hours=1)).isoformat(),
        "comment": "new disk",
    }
    node.post("/mutes", mute).raise_for_status()
    halt(node, halted=True)
    expect_state(page, LATE)
    trouble.end()
    expect(page.get_by_text('target="st-mute"')).to_be_visible(timeout=SOON_MS)
    expect(page.locator("#halted")).to_contain_text("drill", timeout=SOON_MS)
    halt(node, halted=False)
    expect(page.locator("#halted")).to_be_hidden(timeout=SOON_MS)
    expect_state(page, "live")


def test_a_clock_that_is_set_back_makes_nothing_young(
    node: ActingService, watched: Opener
) -> None:
    """A laptop wakes an hour ahead and is corrected: the page goes on."""
    known = node.ask_about("st-clock")
    opened = watched(node.url)
    board, incident = opened.page(BOARD), opened.page()
    go(incident, f"{BOARD}/{known['incident']}")
    for page in (board, incident):
        expect_state(page, "live")
        page.evaluate(SET_BACK)
    asked = node.ask_about("st-clock-too")
    row = board.locator(f"#i-{asked['incident']}")
    expect(row).to_contain_text("approve")
    node.answer(known["id"], "refuse")
    title = incident.locator("#now-title")
    expect(title).not_to_contain_text("Needs an answer")
    os.kill(node.pid, signal.SIGSTOP)
    try:
        for page in (board, incident):
            expect_state(page, "stale")
    finally:
        os.kill(node.pid, signal.SIGCONT)
    for page in (board, incident):
        expect_state(page, "live")


def test_a_pause_that_came_meanwhile_is_not_lifted(
    node: ActingService, watched: Opener
) -> None:
    """Who resumes lifts the pause that they read of, and no other one."""
    page = watched(node.url).page(BOARD)
    expect_state(page, "live")
    halt(node, halted=True)
    button = page.locator("#pause")
    expect(button).to_contain_text("RESUME ALL")
    button.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("ana paused: a drill.")
    halt(node, halted=False)
    danger = {"author": "bo", "reason": "it is real", "halted": True}
    httpx.put(f"{node.url}/api/v1/halt", json=danger).raise_for_status()
    dialog.get_by_label("Why?").fill("the drill is over")
    dialog.get_by_role("button", name="Resume all").click()
    expect(page.locator("#says .bad")).to_contain_text("Read it again")
    expect(page.locator("#halted")).to_contain_text("bo: it is real")
    assert node.get("/halt")["halted"]
    halt(node, halted=False)
    expect(page.locator("#halted")).to_be_hidden()


def test_what_a_file_pauses_is_not_said_to_be_resumed(
    node: ActingService, watched: Opener
) -> None:
    """The button lifts the switch only: the file stays until it is gone."""
    node.halt_file.write_text("disk swap")
    page = watched(node.url).page(BOARD)
    expect(page.locator("#halted")).to_contain_text("disk swap")
    page.locator("#pause").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why?").fill("done")
    dialog.get_by_role("button", name="Resume all").click()
    told = page.locator("#says .bad")
    expect(told).to_contain_text("still paused")
    expect(told).to_contain_text("disk swap")
    expect(page.locator("#says")).not_to_contain_text("Resumed.")
    node.halt_file.unlink()
