"""The doors of the console in a real browser, by keys alone."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.service import Service
from tests.ui.browser import go
from tests.ui.conftest import Opener

PASSWORD = "a long sentence of the night"
OTHER = "another sentence of the night"
WANTED = "/console/log?kind=halt.changed"
HOME = "/console/incidents"
DEADLINE = 15.0
SOON_MS = 30_000
# More stops of Tab than any of these pages has.
STOPS = 60
IN_FOCUS = "() => document.activeElement.id"
TYPED = "() => document.activeElement.value"
# As the service answers when its database cannot be written.
BUSY = {"status": 503, "json": {"title": "Not now", "detail": "Busy."}}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Return a service of this test alone, open to nobody."""
    with Service(tmp_path, {"access": {"open": "never"}}) as running:
        yield running


def link_of(service: Service) -> str:
    """Return the link that a new service has written down."""
    file = service.folder / "setup.link"
    deadline = time.monotonic() + DEADLINE
    while not file.exists():
        assert time.monotonic() < deadline, "no link was written"
        time.sleep(0.05)
    return file.read_text().strip()


def set_up(page: Page, link: str, name: str, again: str = PASSWORD) -> None:
    """Fill the form that a link leads to, and send it."""
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Set your password"
    )
    for text in (name, PASSWORD, again):
        page.keyboard.press("Tab")
        assert page.evaluate(TYPED) == ""
        page.keyboard.type(text)
    page.keyboard.press("Enter")


def sign_in(page: Page, *texts: str) -> None:
    """Type into the login, from the field on that has the focus."""
    page.keyboard.type(texts[0])
    for text in texts[1:]:
        page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")


def walk_to(page: Page, name: str) -> None:
    """Press Tab until something has the focus."""
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        if page.evaluate(IN_FOCUS) == name:
            return
    pytest.fail(f"Tab does not come to {name}")


def expect_inside(page: Page, service: Service, path: str, who: str) -> None:
    """Fail when somebody is not where they wanted to be, signed in."""
    page.wait_for_url(f"{service.url}{path}")
    expect(page.locator("#state")).to_contain_text(who, timeout=SOON_MS)
    expect(page.locator("#sign-out")).to_be_visible()


def enter(service: Service, watched: Opener) -> Page:
    """Return the first page of somebody who has just come in as admin."""
    page = watched(service.url).page()
    set_up(page, link_of(service), "ana")
    expect_inside(page, service, HOME, "ana (admin)")
    go(page, HOME)
    return page


def expect_outside(page: Page) -> None:
    """Fail when a browser is not before the door, without a session."""
    expect(page).to_have_title("Sign in - Smokejumper")
    assert page.context.cookies() == []
    assert page.request.get("/api/v1/me").status == 401


def test_the_first_admin_comes_in_and_out_and_in(
    service: Service, watched: Opener
) -> None:
    """By the link, out by the button, and in to what was wanted."""
    page = enter(service, watched)
    walk_to(page, "sign-out")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/login")
    expect_outside(page)

    page.goto(WANTED)
    expect_outside(page)
    assert page.evaluate(IN_FOCUS) == "name"
    sign_in(page, "ana", OTHER)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("password")
    expect(page.get_by_label("Name")).to_have_value("ana")
    expect(page.get_by_label("Password")).to_have_value("")
    expect_outside(page)

    # The name is there already: what has the focus is the password.
    assert page.evaluate(IN_FOCUS) == "password"
    sign_in(page, PASSWORD)
    expect_inside(page, service, WANTED, "ana (admin)")


def test_a_link_makes_one_admin(service: Service, watched: Opener) -> None:
    """Two passwords that differ use no link up; one that was used is dead."""
    link = link_of(service)
    page = watched(service.url).page()
    set_up(page, link, "ana", again=OTHER)
    expect(page.get_by_role("alert")).to_contain_text("not the same")
    expect(page.get_by_label("Name")).to_have_value("ana")
    assert page.context.cookies() == []
    set_up(page, link, "ana")
    expect_inside(page, service, HOME, "ana (admin)")

    late = watched(service.url).page()
    late.goto(link)
    expect(late.get_by_role("alert")).to_contain_text("was used")
    expect(late.locator("form")).to_have_count(0)
    late.keyboard.press("Tab")
    way_on = late.get_by_role("link", name="Go to the login")
    expect(way_on).to_be_focused()
    late.keyboard.press("Enter")
    late.wait_for_url("**/console/login")
    expect_outside(late)


def test_who_could_not_be_signed_out_is_told(
    service: Service, watched: Opener
) -> None:
    """No login page says that a machine is free that is still somebody's."""
    page = enter(service, watched)
    page.route("**/api/v1/session", lambda one: one.fulfill(**BUSY))
    page.locator("#sign-out").click()
    expect(page.get_by_role("alert").filter(has_text="Busy.")).to_be_visible()
    assert page.url == f"{service.url}{HOME}"

    page.unroute("**/api/v1/session")
    page.locator("#sign-out").click()
    page.wait_for_url("**/console/login")
    expect_outside(page)


def test_whose_session_is_over_signs_out(
    service: Service, watched: Opener
) -> None:
    """Who was signed out elsewhere comes to the login all the same."""
    page = enter(service, watched)
    page.context.clear_cookies()
    page.locator("#sign-out").click()
    page.wait_for_url("**/console/login")
    expect_outside(page)
