"""The incident page with real brains: measuring, evidence, charts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.ui.browser import PHONE, Chromium
from tests.ui.conftest import Opener
from tests.ui.night import NightService
from tests.ui.plot import ALERTS

SOON_MS = 60_000
STORIES = ("verifying", "unknown")
Told = tuple[NightService, dict[str, int]]


@pytest.fixture(scope="module")
def told(
    tmp_path_factory: pytest.TempPathFactory, browser: Chromium
) -> Iterator[Told]:
    """Return a service with one incident measured, one handed over."""
    del browser
    with NightService(tmp_path_factory.mktemp("measured")) as running:
        running.tell(*(ALERTS[name] for name in STORIES))
        numbers = {name: running.number_of(ALERTS[name]) for name in STORIES}
        running.wait_for_stage(numbers["verifying"], "verifying")
        running.wait_for_job(numbers["unknown"], "succeeded")
        running.wait_for_stage(numbers["unknown"], "escalated")
        yield running, numbers


def test_what_is_measured_is_shown(told: Told, watched: Opener) -> None:
    """Readings as words and as a chart; unknown is no success."""
    node, numbers = told
    incident = numbers["verifying"]
    page = watched(node.url).page(f"/console/incidents/{incident}")
    expect(page.locator("#now-title")).to_contain_text("Measuring")
    expect(page.locator(".now")).to_contain_text("must be good for 50m")
    step = page.locator(".step", has_text="VERIFY")
    expect(step).to_have_attribute("data-state", "running")
    expect(step).to_contain_text("no verdict yet")
    expect(step).to_contain_text("0 of", timeout=SOON_MS)
    rows = step.get_by_role("region", name="Readings").locator("tbody tr")
    expect(rows.first).to_contain_text("bad", timeout=SOON_MS)
    chart = page.locator("sj-chart")
    expect(chart).to_contain_text("alert_is_over")
    expect(page.get_by_role("button", name="Approve")).to_be_hidden()


def test_marks_and_steps_light_each_other_up(
    told: Told, watched: Opener
) -> None:
    """Whoever points at a step sees its mark, and the other way round."""
    node, numbers = told
    incident = numbers["verifying"]
    page = watched(node.url).page(f"/console/incidents/{incident}")
    mark = page.locator("sj-chart .marks li", has_text="DECISION")
    expect(mark).to_be_visible(timeout=SOON_MS)
    page.locator(".step", has_text="DECISION").locator(".head").hover()
    expect(mark).to_have_class("lit")
    mark.get_by_role("button").hover()
    lit = page.locator(".step.lit")
    expect(lit).to_contain_text("DECISION")


def test_people_get_the_evidence(told: Told, watched: Opener) -> None:
    """Why they have it, what to do, and what was looked at, a click away."""
    node, numbers = told
    incident = numbers["unknown"]
    page = watched(node.url, viewport=PHONE).page(
        f"/console/incidents/{incident}"
    )
    box = page.locator(".now")
    expect(box).to_contain_text("With people")
    expect(box).to_contain_text("somebody must take it")
    expect(box).to_contain_text("Propose an action by hand")
    page.get_by_role("link", name="All that was collected").click()
    step = page.locator(".step.named")
    expect(step).to_contain_text("EVIDENCE")
    expect(step.locator("sj-log")).to_contain_text("top: blender")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
