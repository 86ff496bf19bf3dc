"""Keys that are held down, and a palette while the page goes on."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.ui.browser import Chromium
from tests.ui.conftest import Opener
from tests.ui.night import Night, NightService, fill_night

# With the first one an even number: what is switched is as it was.
MORE = 3


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, browser: Chromium
) -> Iterator[NightService]:
    """Return a service that runs through a night."""
    del browser  # without one nothing is started
    with NightService(tmp_path_factory.mktemp("held")) as running:
        yield running


@pytest.fixture(scope="module")
def night(service: NightService) -> Night:
    """Return the incidents of the night by their names."""
    return fill_night(service)


def hold(page: Page, key: str) -> None:
    """Press a key and keep it down for a while, as a tired hand does."""
    for _ in range(1 + MORE):
        page.keyboard.down(key)
    page.evaluate("new Promise((done) => requestAnimationFrame(done))")
    page.keyboard.up(key)


@pytest.mark.parametrize("way", ["button", "palette"])
def test_enter_that_is_held_approves_nothing(
    service: NightService, night: Night, watched: Opener, way: str
) -> None:
    """It opens the question, and does not answer it as well."""
    opened = watched(service.url)
    page = opened.page(f"/console/incidents/{night['asked_too']}")
    approve = page.get_by_role("button", name="Approve").first
    expect(approve).to_be_visible()
    if way == "button":
        approve.focus()
    else:
        page.keyboard.press("Control+k")
        page.keyboard.type("approve")
    hold(page, "Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("restart_service")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert not [one for one in opened.asked if one.startswith("POST")]


def test_a_letter_that_is_held_is_said_once(
    service: NightService, night: Night, watched: Opener
) -> None:
    """Only moving from row to row goes on for as long as it is held."""
    opened = watched(service.url)
    page = opened.page("/console/incidents")
    expect(page.locator(f"#i-{night['asked']}")).to_be_visible()
    theme = "document.documentElement.dataset.theme"
    hold(page, "t")
    first = page.evaluate(theme)
    hold(page, "t")
    assert {first, page.evaluate(theme)} == {"dark", "light"}
    place = """() => [...document.querySelectorAll('li.incident')]
      .findIndex((one) => one.classList.contains('current'))"""
    before = page.evaluate(place)
    hold(page, "j")
    assert page.evaluate(place) == before + 1 + MORE


def test_the_palette_opens_with_caps_lock_on(
    service: NightService, watched: Opener
) -> None:
    """The browser says K then, though nobody held Shift."""
    page = watched(service.url).page("/console/incidents")
    page.evaluate("""() => document.body.dispatchEvent(new KeyboardEvent(
      'keydown', { key: 'K', ctrlKey: true, bubbles: true }))""")
    expect(page.locator("#palette")).to_be_visible()


def test_the_palette_says_that_it_finds_nothing(
    service: NightService, watched: Opener
) -> None:
    """And stays open: Enter has nothing to do."""
    page = watched(service.url).page("/console/incidents")
    page.keyboard.press("Control+k")
    page.keyboard.type("no such thing")
    palette = page.locator("#palette")
    expect(palette.get_by_role("status")).to_contain_text("Nothing")
    field = palette.get_by_role("combobox")
    assert field.get_attribute("aria-activedescendant") is None
    page.keyboard.press("Enter")
    expect(palette).to_be_visible()
    field.fill("MUTES")
    expect(palette.get_by_role("option").first).to_contain_text("mutes")
    expect(palette.get_by_role("status")).to_be_hidden()


def test_the_palette_does_nothing_that_is_over(
    service: NightService, night: Night, watched: Opener
) -> None:
    """Somebody else was first while the list was open."""
    # Here nothing else is asked about once people have it.
    number = night["asked"]
    page = watched(service.url).page(f"/console/incidents/{number}")
    expect(page.get_by_role("button", name="Approve").first).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("approve")
    first = page.locator("#palette").get_by_role("option").first
    expect(first).to_contain_text("pprove")
    reject(service, number)
    expect(page.locator("main button:visible >> text=Approve")).to_have_count(
        0
    )
    page.keyboard.press("Enter")
    expect(page.locator("#says")).to_contain_text("cannot be done any more")
    expect(page.get_by_role("dialog")).to_have_count(0)


def reject(service: NightService, number: int) -> None:
    """Reject what an incident asks, as another person."""
    asked = service.get("/approvals", incident=number)["items"]
    assert service.answer(asked[0]["id"], "refuse").is_success
