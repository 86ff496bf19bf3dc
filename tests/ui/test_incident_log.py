"""The output of a job: windowed, folded, searched, linked, followed."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.flow.acting import ActingService
from tests.ui.browser import Chromium, go
from tests.ui.conftest import Opener

SOON_MS = 30_000
MANY = 100_000
TASKS = 100
BIDI = "\u202eevil\u202c"
SMALL = (
    "PLAY [all] ****\n2026-11-21T02:14:02Z ok: first\n"
    "::group::set up <b>bold</b>\n\x1b[32mgreen\x1b[0m\n::endgroup::\n"
    f"{BIDI} <img src=x onerror=window.pwned=1>\n"
)


def _text() -> str:
    """Return a long output with sections, one of which failed."""
    lines = []
    for number in range(MANY):
        if number % (MANY // TASKS) == 0:
            lines.append(f"TASK [part {number // (MANY // TASKS)}] ****")
        elif number == MANY // 2 + 7:
            lines.append("fatal: [web-01]: FAILED! => it does not start")
        else:
            lines.append(f"ok: {number:06d}")
    return "\n".join(lines) + "\n"


class Output:
    """What a job is to have written, told in ranges as the API does it.

    Attributes:
        text: all of it until now.
        has_ended: whether nothing more comes.
        asked: the offsets that were asked for.
    """

    def __init__(self, text: str, *, has_ended: bool = True) -> None:
        self.text = text
        self.has_ended = has_ended
        self.asked: list[int] = []

    def answer(self, route: Route) -> None:
        """Answer for a range."""
        query = parse_qs(urlsplit(route.request.url).query)
        offset, limit = int(query["offset"][0]), int(query["limit"][0])
        self.asked.append(offset)
        written = self.text.encode()
        part = written[offset : offset + limit].decode(errors="ignore")
        told = {
            "job": 1,
            "offset": offset,
            "text": part,
            "next_offset": offset + len(part.encode()),
            "output_bytes": len(written),
            "is_cut": False,
            "has_ended": self.has_ended,
        }
        route.fulfill(json=told)


@pytest.fixture(scope="module")
def node(
    tmp_path_factory: pytest.TempPathFactory, browser: Chromium
) -> Iterator[ActingService]:
    """Return a service with a job that goes on."""
    del browser
    with ActingService(tmp_path_factory.mktemp("log"), "slow") as running:
        asked = running.ask_about("log-01")
        assert running.answer(asked["id"], "grant").is_success
        running.wait_for_job(asked["incident"], "started")
        yield running


def open_log(page: Page, output: Output, hash_: str = "") -> Locator:
    """Open the page of the job, whose output is told by a test."""
    page.route("**/api/v1/jobs/*/output?*", output.answer)
    go(page, f"/console/incidents/1{hash_}")
    log = page.locator("sj-log")
    expect(log.locator(".line").first).to_be_visible(timeout=SOON_MS)
    return log


def test_a_hundred_thousand_lines_are_few_elements(
    node: ActingService, watched: Opener
) -> None:
    """All can be reached, folded; the failed section is open by itself."""
    page = watched(node.url).page()
    log = open_log(page, Output(_text()))
    expect(log).to_contain_text("100,000 lines; that is all", timeout=SOON_MS)
    failed = log.get_by_role("button", name="failed: TASK [part 50]")
    view = log.locator(".window")
    view.evaluate("(one) => { one.scrollTop = 50 * 20 - 100; }")
    expect(failed).to_have_attribute("aria-expanded", "true")
    expect(log).to_contain_text("FAILED! => it does not start")
    closed = log.get_by_role("button", name="TASK [part 49]")
    expect(closed).to_have_attribute("aria-expanded", "false")
    log.get_by_role("button", name="Open all").click()
    for part in (0.0, 0.3, 0.61, 0.99):
        view.evaluate(
            "(one, part) => { one.scrollTop = one.scrollHeight * part; }",
            part,
        )
        number = int(MANY * part) + 1
        line = log.locator(f"[data-line='{number}']")
        expect(line).to_be_attached()
        assert log.locator(".line").count() < 120
    log.get_by_role("button", name="Only failed").click()
    view.evaluate("(one) => { one.scrollTop = 0; }")
    expect(log.get_by_role("button", name="TASK [part 0]")).to_have_attribute(
        "aria-expanded", "false"
    )


def test_search_finds_what_is_folded(
    node: ActingService, watched: Opener
) -> None:
    """A word in a folded section is found, opened and shown."""
    page = watched(node.url).page()
    log = open_log(page, Output(_text()))
    expect(log).to_contain_text("100,000 lines", timeout=SOON_MS)
    search = log.get_by_role("searchbox")
    search.fill("ok: 09876")
    expect(log.get_by_role("status")).to_have_text("1 of 10")
    search.press("Enter")
    expect(log.get_by_role("status")).to_have_text("2 of 10")
    marked = log.locator(".line.marked")
    expect(marked).to_contain_text("ok: 098761")
    expect(marked.locator("mark")).to_have_text("ok: 09876")
    search.press("Shift+Enter")
    expect(marked).to_contain_text("ok: 098760")
    search.fill("this is nowhere")
    expect(log.get_by_role("status")).to_have_text("nowhere")
    search.press("Escape")
    expect(search).to_have_value("")


def test_a_line_has_an_address(node: ActingService, watched: Opener) -> None:
    """It opens the step and the section, and shows the line."""
    page = watched(node.url).page()
    open_log(page, Output(_text()), "#job-1-L77778")
    marked = page.locator("sj-log .line.marked")
    expect(marked).to_contain_text("ok: 077777", timeout=SOON_MS)
    expect(marked).to_be_in_viewport()
    marked.locator("xpath=following-sibling::div").first.locator("a").click()
    assert "-L" in page.url


def test_all_of_it_can_be_taken_along(
    node: ActingService, watched: Opener
) -> None:
    """Raw is every byte, as the API has it."""
    page = watched(node.url).page()
    output = Output(_text())
    log = open_log(page, output)
    expect(log).to_contain_text("100,000 lines", timeout=SOON_MS)
    # By range, each part once.
    assert output.asked == sorted(set(output.asked))
    with page.expect_download() as saved:
        page.get_by_role("button", name="Raw", exact=True).click()
    assert saved.value.path().read_text() == _text()


def test_output_comes_as_it_is_written(
    node: ActingService, watched: Opener
) -> None:
    """It is followed until one scrolls up; then nothing jumps."""
    page = watched(node.url).page()
    output = Output("begun\n" * 100, has_ended=False)
    log = open_log(page, output)
    follow = log.get_by_role("button", name="Follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    log.scroll_into_view_if_needed()
    output.text += "half of a "
    output.text += "line\n"
    last = log.get_by_text("half of a line", exact=True)
    expect(last).to_be_in_viewport(timeout=SOON_MS)
    view = log.locator(".window")
    view.hover()
    page.mouse.wheel(0, -300)
    expect(follow).to_have_attribute("aria-pressed", "false")
    top = view.evaluate("(one) => one.scrollTop")
    output.text += "more\n" * 50
    expect(log).to_contain_text("151 lines; more may come", timeout=SOON_MS)
    assert view.evaluate("(one) => one.scrollTop") == top
    follow.click()
    expect(follow).to_have_attribute("aria-pressed", "true")
    expect(log.locator("[data-line='150']")).to_be_in_viewport()
    output.has_ended = True
    expect(log).to_contain_text("that is all", timeout=SOON_MS)
    expect(follow).to_be_hidden()


def test_output_is_text_whatever_it_holds(
    node: ActingService, watched: Opener
) -> None:
    """Markup, colours and turned letters steer nothing; times can go."""
    page = watched(node.url).page()
    log = open_log(page, Output(SMALL))
    log.locator(".window").evaluate("(one) => { one.scrollTop = 0; }")
    expect(log).to_contain_text("set up <b>bold</b>")
    expect(log).to_contain_text("‹U+202E›evil‹U+202C› <img src=x")
    assert "\u202e" not in log.inner_text()
    assert page.evaluate("window.pwned") is None
    assert log.locator("img, b").count() == 0
    green = log.locator(".line", has_text="green")
    assert green.locator(".text").inner_text() == "green"
    first = log.locator(".line", has_text="ok: first")
    expect(first).to_contain_text("2026-11-21T02:14:02Z")
    log.get_by_role("button", name="Times").click()
    expect(first).not_to_contain_text("2026-11-21T02:14:02Z")


def test_output_that_does_not_come_is_said_and_asked_for_again(
    node: ActingService, watched: Opener
) -> None:
    """What shows it comes by itself: all else is there without it."""
    one = watched(node.url)
    page = one.page()
    page.route("**/js/el/log/lines.js", lambda route: route.abort())
    go(page, "/console/incidents/1")
    expect(page.locator("#now-title")).to_contain_text("Acting")
    step = page.locator(".step", has_text="JOB")
    flaw = step.get_by_text("A part of this page could not be loaded")
    expect(flaw).to_be_visible()
    # Whoever does not see it hears it.
    expect(page.get_by_role("alert").filter(has_text="A part")).to_be_visible()
    page.unroute("**/js/el/log/lines.js")
    # What happens meanwhile changes nothing about it.
    told = node.post("/incidents/1/notes", {"author": "ana", "text": "hm"})
    assert told.is_success
    expect(page.locator(".timeline")).to_contain_text("hm")
    expect(flaw).to_be_visible()
    step.get_by_role("button", name="Try again").click()
    expect(step.locator("sj-log .line").first).to_be_visible()
    expect(flaw).to_have_count(0)
    # Whoever mends it finds the cause in the console.
    assert one.wrong
    assert all("dynamically imported module" in text for text in one.wrong)
    one.wrong.clear()


def test_the_box_does_not_wait_for_what_is_below_it(
    node: ActingService, watched: Opener
) -> None:
    """However long a part takes, the page says what to do meanwhile."""
    page = watched(node.url).page()
    held: list[Route] = []

    def hold(route: Route) -> None:
        """Let it wait."""
        held.append(route)

    page.route("**/js/el/log.js", hold)
    go(page, "/console/incidents/1")
    expect(page.locator("#now-title")).to_contain_text("Acting")
    step = page.locator(".step", has_text="JOB")
    expect(step).to_contain_text("It is fetched ...")
    held[0].continue_()
    expect(step.locator("sj-log .line").first).to_be_visible()
    expect(step).not_to_contain_text("It is fetched ...")
