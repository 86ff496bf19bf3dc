"""The brains: how each does, a test of one, and the switch with its way back.

Tests of one service: each leaves the brain that was there before it.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from app.models.account import Role
from tests.flow.acting import ActingService
from tests.ui.browser import PHONE, Chromium
from tests.ui.conftest import Opener
from tests.ui.dialogs import tab_to
from tests.ui.entering import enter_as
from tests.ui.inspecting import look

PATH = "/console/brains"
SOON_MS = 30_000
# Some of these tests make accounts, and the others need none.
ALWAYS = {"open": "always"}


@pytest.fixture(scope="module")
def node(
    tmp_path_factory: pytest.TempPathFactory, browser: Chromium
) -> Iterator[ActingService]:
    """Return a service that has decided once."""
    del browser  # without one nothing is started
    folder = tmp_path_factory.mktemp("brains")
    with ActingService(folder, access=ALWAYS) as running:
        running.decide_on("brain-01")
        yield running


@pytest.fixture
def settled(node: ActingService) -> Iterator[ActingService]:
    """Return the service; what a test set is taken back."""
    yield node
    nothing: dict[str, Any] = {"brain": None, "confidence": None}
    set_reins(node, thresholds=None, shadow=None, **nothing)


def set_reins(node: ActingService, **change: Any) -> None:
    """Set something as somebody else."""
    body = {"author": "bo", **change}
    answer = httpx.put(f"{node.url}/api/v1/reins", json=body, timeout=30)
    assert answer.is_success, answer.text


def row(page: Page, name: str) -> Any:
    """Return the line of a brain."""
    table = page.get_by_role("region", name="Brains", exact=True)
    return table.locator("tbody tr").filter(
        has=page.get_by_role("rowheader", name=name)
    )


def confirm(page: Page, text: str) -> None:
    """Say why, and confirm by keyboard."""
    page.get_by_label("Why?").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_have_count(0)


def test_each_brain_says_how_it_is(
    node: ActingService, watched: Opener
) -> None:
    """The live one first, those that are not configured as such."""
    page = watched(node.url).page(PATH)
    live = row(page, "fake")
    expect(live).to_contain_text("● decides")
    expect(live).to_contain_text("ms")
    expect(live).to_contain_text("ago")
    expect(row(page, "reflex")).to_contain_text("– on call")
    off = row(page, "ollama")
    expect(off).to_contain_text("○ not configured")
    expect(off.get_by_role("button")).to_have_count(0)
    expect(page.locator("#budgets")).to_contain_text("of 600 calls")
    expect(page.locator("#agreement")).to_contain_text("A shadow decides")
    assert look(page) == []


def test_a_test_shows_the_whole_answer_and_writes_nothing(
    node: ActingService, watched: Opener
) -> None:
    """Call, confidence, time, what else was weighed, and the grounding."""
    before = node.get("/status")["seq"]
    page = watched(node.url).page(PATH)
    page.get_by_role("button", name="Test reflex").click()
    tested = page.locator("#tested")
    expect(tested).to_contain_text("free_disk_space(", timeout=SOON_MS)
    expect(tested).to_contain_text("confidence 0.")
    expect(tested).to_contain_text("Also weighed")
    expect(tested).to_contain_text("labels.instance")
    expect(tested).to_contain_text("reflex, ")
    assert node.get("/status")["seq"] == before


def test_an_incident_and_a_pasted_alert_can_be_tested(
    node: ActingService, watched: Opener
) -> None:
    """What cannot be read is refused, and stays typed."""
    incident = node.get("/incidents")["items"][0]["id"]
    page = watched(node.url).page(PATH)
    number = page.get_by_label("Incident", exact=True)
    number.fill(str(incident))
    page.get_by_role("button", name="Test", exact=True).click()
    tested = page.locator("#tested")
    expect(tested).to_contain_text("brain-01", timeout=SOON_MS)
    number.fill("")
    page.get_by_text("The alert that is put to it").click()
    pasted = page.get_by_label("What it sends")
    pasted.fill('{"alerts": 3}')
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    expect(tested.locator(".bad")).to_be_visible(timeout=SOON_MS)
    expect(pasted).to_have_value('{"alerts": 3}')


def test_a_switch_shows_the_difference_and_the_way_back(
    settled: ActingService, watched: Opener
) -> None:
    """Nothing is set before it is confirmed; then it says who and what."""
    page = watched(settled.url).page(PATH)
    page.get_by_role("button", name="Let reflex decide").click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("brain: fake → reflex")
    expect(dialog).to_contain_text("on every node")
    page.keyboard.press("Escape")
    assert settled.get("/reins")["brain"] == "fake"
    page.get_by_role("button", name="Let reflex decide").click()
    confirm(page, "it looks at everything")
    expect(row(page, "reflex")).to_contain_text("● decides")
    main = page.locator("main")
    expect(main).to_contain_text("Changed by console")
    expect(main).to_contain_text('brain was fake ("it looks at everything")')
    expect(page.locator("#brain")).to_have_text("reflex", timeout=SOON_MS)
    page.get_by_role("button", name="Switch back").click()
    expect(dialog).to_contain_text("brain: reflex → fake")
    page.keyboard.press("Enter")
    expect(row(page, "fake")).to_contain_text("● decides")
    newest = settled.get("/log", kind="reins.changed")["items"][0]
    assert newest["body"]["comment"] == "switched back"
    assert newest["body"]["before"] == {"brain": "reflex"}
    assert newest["body"]["after"] == {"brain": "fake"}


def test_without_a_mouse(settled: ActingService, watched: Opener) -> None:
    """A brain is tested, switched to, and back, by Tab and Enter alone."""
    page = watched(settled.url).page(PATH)
    tab_to(page, page.get_by_role("button", name="Test reflex"))
    page.keyboard.press("Enter")
    expect(page.locator("#tested")).to_contain_text(
        "confidence 0.", timeout=SOON_MS
    )
    tab_to(page, page.get_by_role("button", name="Let reflex decide"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("brain: fake → reflex")
    page.keyboard.type("it looks at everything")
    page.keyboard.press("Enter")
    expect(row(page, "reflex")).to_contain_text("● decides")
    tab_to(page, page.get_by_role("button", name="Switch back"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("brain: reflex → fake")
    page.keyboard.press("Enter")
    expect(row(page, "fake")).to_contain_text("● decides")


def test_thresholds_are_set_by_keyboard(
    settled: ActingService, watched: Opener
) -> None:
    """The difference stands there before; taking it back is one button."""
    page = watched(settled.url).page(PATH)
    page.get_by_text("Least confidence of single actions").click()
    field = page.get_by_label("kill_process")
    save = page.get_by_role("button", name="Set it now")
    expect(save).to_be_disabled()
    field.fill("0.9")
    form = page.locator("#switch")
    expect(form).to_contain_text("thresholds: - → kill_process: 0.9")
    page.get_by_role("button", name="Take my changes back").click()
    expect(field).to_have_value("")
    field.fill("0.95")
    page.keyboard.press("Escape")
    page.keyboard.press("S")
    confirm(page, "it kills too much")
    expect(page.locator("main")).to_contain_text("kill_process from 95 % on")
    assert settled.get("/reins")["thresholds"] == {"kill_process": 0.95}


def test_who_comes_second_is_told_and_loses_nothing(
    settled: ActingService, watched: Opener
) -> None:
    """409: the page says who was first, and what was typed stays."""
    context = watched(settled.url)
    page = context.page(PATH)

    others: list[float] = [0.8]

    def be_first(route: Route) -> None:
        """Let somebody else be faster, once."""
        if route.request.method == "PUT" and others:
            set_reins(settled, confidence=others.pop())
        route.continue_()

    page.get_by_label("Shadow beside it").select_option("reflex")
    page.get_by_role("button", name="Set it now").click()
    page.route("**/api/v1/reins", be_first)
    confirm(page, "to compare")
    alert = page.locator("#says [role=alert]")
    expect(alert).to_contain_text("changed by bo")
    expect(page.get_by_label("Shadow beside it")).to_have_value("reflex")
    least = page.get_by_label("Least confidence (0 to 1)")
    expect(least).to_have_value("0.8")
    assert settled.get("/reins")["shadow"] == ""
    page.get_by_role("button", name="Set it now").click()
    confirm(page, "to compare")
    expect(row(page, "reflex")).to_contain_text("◐ shadow")
    reins = settled.get("/reins")
    assert (reins["shadow"], reins["confidence"]) == ("reflex", 0.8)


def test_what_others_set_comes_in_while_one_types(
    settled: ActingService, watched: Opener
) -> None:
    """Fields that nobody touched follow; the others stay."""
    page = watched(settled.url).page(PATH)
    page.get_by_label("Shadow beside it").select_option("reflex")
    set_reins(settled, confidence=0.7)
    least = page.get_by_label("Least confidence (0 to 1)")
    expect(least).to_have_value("0.7", timeout=SOON_MS)
    expect(page.get_by_label("Shadow beside it")).to_have_value("reflex")
    expect(page.locator("#changes")).to_contain_text("confidence: 0.4 -> 0.7")


def test_roles_have_their_buttons_and_no_others(
    node: ActingService, watched: Opener
) -> None:
    """A viewer sees, a responder tests as well, an admin sets."""
    viewer = enter_as(watched(node.url), node, Role.VIEWER, PATH)
    expect(row(viewer, "fake")).to_contain_text("● decides")
    expect(viewer.locator("main").get_by_role("button")).to_have_count(0)
    responder = enter_as(watched(node.url), node, Role.RESPONDER, PATH)
    expect(responder.get_by_role("button", name="Test reflex")).to_be_visible()
    expect(responder.locator("#switch")).to_have_count(0)
    expect(responder.get_by_role("button", name="Let")).to_have_count(0)


def test_it_fits_a_phone(node: ActingService, watched: Opener) -> None:
    """With an answer shown, too."""
    page = watched(node.url, viewport=PHONE).page(PATH)
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator("#tested")).to_contain_text("Asked", timeout=SOON_MS)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
