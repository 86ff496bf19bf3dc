"""One letter, one verb: on every screen a key means the same."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from app.console.screens import SCREENS
from tests.flow.acting import ActingService
from tests.flow.events import note, write
from tests.ui.browser import Chromium
from tests.ui.conftest import Opener

# What each key does, as some word of its title has it.
VERBS = {
    "a": ("approve", "agree"),
    "r": ("reject",),
    "e": ("edit",),
    "w": ("withdraw",),
    "y": ("i see it", "acknowledge"),
    "m": ("take",),
    "n": ("new", "note"),
    "N": ("new token",),
    "o": ("the right action",),
    "u": ("mute",),
    "p": ("propose",),
    "D": ("decide again",),
    "d": ("dry run",),
    "s": ("start", "stop"),
    "S": ("set what",),
    "x": ("select",),
    "j": ("next",),
    "k": ("before",),
    "v": ("every entry", "board"),
    "f": ("follow",),
    "c": ("markdown",),
    ".": ("new", "anew"),
    " ": ("peek", "hold", "look"),
    "Enter": ("open", "look"),
    "Escape": ("back", "close"),
    "<": ("newer",),
    ">": ("older",),
    "1": ("15m", "last night"),
    "2": ("1h", "last 12"),
    "3": ("6h", "last 24"),
    "4": ("24h",),
    "P": ("pause",),
    "t": ("dark or light",),
    "?": ("keys",),
    "/": ("search",),
    ":": ("palette",),
}
OFFERS = """async () => {
  const root = document.querySelector('script[type=module]').src
    .replace(/js\\/.*$/, 'js/');
  const { offers } = await import(`${root}lib/keys.js`);
  return offers().map(({ key, title }) => [key, title]);
}"""
# A line of the help, and what is written in a button, a link or a label.
LINES = "dialog table tr"
SHOWN = (
    "button:enabled:visible kbd, a:visible kbd, summary:visible kbd,"
    " label:visible kbd"
)
# What somebody reads where a key has a name of its own.
WRITTEN = {":": "Ctrl K", "Escape": "Esc"}
# They move, choose or look, and nothing on the page does so by a click on a
# button.
BARE = {"j", "k", "x", "Enter", "space", "Escape", "/"}
# Of one row alone: while some are selected its buttons wait for a click.
OF_ONE_ROW = {"a", "r"}
# Each page, the keys that are pressed first, and some that it must offer.
OFFERED = [
    ("incidents", "", "v?tPymu"),
    ("incidents", "v", "v"),
    ("incidents", "j", "arvymu"),
    ("incidents", "jx", "ymuv"),
    ("incidents/1", "", "arecmyounpDvf"),
    ("log?before=100", "", "<>"),
    ("people", "", "nN"),
    ("mutes", "", "u"),
    ("brains", "", "d"),
    ("policy", "", "d"),
    ("metrics", "", "1234"),
    ("handover", "", "123"),
]
PATHS = [one.name for one in SCREENS if one.name != "simulator"]


@pytest.fixture(scope="module")
def node(
    tmp_path_factory: pytest.TempPathFactory, browser: Chromium
) -> Iterator[ActingService]:
    """Return a service in which a question waits for people."""
    del browser  # without one nothing is started
    folder = tmp_path_factory.mktemp("keys")
    with ActingService(folder, access={"open": "always"}) as running:
        running.ask_about("key-01")
        # More than one page of the log, before it and after it.
        write(running, *map(note, range(160)))
        yield running


def offered(page: Page) -> list[tuple[str, str]]:
    """Return what can be done now: each key with its title."""
    return [(key, title) for key, title in page.evaluate(OFFERS)]


@pytest.mark.parametrize("name", [*PATHS, "incidents/1", "me"])
def test_a_key_means_the_same_everywhere(
    node: ActingService, watched: Opener, name: str
) -> None:
    """Whoever has learnt a key on one screen can trust it on another."""
    page = watched(node.url).page(f"/console/{name}")
    page.wait_for_selector("#live[data-state=live]")
    found = offered(page)
    assert {"?", "t", "P"} <= {key for key, _ in found}
    for key, title in found:
        if key and not key.startswith("g "):
            words = VERBS[key]
            assert any(word in title.lower() for word in words), (key, title)


def test_what_has_no_key_is_in_the_palette(
    node: ActingService, watched: Opener
) -> None:
    """Everything that can be done is found by its words."""
    page = watched(node.url).page("/console/incidents/1")
    titles = {title for _, title in offered(page)}
    assert {"copy link", "Merge ...", "Owner ..."} <= titles


@pytest.mark.parametrize(("path", "first", "some"), OFFERED)
def test_a_key_is_shown_in_its_button(
    node: ActingService, watched: Opener, path: str, first: str, some: str
) -> None:
    """Whoever clicks sees what to press the next time; no button lies."""
    page = watched(node.url).page(f"/console/{path}")
    page.wait_for_selector("#live[data-state=live]")
    expect(page.locator("#pause")).to_be_visible()
    for key in first:
        page.keyboard.press(key)
    shown = set(page.locator(SHOWN).all_inner_texts())
    page.keyboard.press("?")
    lines = page.locator(LINES)
    helped = {line.split("\t")[0] for line in lines.all_inner_texts()}
    keys = {key for key in helped if not key.startswith("g ")}
    assert all(key.strip() for key in helped)
    assert keys >= set(some)
    is_many = "x" in first
    buttons = {WRITTEN.get(key, key) for key in keys - BARE}
    assert buttons - shown == set()
    # A form is sent by Enter in its fields: that is no key of the page.
    known = {WRITTEN.get(key, key) for key in keys}
    known |= {"Enter", "Ctrl Enter"} | (OF_ONE_ROW if is_many else set())
    assert shown - known == set()


def test_what_is_said_to_a_row_is_said_by_a_click(
    node: ActingService, watched: Opener
) -> None:
    """The buttons of the keys say to which row, and do what the keys do."""
    number = node.get("/incidents", target_name="key-01")["items"][0]["id"]
    page = watched(node.url).page("/console/incidents")
    page.keyboard.press("j")
    words = page.get_by_role("group", name="Say it to the row")
    expect(words).to_contain_text(f"To {number}:")
    words.get_by_role("button", name="Mute it").click()
    expect(page.get_by_role("dialog")).to_contain_text("Mute key-01?")
    page.keyboard.press("Escape")
    words.get_by_role("button", name="Take it").click()
    expect(page.locator(f"#i-{number}")).to_contain_text("owner console")
    page.keyboard.press("v")
    expect(words).to_be_hidden()
