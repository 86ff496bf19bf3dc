"""The metrics screen: numbers, charts, one time for all of them."""

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.service import OPEN, Service
from tests.ui.browser import PHONE, go
from tests.ui.conftest import Opener

PATH = "/console/metrics"
# The first values that need two looks come after ten seconds.
SOON_MS = 60_000
WATCH = {
    "enabled": True,
    "every_seconds": 1,
    "thresholds": {
        name: {"enabled": False}
        for name in ("cpu", "load", "memory", "disk", "process_cpu",
                     "process_memory", "swap", "pressure_cpu",
                     "pressure_memory", "pressure_io", "network",
                     "temperature", "service", "zombies", "open_files",
                     "clock")
    },
}  # fmt: skip


def incidents(service: Service) -> list[Any]:
    """Return what was made of the alerts."""
    told = httpx.get(f"{service.url}/api/v1/incidents", timeout=30).json()
    return list(told["items"])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service that watches its machine, with an incident."""
    settings = {
        "watch": WATCH,
        "sources": {
            "alertmanager": OPEN,
            "generic": OPEN,
            "watch": {"type": "alertmanager", **OPEN},
        },
    }
    folder = tmp_path_factory.mktemp("metrics")
    with Service(folder, settings) as running:
        body = {"name": "HighCpu", "labels": {"host": "web-1"}}
        sent = httpx.post(f"{running.url}/webhooks/generic", json=body)
        sent.raise_for_status()
        deadline = time.monotonic() + SOON_MS / 1e3
        while not incidents(running):
            assert time.monotonic() < deadline, "never an incident"
            time.sleep(0.05)
        yield running


def chart(page: Page, title: str) -> "re.Pattern[str]":
    """Return what the name of a chart's picture begins with."""
    del page
    return re.compile(rf"^{re.escape(title)}\.")


def test_numbers_and_charts_are_there_and_live(
    service: Service, watched: Opener
) -> None:
    """They fill by themselves while one looks."""
    page = watched(service.url).page(PATH)
    for title in ("Alerts taken", "Time to decision", "Queues", "CPU",
                  "Memory", "Database", "CPU of the machine"):  # fmt: skip
        expect(page.get_by_role("img", name=chart(page, title))).to_have_count(
            1
        )
    numbers = page.locator(".numbers")
    expect(numbers).to_contain_text("alerts")
    expect(numbers).to_contain_text(" /s", timeout=SOON_MS)
    expect(page.locator("#as-of")).to_contain_text("live, as of")
    memory = page.get_by_role("img", name=chart(page, "Memory"))
    expect(memory).to_have_attribute(
        "aria-label", re.compile("now .* MiB"), timeout=SOON_MS
    )
    expect(page.locator("#nodes")).to_contain_text(str(service.port))
    # Nobody decided anything: that is unknown, and no zero.
    decided = page.get_by_role("img", name=chart(page, "Time to decision"))
    expect(decided).to_have_attribute("aria-label", re.compile("no values"))


def test_the_past_days_are_a_table(service: Service, watched: Opener) -> None:
    """Today first, with what was opened."""
    page = watched(service.url).page(PATH)
    days = page.get_by_role("table").filter(has_text="fixed by machine")
    expect(days.locator("tbody tr")).to_have_count(14)
    today = days.locator("tbody tr").first
    expect(today.locator("td").first).to_have_text("1")


def test_the_range_is_in_the_address(
    service: Service, watched: Opener
) -> None:
    """A key changes it, and a link brings it back."""
    context = watched(service.url)
    page = context.page(PATH)
    ranges = page.get_by_role("group", name="Span")
    pressed = ranges.locator("[aria-pressed=true]")
    expect(pressed).to_contain_text("1h")
    page.keyboard.press("1")
    expect(pressed).to_contain_text("15m")
    expect(page).to_have_url(re.compile(r"range=15m"))
    ranges.get_by_role("button", name="24h").click()
    expect(page).to_have_url(re.compile(r"range=24h"))
    other = context.page(page.url.removeprefix(service.url))
    other_span = other.get_by_role("group", name="Span")
    expect(other_span.locator("[aria-pressed=true]")).to_contain_text("24h")


def test_space_holds_and_goes_on(service: Service, watched: Opener) -> None:
    """What is held stays, and can be sent to somebody else."""
    context = watched(service.url)
    page = context.page(f"{PATH}?range=15m")
    page.keyboard.press("Space")
    as_of = page.locator("#as-of")
    expect(as_of).to_contain_text("held at")
    expect(page.locator("#hold")).to_contain_text("Go live")
    held = as_of.inner_text()
    assert "until=" in page.url
    page.wait_for_function(
        """() => { globalThis.begun ??= performance.now();
        return performance.now() - begun > 6000; }"""
    )
    assert as_of.inner_text() == held
    other = context.page(page.url.removeprefix(service.url))
    expect(other.locator("#as-of")).to_have_text(held)
    page.keyboard.press("Space")
    expect(as_of).to_contain_text("live")
    assert "until=" not in page.url


def test_one_time_for_all_charts(service: Service, watched: Opener) -> None:
    """The cursor of one is the cursor of the others; keys move it."""
    page = watched(service.url).page(f"{PATH}?range=15m")
    page.keyboard.press("Space")
    memory = page.get_by_role("img", name=chart(page, "Memory"))
    expect(memory).to_have_attribute(
        "aria-label", re.compile("now"), timeout=SOON_MS
    )
    memory.focus()
    page.keyboard.press("ArrowLeft")
    figure = page.locator("sj-chart").filter(has=memory)
    spoken = figure.get_by_role("status")
    expect(spoken).to_contain_text("MiB")
    moment = figure.locator(".when").inner_text()
    other = page.locator("sj-chart").filter(
        has=page.get_by_role("img", name=chart(page, "Queues"))
    )
    expect(other.locator(".when")).to_have_text(moment)


def test_only_what_is_new_is_asked_for(
    service: Service, watched: Opener
) -> None:
    """The whole span once, then a few columns each time."""
    context = watched(service.url)
    page = context.page(f"{PATH}?range=15m")

    def asked() -> list[int]:
        """Return how many columns each question wanted."""
        return [
            int(points.group(1))
            for line in context.asked
            if "/meters?" in line
            and (points := re.search(r"points=(\d+)", line))
        ]

    with page.expect_response(re.compile("/meters[?]"), timeout=SOON_MS):
        pass
    many = asked()
    assert many[0] == 180
    assert max(many[1:], default=0) < 60


def test_a_service_that_is_gone_is_told_in_place(
    tmp_path_factory: pytest.TempPathFactory, watched: Opener
) -> None:
    """No box for each try: one line says that what is shown is older."""
    with Service(tmp_path_factory.mktemp("gone")) as running:
        page = watched(running.url).page(PATH)
        expect(page.get_by_text("set watch.enabled")).to_be_visible()
        running.kill()
        gone = page.locator("#as-of.bad")
        expect(gone).to_contain_text("cannot be reached", timeout=SOON_MS)
        expect(page.locator("#says .box")).to_have_count(0)


def test_on_a_phone_nothing_is_cut(service: Service, watched: Opener) -> None:
    """One chart below the other, as wide as the page."""
    page = watched(service.url, viewport=PHONE).context.new_page()
    go(page, PATH)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.get_by_role("heading", level=1)).to_have_text("Metrics")
    levels = page.eval_on_selector_all(
        "h1, h2, h3", "(all) => all.map((one) => Number(one.tagName[1]))"
    )
    assert levels[0] == 1
    assert set(levels[1:]) == {2}
