"""Every screen can be used without a mouse, by ear, and with weak eyes."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from app.console.screens import SCREENS
from tests.service import Service
from tests.ui.browser import PHONE
from tests.ui.conftest import Opener
from tests.ui.dialogs import inspect_dialog, inspect_open
from tests.ui.inspecting import disorder, look, look_into, walk
from tests.ui.night import NightService, fill_night
from tests.ui.plot import ALERTS
from tests.unit.simulator.running import Simulator

PATHS = [f"/console/{one}" for one in (*(s.name for s in SCREENS), "me")]
# What else a screen has beside what it opens with.
MORE = [
    "/console/incidents?all=1",
    "/console/incidents?peek=1",
    "/console/log?entry=1",
]
MOST_STOPS = 60
# What somebody on call opens on a phone.
NARROW = 320
WALKED_BY_PHONE = [
    "/console/incidents",
    "/console/incidents/1",
    "/console/log",
    "/console/handover",
]
# A4 within its margins, in pixels of a style sheet.
SHEET = {"width": 718, "height": 1_047}
# What is shown to who is not signed in; the links are made by the door.
Doors = dict[str, str]
DOORS = ["login", "setup", "spent"]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NightService]:
    """Return a service with a night's work."""
    folder = tmp_path_factory.mktemp("night")
    with Simulator(folder, services=[]) as simulator:
        settings = {"simulator": {"url": simulator.url}}
        with NightService(folder, **settings) as running:
            fill_night(running)
            yield running


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Return the addresses of the pages before the first sign-in."""
    with Service(tmp_path_factory.mktemp("door")) as running:
        made = httpx.post(
            f"{running.url}/api/v1/people", json={"name": "ana"}
        ).raise_for_status()
        yield {
            "login": f"{running.url}/console/login?next=/console/log",
            "setup": made.json()["link"],
            "spent": f"{running.url}/console/setup?token=spent",
        }


@pytest.mark.parametrize("light", ["dark", "light"])
@pytest.mark.parametrize("path", [*PATHS, *MORE, "/console/incidents/1"])
def test_a_screen_can_be_perceived(
    night: NightService, watched: Opener, path: str, light: str
) -> None:
    """Names, headings, roles and contrast, in both lights."""
    page = watched(night.url, color_scheme=light).page(path)
    page.wait_for_selector("#live[data-state=live]")
    assert look(page) == []


@pytest.mark.parametrize("path", [*PATHS, *MORE, "/console/incidents/1"])
def test_a_screen_can_be_walked(
    night: NightService, watched: Opener, path: str
) -> None:
    """Tab comes to what can be used, as one reads, and shows where it is."""
    page = watched(night.url).page(path)
    stops = walk(page, MOST_STOPS)
    assert "Skip to the content" in stops[0]["what"]
    assert len(stops) > 10
    assert [one for one in stops if not (one["shows"] and one["seen"])] == []
    assert disorder(page) == []


@pytest.mark.parametrize("path", WALKED_BY_PHONE)
def test_a_screen_can_be_walked_on_a_phone(
    night: NightService, watched: Opener, path: str
) -> None:
    """The same order where all stands below each other, bars above it."""
    page = watched(night.url, viewport=PHONE).page(path)
    page.wait_for_selector("#live[data-state=live]")
    stops = walk(page, MOST_STOPS)
    assert "Skip to the content" in stops[0]["what"]
    assert [one for one in stops if not (one["shows"] and one["seen"])] == []
    assert disorder(page) == []


@pytest.mark.parametrize("path", [*PATHS, "/console/incidents/1"])
def test_a_screen_fits_a_phone(
    night: NightService, watched: Opener, path: str
) -> None:
    """Nothing is wider than the phone; wide tables scroll by themselves.

    Nor than the narrowest screen there is, or one four times enlarged.
    """
    page = watched(night.url, viewport=PHONE).page(path)
    for wide in (PHONE["width"], NARROW):
        page.set_viewport_size({"width": wide, "height": PHONE["height"]})
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= wide


@pytest.mark.parametrize("path", [*PATHS, "/console/incidents/1"])
def test_a_screen_can_be_printed(
    night: NightService, watched: Opener, path: str
) -> None:
    """On white, however dark the screen is; no wider than a sheet."""
    page = watched(night.url, color_scheme="dark", viewport=SHEET).page(path)
    page.wait_for_selector("#live[data-state=live]")
    page.emulate_media(media="print")
    assert look(page) == []
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= SHEET["width"]
    buttons = page.locator("button:visible:not(.marks button)")
    assert buttons.all_inner_texts() == []


@pytest.mark.parametrize("light", ["dark", "light"])
@pytest.mark.parametrize("name", DOORS)
def test_a_door_can_be_perceived_and_walked(
    doors: Doors, watched: Opener, name: str, light: str
) -> None:
    """The pages without a script: names, contrast, focus, a phone's width."""
    url = doors[name]
    context = watched(url, color_scheme=light, viewport=PHONE)
    page = context.page()
    page.goto(url)
    assert look(page) == []
    stops = walk(page, MOST_STOPS)
    assert stops
    assert [one for one in stops if not (one["shows"] and one["seen"])] == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]


# A page that comes neither by https nor from this machine cannot copy.
BY_HTTP = "delete Navigator.prototype.clipboard"
# Each screen, and what opens a dialog there: its button, and its name.
DIALOGS = {
    "/console/catalogue": [
        ("Do", "Palette"),
        ("Keys", "Keys"),
        ("PAUSE ALL", "Pause everything?"),
    ],
    "/console/incidents?q=sev:crit": [
        ("Approve", "restart_"),
        ("Reject", "Reject "),
        ("Mute it", "Mute "),
        ("Save this filter", "Save "),
    ],
    "ASKED": [
        ("Approve", "Approve this?"),
        ("Reject", "Reject this?"),
        ("Edit arguments", "With other"),
        ("Acknowledge", "Say that you look at it"),
        ("Owner ...", "Who takes care of it?"),
        ("The right action was ...", "The right action was ..."),
        ("Mute this", "Mute this"),
        ("Merge ...", "Which incident is it the same as?"),
        ("Propose an action", "Propose"),
        ("Decide again", "Have it decided on again?"),
        ("copy link", "Copy this"),
    ],
    "STORM": [("Split ...", "Which of it is another problem?")],
    "RUNNING": [("Stop the job", "Stop job")],
    "/console/people": [
        ("New account", "New account"),
        ("New token", "New token"),
    ],
    "/console/mutes": [("End mute 1", "End mute 1?")],
    "/console/brains": [("Let ", "Let ")],
    "/console/simulator": [
        ("Start cpu", "Cause this?"),
        ("Play ", "Play "),
    ],
}


@pytest.mark.parametrize("path", DIALOGS)
def test_a_dialog_can_be_perceived_and_walked(
    night: NightService, watched: Opener, path: str
) -> None:
    """By Enter on its button: the focus stays in it, and goes back."""
    story = ALERTS.get(path.lower())
    where = f"/console/incidents/{night.number_of(story)}" if story else path
    context = watched(night.url)
    context.context.add_init_script(BY_HTTP)
    page = context.page(where)
    page.wait_for_selector("#live[data-state=live]")
    wrong: list[str] = []
    for button, name in DIALOGS[path]:
        opener = page.get_by_role("button", name=button, disabled=False)
        wrong += inspect_dialog(page, opener.first, re.compile(f"^{name}"))
    assert wrong == []


def test_who_is_signed_out_is_told_by_a_dialog(
    night: NightService, watched: Opener
) -> None:
    """It comes by itself, and what somebody did has the focus after it."""
    page = watched(night.url).page("/console/catalogue")
    page.wait_for_selector("#live[data-state=live]")
    page.locator("#help-button").focus()
    page.evaluate("dispatchEvent(new CustomEvent('signed-out'))")
    expect(page.get_by_role("dialog")).to_contain_text("You are signed out")
    assert inspect_open(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#help-button")).to_be_focused()


def test_what_is_inspected_can_be_wrong(watched: Opener) -> None:
    """An order against the eye is found, and a dialog that lets go."""
    page = watched("http://127.0.0.1:9").page()
    page.set_content(
        "<main><h1>Test</h1><p style='display: flex; flex-direction:"
        " row-reverse'><button>one</button><button>two</button></p>"
        "<dialog open aria-label='It'><button>three</button></dialog></main>"
    )
    assert len(walk(page, MOST_STOPS)) == 3
    assert "two" in disorder(page)[0]
    found = "\n".join(look_into(page))
    assert "what is behind can be used" in found
    assert "the focus is not in the dialog" in found
    assert "outside of it" in found
