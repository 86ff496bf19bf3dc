"""The shell of every screen: how old it is, PAUSE ALL, keys, palette."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.service import Service
from tests.ui.browser import PHONE, go
from tests.ui.conftest import Opener
from tests.ui.inspecting import look

SCREEN = "/console/catalogue"
# A pause of the whole machine is no fault of the page.
SOON_MS = 30_000
TABS = 8
# Whether the middle of something is what somebody sees there.
IN_SIGHT = """(id) => {
  const box = document.getElementById(id).getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2,
    box.y + box.height / 2);
  return Boolean(top?.closest(`#${id}`));
}"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Return a running service of this test alone."""
    with Service(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a running service that no test changes for good."""
    with Service(tmp_path_factory.mktemp("shell")) as running:
        yield running


def expect_live(page: Page) -> None:
    """Wait until a page hears the service."""
    expect(page.locator("#live")).to_have_attribute(
        "data-state", "live", timeout=SOON_MS
    )


def scroll_down(page: Page) -> None:
    """Read a long page to its end."""
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert page.evaluate("scrollY") > PHONE["height"] / 2


def test_the_root_leads_to_the_incidents(
    shared: Service, watched: Opener
) -> None:
    """Whoever types the bare address sees what needs them."""
    page = watched(shared.url).page()
    go(page, "/")
    assert page.url == f"{shared.url}/console/incidents"


def test_a_page_says_that_it_is_live(shared: Service, watched: Opener) -> None:
    """The head has the age, the node, the brain and who looks."""
    page = watched(shared.url).page(SCREEN)
    expect_live(page)
    expect(page.locator("#live")).to_contain_text("live")
    expect(page.locator("#brain")).to_have_text("cascade")
    expect(page.locator("#mode")).to_have_text("APPROVE")
    expect(page.locator("#state")).to_contain_text("this machine (admin)")
    assert page.locator("nav a[aria-current=page]").inner_text() == "Catalogue"


@pytest.mark.parametrize(
    ("path", "kind"),
    [(SCREEN, "text/html"), ("/api/v1/catalogue", "application/json")],
)
def test_what_a_page_asks_for_comes_packed(
    shared: Service, path: str, kind: str
) -> None:
    """Pages name the type that they want; programs get it as it is."""
    url = f"{shared.url}{path}"
    packed = httpx.get(url, headers={"accept": kind})
    plain = httpx.get(url)
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text
    lengths = [int(one.headers["content-length"]) for one in (packed, plain)]
    assert lengths[0] < lengths[1] / 2


def test_what_is_stale_looks_stale(service: Service, watched: Opener) -> None:
    """A service that hangs makes the page say so, and comes back."""
    page = watched(service.url).page(SCREEN)
    phone = watched(service.url, viewport=PHONE).page(SCREEN)
    expect_live(page)
    expect_live(phone)
    scroll_down(phone)
    os.kill(service.pid, signal.SIGSTOP)
    try:
        live = page.locator("#live")
        expect(live).to_have_attribute("data-state", "late", timeout=SOON_MS)
        expect(live).to_have_attribute("data-state", "stale", timeout=SOON_MS)
        expect(page.locator("#stale")).to_be_visible()
        expect(page.locator("#stale")).to_contain_text("STALE")
        # Whoever reads the end of a long page on a phone sees it, too.
        expect(phone.locator("#stale")).to_be_visible(timeout=SOON_MS)
        assert phone.evaluate(IN_SIGHT, "stale")
    finally:
        os.kill(service.pid, signal.SIGCONT)
    expect_live(page)
    expect(page.locator("#stale")).to_be_hidden()


def test_a_restart_is_survived(service: Service, watched: Opener) -> None:
    """After kill -9 and a start the same page is live again."""
    page = watched(service.url).page(SCREEN)
    expect_live(page)
    service.kill()
    expect(page.locator("#live")).not_to_have_attribute("data-state", "live")
    service.start()
    expect_live(page)


def test_pause_all_asks_why_and_shows_who(
    service: Service, watched: Opener
) -> None:
    """One key, a reason, and every page of every tab says so."""
    context = watched(service.url)
    page, other = context.page(SCREEN), context.page(SCREEN)
    expect_live(other)
    page.bring_to_front()
    page.keyboard.press("P")
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("Pause everything?")
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()  # not without a reason
    page.keyboard.type("it restarts the wrong hosts")
    page.keyboard.press("Enter")
    for each in (page, other):
        banner = each.locator("#halted")
        expect(banner).to_contain_text("PAUSED", timeout=SOON_MS)
        expect(banner).to_contain_text("console: it restarts the wrong hosts")
    page.locator("#pause").click()
    page.get_by_label("Why?").fill("mended")
    dialog.get_by_role("button", name="Resume all").click()
    expect(other.locator("#halted")).to_be_hidden(timeout=SOON_MS)


def test_escape_pauses_nothing(shared: Service, watched: Opener) -> None:
    """A dialog that is put away did nothing."""
    page = watched(shared.url).page(SCREEN)
    expect_live(page)
    page.keyboard.press("P")
    page.keyboard.type("a reason")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator("#halted")).to_be_hidden()


def test_keys_lead_everywhere(shared: Service, watched: Opener) -> None:
    """Two keys change the screen; a question mark shows them all."""
    page = watched(shared.url).page(SCREEN)
    page.keyboard.press("?")
    help_page = page.locator("dialog")
    expect(help_page).to_contain_text("Go to incidents")
    expect(help_page).to_contain_text("Pause or resume everything")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url("**/console/policy", wait_until="commit")


def test_the_palette_finds_what_can_be_done(
    shared: Service, watched: Opener
) -> None:
    """Ctrl+K, two words, Enter."""
    page = watched(shared.url).page(SCREEN)
    page.keyboard.press("Control+k")
    page.keyboard.type("go policy")
    expect(page.locator("#palette li")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/policy", wait_until="commit")


def test_the_light_is_kept(shared: Service, watched: Opener) -> None:
    """Dark or light is the reader's choice, on every page after it."""
    page = watched(shared.url, color_scheme="dark").page(SCREEN)
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.keyboard.press("t")
    light = page.evaluate(ground)
    assert dark != light
    go(page, "/console/policy")
    assert page.evaluate(ground) == light


def test_eight_tabs_share_one_stream(
    service: Service, watched: Opener
) -> None:
    """A browser has six connections to a host; every tab is live."""
    context = watched(service.url)
    pages = [context.page(SCREEN) for _ in range(TABS)]
    for page in pages:
        expect_live(page)
    metrics = context.context.request.get("/metrics").text()
    found = re.search(r"^smokejumper_stream_listeners (\S+)", metrics, re.M)
    assert found is not None
    assert float(found[1]) == 1.0


def test_a_phone_has_the_switch_in_reach(
    shared: Service, watched: Opener
) -> None:
    """Nothing is wider than the phone, and PAUSE ALL is at the bottom."""
    page = watched(shared.url, viewport=PHONE).page(SCREEN)
    expect_live(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    box = page.locator("#pause").bounding_box()
    assert box is not None
    assert box["y"] > PHONE["height"] * 0.8


def test_a_phone_warns_wherever_somebody_reads(
    service: Service, watched: Opener
) -> None:
    """PAUSED and the switch are in sight at the end of a long page."""
    page = watched(service.url, viewport=PHONE).page(SCREEN)
    expect_live(page)
    body = {"author": "ana", "reason": "wrong hosts " * 30, "halted": True}
    httpx.put(f"{service.url}/api/v1/halt", json=body).raise_for_status()
    expect(page.locator("#halted")).to_be_visible(timeout=SOON_MS)
    scroll_down(page)
    assert page.evaluate(IN_SIGHT, "halted")
    assert page.evaluate(IN_SIGHT, "pause")
    expect(page.locator("#pause")).to_contain_text("RESUME ALL")
    assert look(page) == []
    # However long the reason is: most of the page is still to be seen.
    box = page.locator("#banners").bounding_box()
    assert box is not None
    assert box["y"] >= 0
    assert box["height"] < PHONE["height"] / 2
    # What is led to stands below it, not behind it.
    first = page.locator("main summary").first
    first.focus()
    found = first.bounding_box()
    assert found is not None
    assert found["y"] >= box["y"] + box["height"]


def test_every_answer_is_guarded(shared: Service, watched: Opener) -> None:
    """A page may load from here only, be framed by nobody, and is not kept."""
    answer = watched(shared.url).context.request.get(SCREEN)
    headers = answer.headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
