"""The policy: what is in force, what another would say, what was changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.models.account import Role
from tests.flow.acting import ActingService
from tests.ui.browser import PHONE, Chromium, go
from tests.ui.conftest import Opener
from tests.ui.entering import enter_as
from tests.ui.inspecting import look

PATH = "/console/policy"
SOON_MS = 30_000
# Some of these tests make accounts, and the others need none.
ALWAYS = {"open": "always"}
AUTO = "trust: {ladder: [], otherwise: auto}\n"
MARKUP = "<img src=x onerror=window.pwned=1>"


@pytest.fixture(scope="module")
def node(
    tmp_path_factory: pytest.TempPathFactory, browser: Chromium
) -> Iterator[ActingService]:
    """Return a service that has asked about one call."""
    del browser  # without one nothing is started
    folder = tmp_path_factory.mktemp("policy")
    with ActingService(folder, access=ALWAYS) as running:
        running.ask_about("pol-01")
        yield running


@pytest.fixture
def alone(tmp_path: Path, browser: Chromium) -> Iterator[ActingService]:
    """Return a service of its own, whose files a test changes."""
    del browser
    with ActingService(tmp_path) as running:
        yield running


def try_it(page: Page, text: str) -> None:
    """Try a policy by keyboard."""
    page.get_by_label("Policy, as YAML").fill(text)
    page.keyboard.press("Escape")
    page.keyboard.press("d")


def test_what_is_in_force_is_shown(
    node: ActingService, watched: Opener
) -> None:
    """Rules, ladder, limits, what is protected, version and file."""
    page = watched(node.url).page(PATH)
    main = page.locator("main")
    expect(main).to_contain_text(node.get("/policy")["version"])
    rules = page.get_by_role("region", name="Rules", exact=True)
    expect(rules).to_contain_text("destructive-needs-two")
    expect(rules).to_contain_text("? ask")
    expect(page.locator("#ladder")).to_contain_text("? approve")
    limits = page.locator("#limits")
    expect(limits).to_contain_text("at most 1000 targets in 1h")
    expect(limits).to_contain_text("action and target")
    expect(page.locator("#changes")).to_contain_text("It has not changed")
    assert look(page) == []


def test_a_trial_says_which_verdicts_would_change(
    node: ActingService, watched: Opener
) -> None:
    """Before and after, with the incident; the policy stays as it is."""
    before = node.get("/policy")["version"]
    page = watched(node.url).page(PATH)
    text = page.get_by_label("Policy, as YAML")
    expect(text).to_have_value(
        (node.folder / "policy.yaml").read_text(), timeout=SOON_MS
    )
    try_it(page, AUTO)
    tried = page.locator("#tried")
    expect(tried).to_contain_text("It would change 1 verdict")
    row = tried.locator("tbody tr")
    expect(row).to_contain_text("? ask")
    expect(row).to_contain_text("→ ✓ allow")
    incident = node.get("/incidents")["items"][0]["id"]
    link = row.get_by_role("link")
    expect(link).to_have_attribute("href", f"/console/incidents/{incident}")
    assert node.get("/policy")["version"] == before
    try_it(page, text.input_value().replace("auto", "approve"))
    expect(tried).to_contain_text("It would change no verdict")


def test_what_is_no_policy_stays_typed(
    node: ActingService, watched: Opener
) -> None:
    """All that is wrong is told with its line; nothing typed is lost."""
    page = watched(node.url).page(PATH)
    wrong = f"zone: UTC\nrules: 3\n# {MARKUP}\n"
    try_it(page, wrong)
    tried = page.locator("#tried")
    expect(tried).to_contain_text("policy:2: rules")
    expect(page.get_by_label("Policy, as YAML")).to_have_value(wrong)
    page.get_by_role("button", name="Take the file again").click()
    expect(page.get_by_label("Policy, as YAML")).not_to_have_value(wrong)
    assert page.evaluate("window.pwned") is None


def test_it_says_how_a_change_is_saved(
    node: ActingService, watched: Opener
) -> None:
    """In the file; there is no button for it."""
    page = watched(node.url).page(PATH)
    page.get_by_text("How to save a change").click()
    expect(page.locator("#try")).to_contain_text("main.py check-config")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)


def test_a_file_that_waits_for_a_restart_is_told(
    alone: ActingService, watched: Opener
) -> None:
    """Before it: that it differs, or is none; after it: the difference."""
    file = alone.folder / "policy.yaml"
    held = file.read_text()
    context = watched(alone.url)
    page = context.page(PATH)
    expect(page.get_by_text("The file on disk")).to_have_count(0)
    file.write_text("rules: 3\n")
    go(page, PATH)
    expect(page.get_by_text("The file on disk is no policy")).to_be_visible()
    file.write_text(held.replace("targets: 1000", "targets: 7"))
    go(page, PATH)
    expect(page.get_by_text("says something else")).to_be_visible()
    alone.stop()
    alone.start()
    alone.wait_for(lambda: alone.get("/log", kind="policy.changed")["items"])
    go(page, PATH)
    changes = page.locator("#changes")
    changes.locator("summary").click()
    expect(changes).to_contain_text("-  targets: 1000")
    expect(changes).to_contain_text("+  targets: 7")
    expect(page.get_by_text("The file on disk")).to_have_count(0)


def test_a_viewer_cannot_try(node: ActingService, watched: Opener) -> None:
    """All is shown; neither the form nor its key is there."""
    page = enter_as(watched(node.url), node, Role.VIEWER, PATH)
    expect(
        page.get_by_role("region", name="Rules", exact=True)
    ).to_be_visible()
    expect(page.locator("main textarea")).to_have_count(0)
    expect(page.get_by_role("button", name="Try it")).to_have_count(0)
    assert page.context.request.get("/api/v1/policy/text").status == 403


def test_it_fits_a_phone(node: ActingService, watched: Opener) -> None:
    """Wide tables scroll in their own boxes."""
    page = watched(node.url, viewport=PHONE).page(PATH)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
