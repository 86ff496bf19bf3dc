"""Mutes: made with a look at what they keep, ended, and out of calendars."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from app.models.account import Role
from tests.flow.acting import ActingService
from tests.ui.browser import PHONE, Chromium
from tests.ui.conftest import Opener
from tests.ui.dialogs import tab_to
from tests.ui.entering import enter_as
from tests.ui.inspecting import look

PATH = "/console/mutes"
SOON_MS = 30_000
# Some of these tests make accounts, and the others need none.
ALWAYS = {"open": "always"}
CONDITIONS = "Which alerts: one condition a line, all must fit"
MARKUP = "<img src=x onerror=window.pwned=1>"
TURNED = "\u202egpj.exe"
CALENDAR = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
UID:weekly\r
SUMMARY:sunday reboots\r
DTSTART;TZID=Europe/Berlin:20260104T020000\r
DTEND;TZID=Europe/Berlin:20260104T040000\r
RRULE:FREQ=WEEKLY;BYDAY=SU\r
END:VEVENT\r
END:VCALENDAR\r
"""


@pytest.fixture(scope="module")
def node(
    tmp_path_factory: pytest.TempPathFactory, browser: Chromium
) -> Iterator[ActingService]:
    """Return a service with two open incidents."""
    del browser  # without one nothing is started
    folder = tmp_path_factory.mktemp("mutes")
    with ActingService(folder, access=ALWAYS) as running:
        for host in ("mute-01", "mute-02"):
            running.decide_on(host)
        yield running


def state_of(node: ActingService, host: str) -> str:
    """Return where the incident of a host stands."""
    (one,) = node.get("/incidents", target_name=host)["items"]
    return str(one["state"])


def test_a_mute_is_made_and_ended(
    node: ActingService, watched: Opener
) -> None:
    """What it would keep is shown before; the end asks why."""
    page = watched(node.url).page(PATH)
    expect(page.locator("#mutes")).to_contain_text("Nothing is muted")
    page.get_by_label(CONDITIONS).fill(
        'target="mute-01"\nalertname="DiskFull"'
    )
    foreseen = page.locator("#foreseen")
    expect(foreseen).to_contain_text("It would mute 1 open incident of")
    expect(foreseen.get_by_role("link")).to_contain_text("the disk is full")
    assert state_of(node, "mute-01") == "open"
    page.get_by_label("Why", exact=True).fill("disk swap")
    page.keyboard.press("Enter")
    line = page.locator("#mutes tbody tr")
    expect(line).to_contain_text("● on")
    expect(line).to_contain_text('{target="mute-01",alertname="DiskFull"}')
    expect(line).to_contain_text("by console")
    expect(page.get_by_label("Why", exact=True)).to_have_value("")
    node.wait_for(lambda: state_of(node, "mute-01") == "suppressed")
    assert look(page) == []
    line.get_by_role("button", name="End mute").click()
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_be_visible()  # not without a reason
    page.keyboard.type("it is in")
    page.keyboard.press("Enter")
    expect(page.locator("#mutes")).to_contain_text("Nothing is muted")
    node.wait_for(lambda: state_of(node, "mute-01") == "open")
    page.get_by_role("button", name="Over").click()
    expect(page.locator("#mutes")).to_contain_text("– over")
    assert "view=over" in page.url
    page.reload()
    expect(page.locator("#mutes")).to_contain_text("disk swap")


def test_without_a_mouse(node: ActingService, watched: Opener) -> None:
    """A mute is made, and ended, by Tab, letters and Enter alone."""
    page = watched(node.url).page(PATH)
    tab_to(page, page.get_by_label(CONDITIONS))
    page.keyboard.type('target="mute-07"')
    expect(page.locator("#foreseen")).to_contain_text("It would mute no")
    tab_to(page, page.get_by_label("Why", exact=True))
    page.keyboard.type("new fans")
    page.keyboard.press("Enter")
    line = page.locator("#mutes tbody tr", has_text="mute-07")
    expect(line).to_contain_text("● on")
    tab_to(page, line.get_by_role("button", name="End mute"))
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("End mute")
    page.keyboard.type("they turn")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(line).to_have_count(0)


def test_an_address_fills_the_form(
    node: ActingService, watched: Opener
) -> None:
    """Other screens lead here with their conditions."""
    page = watched(node.url).page(
        f'{PATH}?matcher=target%3D"mute-02"&matcher=severity%3D"warning"'
    )
    expect(page.get_by_label(CONDITIONS)).to_have_value(
        'target="mute-02"\nseverity="warning"'
    )
    expect(page.locator("#foreseen")).to_contain_text("mute-02")


def test_what_makes_no_sense_stays_typed(
    node: ActingService, watched: Opener
) -> None:
    """It says what is wrong while one types, and when one sends it."""
    page = watched(node.url).page(PATH)
    field = page.get_by_label(CONDITIONS)
    field.fill('target=~".*"')
    expect(page.locator("#foreseen")).to_contain_text("mute everything")
    page.get_by_label("Why", exact=True).fill("quiet")
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    alert = page.locator("#says [role=alert]")
    expect(alert).to_contain_text("mute everything")
    expect(field).to_have_value('target=~".*"')
    expect(page.get_by_label("Why", exact=True)).to_have_value("quiet")


def test_a_calendar_becomes_windows(
    node: ActingService, watched: Opener
) -> None:
    """Each event says what became of it; the second time nothing doubles."""
    page = watched(node.url).page(PATH)
    page.get_by_label("iCalendar file").set_input_files(
        {
            "name": "ops.ics",
            "mimeType": "text/calendar",
            "buffer": CALENDAR,
        }
    )
    page.get_by_label("For events that do not say").fill('target="cal-01"')
    for outcome in ("✓ added", "– as it was"):
        page.get_by_role("button", name="Take it").click()
        expect(page.locator("#taken")).to_contain_text(outcome)
    line = page.locator("#mutes tr", has_text="sunday reboots")
    expect(line).to_contain_text("maintenance")
    expect(line).to_contain_text("FREQ=WEEKLY;BYDAY=SU (Europe/Berlin)")
    expect(line).to_contain_text("from a calendar")


def test_what_others_mute_comes_in(
    node: ActingService, watched: Opener
) -> None:
    """Live, as text only, however hostile; what one types stays."""
    page = watched(node.url).page(PATH)
    page.get_by_label("Why", exact=True).fill("half a sent")
    body = {
        "matchers": [f'target="{MARKUP}"'],
        "from": "2026-01-01T00:00:00Z",
        "until": "2026-12-31T00:00:00Z",
        "author": "bo",
        "comment": f"{MARKUP} {'w' * 400}",
    }
    made = node.post("/mutes", body)
    assert made.status_code == 201, made.text
    line = page.locator(f"#mute-{made.json()['id']}")
    expect(line).to_contain_text("by bo", timeout=SOON_MS)
    expect(line).to_contain_text(MARKUP)
    expect(line.locator("img")).to_have_count(0)
    assert page.evaluate("window.pwned") is None
    why = page.get_by_label("Why", exact=True)
    expect(why).to_have_value("half a sent")
    refused = node.post("/mutes", {**body, "comment": TURNED})
    assert refused.status_code == 422


def test_a_viewer_only_sees(node: ActingService, watched: Opener) -> None:
    """No form, no button, no key."""
    page = enter_as(watched(node.url), node, Role.VIEWER, PATH)
    expect(page.locator("#mutes")).to_be_visible()
    expect(page.locator("main form")).to_have_count(0)
    expect(page.get_by_role("button", name="End")).to_have_count(0)
    tried = page.context.request.post(
        "/api/v1/mutes/dry-run",
        data={"matchers": ['target="x"']},
        headers={"origin": node.url, "x-smokejumper": "1"},
    )
    assert tried.status == 403


def test_keys_lead_here_and_it_fits_a_phone(
    node: ActingService, watched: Opener
) -> None:
    """`g q` from any screen; nothing is wider than the screen."""
    page = watched(node.url, viewport=PHONE).page("/console/policy")
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_url(f"**{PATH}", wait_until="commit")
    page.wait_for_selector("html[data-ready='true']")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
