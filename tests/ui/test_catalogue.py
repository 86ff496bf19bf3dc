"""The catalogue: what may be done, how far it is trusted, and why."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from playwright.sync_api import Page, expect

from app.api.catalogue import PlacedActionView
from app.bootstrap import Product
from app.models.action import ActionSpec
from tests.flow.acting import ActingService, ObservingService
from tests.ui.browser import PHONE, Chromium
from tests.ui.conftest import Opener
from tests.ui.inspecting import look

PATH = "/console/catalogue"
SOON_MS = 30_000


@pytest.fixture(scope="module")
def node(
    tmp_path_factory: pytest.TempPathFactory, browser: Chromium
) -> Iterator[ActingService]:
    """Return a service that asks about whatever it would do."""
    del browser  # without one nothing is started
    with ActingService(tmp_path_factory.mktemp("catalogue")) as running:
        yield running


@pytest.fixture
def observing(tmp_path: Path, browser: Chromium) -> Iterator[ObservingService]:
    """Return a service that only says what it would do."""
    del browser  # without one nothing is started
    with ObservingService(tmp_path) as running:
        yield running


def shown(page: Page) -> list[str]:
    """Return the actions that are in sight."""
    names = page.locator("#actions details:not([hidden]) .name")
    return names.all_inner_texts()


def test_every_action_says_all_about_itself(
    node: ActingService, watched: Opener
) -> None:
    """Purpose, parameters and their origins, check, undo, budget, digest."""
    page = watched(node.url).page(f"{PATH}#restart_service")
    box = page.locator("#restart_service")
    expect(box).to_have_attribute("open", "")
    spec = node.get("/catalogue/restart_service")
    for text in (
        spec["spec"]["purpose"],
        spec["spec"]["when_to_use"],
        spec["spec"]["when_not_to_use"],
        spec["digest"],
        "the inventory (service)",
        "2 runs in 1h on one target",
        "10m on one target",
        "service_is_active: good for 2m",
    ):
        expect(box).to_contain_text(text)
    focused = "document.activeElement.closest('details').id"
    assert page.evaluate(focused) == "restart_service"
    assert look(page) == []
    page.evaluate("location.hash = 'free_disk_space'")
    expect(page.locator("#free_disk_space")).to_have_attribute("open", "")


def test_words_narrow_the_list(node: ActingService, watched: Opener) -> None:
    """By keyboard; the address keeps them; nothing found says so."""
    page = watched(node.url).page(PATH)
    everything = [one["name"] for one in node.get("/catalogue")["actions"]]
    assert shown(page) == everything
    page.keyboard.press("/")
    page.keyboard.type("restart contAINER")
    expect(page.locator(".tools")).to_contain_text("1 of 9 actions")
    assert shown(page) == ["restart_container"]
    assert "q=restart+contAINER" in page.url
    page.reload()
    page.wait_for_selector("html[data-ready='true']")
    assert "no_action" not in shown(page)
    page.get_by_label("Search").fill("no such thing")
    expect(page.locator("#no-action")).to_be_visible()
    assert shown(page) == []


def test_an_action_opens_by_keyboard(
    node: ActingService, watched: Opener
) -> None:
    """Tab comes to its line, Enter opens and folds it."""
    page = watched(node.url).page(PATH)
    page.get_by_label("Search").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    first = page.locator("#actions details").first
    expect(first).to_have_attribute("open", "")
    page.keyboard.press("Enter")
    expect(first).not_to_have_attribute("open", "")


def test_what_people_answer_moves_the_trust(
    node: ActingService, watched: Opener
) -> None:
    """Live: the counts, the interval, and what is missing for a step."""
    page = watched(node.url).page(f"{PATH}#collect_diagnostics")
    box = page.locator("#collect_diagnostics")
    expect(box).to_contain_text("Nobody answered a question about it")
    expect(box).to_contain_text("scripted: quick ● on")
    asked = node.ask_about("cat-01")
    assert node.answer(asked["id"], "grant").status_code == 200
    expect(box).to_contain_text(
        "people agreed 1 of 1 times (95 %: 21 % to 100 %)", timeout=SOON_MS
    )
    expect(box).to_contain_text("19 more answers are needed")
    expect(box).to_have_attribute("open", "")
    row = page.locator("tr", has_text="collect_diagnostics").last
    expect(row).to_contain_text("? approve")


def test_what_was_observed_can_be_judged(
    observing: ObservingService, watched: Opener
) -> None:
    """It says that nobody is asked, and how to be heard; then the counts."""
    number = observing.decide_on("cat-02")["incident"]
    observing.wait_for(lambda: observing.get("/trust")["items"])
    page = watched(observing.url).page(f"{PATH}#collect_diagnostics")
    box = page.locator("#collect_diagnostics")
    expect(box).to_contain_text("observe: nobody is asked, and nobody has")
    expect(box).to_contain_text("--about action --right ACTION")
    word = {"about": "action", "correct": "collect_diagnostics"}
    body = {"author": "ana", "text": "so did I", **word}
    said = observing.post(f"/incidents/{number}/corrections", body)
    assert said.status_code == 201
    expect(box).to_contain_text(
        "observe: people agreed 1 of 1 times", timeout=SOON_MS
    )


def test_it_fits_a_phone(node: ActingService, watched: Opener) -> None:
    """With an action open: nothing is wider than the screen."""
    page = watched(node.url, viewport=PHONE).page(f"{PATH}#restart_service")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]


def test_an_action_of_a_file_is_told_from_ours() -> None:
    """By its name; and whether its backend is configured here."""
    spec = ActionSpec.model_validate(
        {
            "name": "flush_cache",
            "purpose": "Empty the cache.",
            "when_to_use": "When it is stale.",
            "when_not_to_use": "At peak hours.",
            "risk": "observe",
            "run": {"backend": "webhook", "job": "flush"},
            "otherwise": [{"backend": "awx", "job": "flush"}],
        }
    )
    acting = SimpleNamespace(backends={"awx": None})
    product = cast(Product, SimpleNamespace(acting=acting))
    view: Any = PlacedActionView.placed(spec, product)
    assert view.origin == "file"
    assert [(one.backend, one.is_on) for one in view.ways] == [
        ("webhook", False),
        ("awx", True),
    ]
