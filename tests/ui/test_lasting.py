"""A page that stays open: nothing piles up, nothing typed is lost."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Dialog, Page, expect

from app.access.gate import COOKIE
from app.models.account import Role
from tests.flow.visitors import Visitors
from tests.service import Service
from tests.ui.browser import PHONE, Watched, go
from tests.ui.conftest import Opener
from tests.ui.trouble import fire

SOON_MS = 30_000
BOARD = "/console/incidents"
# What our scripts are found under, and one of them by its name.
IMPORT = """(name) => import(document.querySelector('script[type=module]')
  .src.replace(/js\\/.*$/, `js/${name}.js`))"""
MANY = 500
MAKE = f"""async () => {{
  const {{ keyButton }} = await ({IMPORT})('lib/keys');
  const at = document.querySelector('main');
  window.made = [];
  for (let count = 0; count < {MANY}; count += 1) {{
    const one = keyButton({{ key: 'z', text: 'One', run: () => {{}} }});
    at.append(one);
    one.remove();
    window.made.push(new WeakRef(one));
  }}
}}"""
HIDE = """(is) => { Object.defineProperty(document, 'hidden',
  { configurable: true, get: () => is });
  document.dispatchEvent(new Event('visibilitychange')); }"""
HEAR = f"""async () => {{
  const live = await ({IMPORT})('lib/live');
  window.heard = new Promise((done) => live.onEntries(done));
}}"""
ALONE = "delete globalThis.SharedWorker"
LISTENERS = re.compile(r"^smokejumper_stream_listeners (\S+)$", re.M)
SIGN_OUT = """() => fetch('/api/v1/session', { method: 'DELETE',
  headers: { 'x-smokejumper': '1' } }).then(({ status }) => status)"""
WATCH = """addEventListener('DOMContentLoaded', () => {
  const live = document.getElementById('live');
  const note = () => (window.states ??= []).push(
    [live.dataset.state, live.textContent]);
  note();
  new MutationObserver(note).observe(live, { attributes: true });
});"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a running service that has an incident."""
    with Service(tmp_path_factory.mktemp("lasting")) as running:
        fire(running, "web-01")
        yield running


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Service]:
    """Return a running service of a test that lets people in."""
    with Service(tmp_path) as running:
        yield running


def give(opened: Watched, service: Service, secret: str) -> None:
    """Let a browser be signed in."""
    opened.context.add_cookies(
        [{"name": COOKIE, "value": secret, "url": service.url}]
    )


def expect_live(page: Page) -> None:
    """Wait until a page hears the service."""
    expect(page.locator("#live")).to_have_attribute(
        "data-state", "live", timeout=SOON_MS
    )


def test_a_button_that_is_gone_leaves_no_key_behind(
    service: Service, watched: Opener
) -> None:
    """However often a page draws anew, its keys do not keep what was."""
    opened = watched(service.url)
    page = opened.page("/console/catalogue")
    page.evaluate(MAKE)
    session = opened.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    left = page.evaluate("made.filter((one) => one.deref()).length")
    assert left < MANY / 10


def test_what_fails_again_and_again_is_said_once(
    service: Service, watched: Opener
) -> None:
    """A night without the service does not fill the page with boxes."""
    page = watched(service.url).page("/console/catalogue")
    page.evaluate(
        f"""async () => {{
  const {{ complain }} = await ({IMPORT})('lib/says');
  const {{ Problem }} = await ({IMPORT})('lib/api');
  for (let count = 0; count < 40; count += 1) {{
    complain(new Problem(503, {{ detail: 'It is busy.' }}));
    complain(new Problem(500, {{ detail: `number ${{count}}` }}));
  }}
}}"""
    )
    assert page.locator("#says .bad").count() <= 4
    expect(page.locator("#says")).to_contain_text("number 39")
    assert page.get_by_text("It is busy.").count() == 1


def test_a_page_connects_before_it_reconnects(
    service: Service, watched: Opener
) -> None:
    """Nobody is told of a trouble that is none."""
    opened = watched(service.url)
    opened.context.add_init_script(WATCH)
    page = opened.page("/console/catalogue")
    expect_live(page)
    states = page.evaluate("states")
    assert states[0] == ["new", "◐ connecting"]
    assert "late" not in [state for state, _ in states]


def test_a_tab_that_nobody_sees_asks_nothing(
    service: Service, watched: Opener
) -> None:
    """It hears all the same, and catches up when it is looked at."""
    opened = watched(service.url)
    page = opened.page(BOARD)
    expect_live(page)
    page.evaluate(HIDE, True)
    page.evaluate(HEAR)
    before = len(opened.asked)
    fire(service, "hid-01")
    assert page.evaluate("heard.then((some) => some.length)") > 0
    assert [one for one in opened.asked[before:] if "/api/" in one] == []
    page.evaluate(HIDE, False)
    expect(page.get_by_text("hid-01").first).to_be_visible(timeout=SOON_MS)


def test_a_tab_without_a_shared_worker_hears_by_itself(
    alone: Service, watched: Opener
) -> None:
    """Its stream is closed while nobody looks, and then misses nothing."""
    opened = watched(alone.url)
    opened.context.add_init_script(ALONE)
    page = opened.page(BOARD)
    assert page.evaluate("'SharedWorker' in globalThis") is False
    expect_live(page)
    expect_listeners(alone, 1)
    fire(alone, "one-01")
    expect(page.get_by_text("one-01").first).to_be_visible(timeout=SOON_MS)
    page.evaluate(HIDE, True)
    expect_listeners(alone, 0)
    fire(alone, "one-02")
    page.evaluate(HIDE, False)
    expect(page.get_by_text("one-02").first).to_be_visible(timeout=SOON_MS)
    expect_live(page)
    expect_listeners(alone, 1)


def expect_listeners(service: Service, many: int) -> None:
    """Wait until a service has so many streams."""
    deadline = time.monotonic() + SOON_MS / 1000
    while True:
        text = httpx.get(f"{service.url}/metrics").text
        found = LISTENERS.search(text)
        if found is not None and float(found[1]) == many:
            return
        assert time.monotonic() < deadline, f"{found} and not {many}"
        time.sleep(0.05)


def test_escape_goes_back_to_where_one_was(
    service: Service, watched: Opener
) -> None:
    """The filter and the row of the board; the screen before this one."""
    page = watched(service.url).page(f"{BOARD}?q=host%3Aweb-01")
    expect(page.locator("li.incident")).to_have_count(1, timeout=SOON_MS)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/incidents/1")
    page.wait_for_selector("html[data-ready='true']")
    page.keyboard.press("Escape")
    page.wait_for_url("**/incidents?q=host%3Aweb-01#i-1")
    page.wait_for_selector("html[data-ready='true']")
    expect(page.locator("#i-1")).to_be_focused()
    for key, path in (("c", "catalogue"), ("p", "policy")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(f"**/console/{path}")
        page.wait_for_selector("html[data-ready='true']")
    page.keyboard.press("Escape")
    page.wait_for_url("**/console/catalogue")


def test_a_long_text_is_not_left_behind(
    service: Service, watched: Opener
) -> None:
    """The browser asks before a page goes with what was typed in it."""
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        """Stay on the page."""
        asked.append(dialog.type)
        dialog.dismiss()

    page = watched(service.url).page("/console/mutes")
    page.on("dialog", stay)
    text = page.locator("textarea[name=matchers]")
    text.press_sequentially('target="web-01"')
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_function("document.readyState === 'complete'")
    expect(text).to_have_value('target="web-01"')
    assert asked == ["beforeunload"]


def test_who_stays_after_all_is_led_back_here(
    service: Service, watched: Opener
) -> None:
    """Back was not gone: the next page leads to this one."""
    page = watched(service.url).page("/console/catalogue")
    go(page, "/console/mutes")
    text = page.locator("textarea[name=matchers]")
    text.press_sequentially("x")
    page.keyboard.press("Escape")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        """Stay on the page."""
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.keyboard.press("Escape")
    text.press("Backspace")
    page.keyboard.press("Escape")
    assert asked == ["beforeunload"]
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url("**/console/policy")
    page.wait_for_selector("html[data-ready='true']")
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile("/console/(mutes|catalogue)$"))
    assert page.url.endswith("/console/mutes")


def test_a_reason_outlives_a_refusal(
    service: Service, watched: Opener
) -> None:
    """What could not be sent is asked again, with what was typed."""
    page = watched(service.url).page("/console/catalogue")
    expect_live(page)
    page.route("**/api/v1/halt", lambda route: route.abort(), times=1)
    page.keyboard.press("P")
    page.keyboard.type("wrong hosts")
    page.keyboard.press("Enter")
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("cannot be reached")
    expect(dialog.get_by_label("Why?")).to_have_value("wrong hosts")
    page.keyboard.press("Escape")
    expect(page.locator("#halted")).to_be_hidden()


def test_a_phone_shows_no_keys(service: Service, watched: Opener) -> None:
    """Without a keyboard its hints are noise; what they do is all there."""
    page = watched(service.url, viewport=PHONE).page("/console/catalogue")
    expect_live(page)
    expect(page.get_by_role("button", name="PAUSE ALL")).to_be_visible()
    expect(page.locator("#palette-button")).to_be_visible()
    expect(page.locator("#help-button")).to_be_hidden()
    assert page.locator("kbd:visible").count() == 0


def test_a_session_that_ends_costs_nothing_typed(
    alone: Service, watched: Opener
) -> None:
    """Signed in again, the same page goes on, and misses nothing."""
    service = alone
    opened = watched(service.url)
    visitors = Visitors(service)
    give(opened, service, visitors.sign_in(Role.RESPONDER))
    page = opened.page("/console/mutes")
    expect_live(page)
    page.get_by_label("Why", exact=True).fill("the long reason")
    assert page.evaluate(SIGN_OUT) == 204
    dialog = page.get_by_role("dialog", name="You are signed out")
    expect(dialog).to_be_visible(timeout=SOON_MS)
    again = dialog.get_by_role("button", name="I am signed in again")
    again.click()
    expect(dialog).to_contain_text("Not yet")
    give(opened, service, visitors.sign_in(Role.RESPONDER))
    visitors.close()
    fire(service, "out-01")
    again.click()
    expect(dialog).to_have_count(0)
    expect_live(page)
    reason = page.get_by_label("Why", exact=True)
    expect(reason).to_have_value("the long reason")


def test_signing_in_leads_back_to_the_very_line(
    alone: Service, watched: Opener
) -> None:
    """What stands behind the # is part of the way."""
    opened = watched(alone.url)
    visitors = Visitors(alone)
    give(opened, alone, visitors.sign_in(Role.VIEWER))
    visitors.close()
    wanted = "/console/incidents?q=disk+full#i-17"
    page = opened.page(wanted)
    expect_live(page)
    assert page.evaluate(SIGN_OUT) == 204
    dialog = page.get_by_role("dialog", name="You are signed out")
    expect(dialog).to_be_visible(timeout=SOON_MS)
    dialog.get_by_role("button", name="Sign in here").click()
    expect(page.locator("input[name=next]")).to_have_value(wanted)


def test_who_has_no_account_says_who_they_are(
    alone: Service, watched: Opener
) -> None:
    """What is done in this browser is signed with that name."""
    page = watched(alone.url).page("/console/me")
    page.get_by_label("Who are you?").fill("ana")
    page.keyboard.press("Enter")
    expect(page.locator("#says")).to_contain_text('signed "ana"')
    fire(alone, "own-01")
    go(page, BOARD)
    expect(page.locator("#i-1")).to_be_visible(timeout=SOON_MS)
    page.keyboard.press("m")
    expect(page.locator("#i-1")).to_contain_text("owner ana")
