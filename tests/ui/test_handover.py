"""The morning's page: numbers, what is open, Markdown, paper."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.flow.acting import ActingService
from tests.flow.deciding import firing
from tests.service import Service
from tests.ui.browser import PHONE, go
from tests.ui.conftest import Opener
from tests.ui.inspecting import look

TITLE = "[x](javascript:alert(1)) <b>*disk*</b> | \u202egnp"
OPEN = "Still open, and who has it"


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActingService]:
    """Return a service that did one thing, and has two problems left."""
    with ActingService(tmp_path_factory.mktemp("handover")) as running:
        asked = running.ask_about("web-1")
        running.answer(asked["id"], "grant").raise_for_status()
        running.wait_for_job(asked["incident"], "succeeded")
        running.post(
            f"/incidents/{asked['incident']}/owner",
            {"author": "bo", "owner": "bo"},
        ).raise_for_status()
        alert = firing("web-2", severity="critical")
        alert["annotations"]["summary"] = TITLE
        running.fire(alert)
        running.wait_for(lambda: len(running.get("/incidents")["items"]) == 2)
        yield running


def test_a_night_on_one_page(night: ActingService, watched: Opener) -> None:
    """Numbers, what is open and who has it, what was done, who did it."""
    page = watched(night.url).page("/console/handover")
    numbers = page.locator("dl.numbers")
    opened = numbers.locator("div").filter(has_text="incidents opened")
    expect(opened.locator("dd")).to_have_text("2")
    rows = page.get_by_role("region", name=OPEN).locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("critical")
    expect(rows.first).to_contain_text("! nobody")
    expect(rows.last).to_contain_text("bo")
    done = page.get_by_role("region", name="What was done")
    expect(done).to_contain_text("collect_diagnostics(")
    expect(done).to_contain_text("succeeded")
    said = page.get_by_role("region", name="What people said")
    expect(said).to_contain_text("bo")
    expect(page.locator("main")).to_contain_text("Nothing is muted.")
    rows.last.get_by_role("link").first.click()
    page.wait_for_url("**/console/incidents/1")


def test_the_night_is_in_the_address(
    night: ActingService, watched: Opener
) -> None:
    """By a key, by own times, and back again as browsers go back."""
    page = watched(night.url).page("/console/handover")
    page.keyboard.press("3")
    page.wait_for_url("**/console/handover?span=24h")
    pressed = page.locator("#span [aria-pressed=true]")
    expect(pressed).to_contain_text("Last 24 h")
    page.get_by_label("from").fill("2020-01-01T22:00")
    page.get_by_label("until").fill("2020-01-02T08:00")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("since=2020-01-01T22"))
    expect(page.locator("#which")).to_contain_text("2020-01-02 08:00:00")
    expect(pressed).to_have_count(0)
    page.go_back()
    expect(pressed).to_contain_text("Last 24 h")
    page.reload(wait_until="commit")
    page.wait_for_selector("html[data-ready='true']")
    expect(pressed).to_contain_text("Last 24 h")


def test_times_that_are_none_are_refused_in_words(
    night: ActingService, watched: Opener
) -> None:
    """The page keeps what it shows, and says what is wrong."""
    page = watched(night.url).page("/console/handover?span=24h")
    page.get_by_label("from").fill("2020-01-01T22:00")
    page.get_by_label("until").fill("")
    page.get_by_role("button", name="Show").click()
    alert = page.locator("#says [role=alert]")
    expect(alert).to_contain_text("longer than 31 days")
    expect(page.get_by_label("from")).to_have_value("2020-01-01T22:00")
    expect(page.locator("dl.numbers")).to_be_visible()


def test_it_is_copied_as_markdown(
    night: ActingService, watched: Opener
) -> None:
    """One key; texts of strangers are no links and no marks there."""
    opener = watched(night.url)
    opener.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = opener.page("/console/handover")
    page.keyboard.press("c")
    expect(page.locator("#says")).to_contain_text("Copied.")
    text = str(page.evaluate("navigator.clipboard.readText()"))
    assert text.startswith("# Handover\n")
    assert "- incidents opened: 2\n" in text
    assert f"[1]({night.url}/console/incidents/1)" in text
    assert "nobody has it" in text
    hostile = next(line for line in text.splitlines() if "disk" in line)
    assert r"\[x\](javascript:alert(1))" in hostile
    assert r"\<b\>\*disk\*\</b\> \|" in hostile
    assert r"\\u202egnp" in hostile or r"\u202egnp" in hostile
    assert "\u202e" not in text
    assert "# What people said" in text


def test_a_quiet_night_is_a_fine_answer(
    tmp_path: Path, watched: Opener
) -> None:
    """It is said, instead of fifteen zeros; what comes later is told."""
    with Service(tmp_path) as quiet:
        page = watched(quiet.url).page("/console/handover?span=night")
        expect(page.locator(".quiet-night")).to_contain_text(
            "Nothing happened."
        )
        expect(page.locator("dl.numbers")).to_have_count(0)
        page.wait_for_selector("#live[data-state=live]")
        httpx.put(
            f"{quiet.url}/api/v1/halt",
            json={"author": "ana", "reason": "a test", "halted": True},
        ).raise_for_status()
        anew = page.get_by_role("button", name="put it together anew")
        expect(anew).to_be_visible()


def test_everybody_can_use_it(night: ActingService, watched: Opener) -> None:
    """Names, headings and contrast; on a phone nothing is too wide."""
    for light in ("dark", "light"):
        page = watched(night.url, color_scheme=light).page("/console/handover")
        page.wait_for_selector("#live[data-state=live]")
        assert look(page) == []
    page = watched(night.url, viewport=PHONE).page("/console/handover")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]


def test_on_paper_is_what_matters(
    night: ActingService, watched: Opener
) -> None:
    """No header, no buttons; the numbers and the tables stay."""
    page = watched(night.url).page()
    page.emulate_media(media="print")
    go(page, "/console/handover")
    expect(page.locator("dl.numbers")).to_be_visible()
    expect(page.get_by_role("region", name=OPEN)).to_be_visible()
    expect(page.locator("#head")).to_be_hidden()
    expect(page.locator("#span")).to_be_hidden()
