"""What a role may not do is not there: no button, no key, and no way in."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from app.models.account import Role
from tests.flow.acting import ActingService
from tests.flow.visitors import Visitors
from tests.service import Service
from tests.ui.browser import Chromium, go
from tests.ui.conftest import Opener
from tests.ui.entering import enter_as
from tests.ui.test_people import add, sign_in

ANSWERS = {Role.APPROVER, Role.ADMIN}
PAUSES = {Role.RESPONDER, *ANSWERS}
RESUMES = ANSWERS
CALL = "collect_diagnostics(host=role-01"
BOARD = "/console/incidents"
SOON_MS = 30_000
OFFERED = """async () => {
  const root = document.querySelector('script[type=module]').src
    .replace(/js\\/.*$/, 'js/');
  const { offers } = await import(`${root}lib/keys.js`);
  return offers().map(({ key }) => key);
}"""


@pytest.fixture(scope="module")
def node(
    tmp_path_factory: pytest.TempPathFactory, browser: Chromium
) -> Iterator[ActingService]:
    """Return a service where the tests themselves may do everything."""
    del browser  # without one nothing is started
    folder = tmp_path_factory.mktemp("roles")
    more = {"access": {"open": "always"}}
    with ActingService(folder, "slow", **more) as running:
        yield running


@pytest.fixture(scope="module")
def asked(node: ActingService) -> dict[str, Any]:
    """Return a question that nobody answers."""
    return node.ask_about("role-01")


@contextmanager
def paused(service: Service) -> Iterator[None]:
    """Have everything paused for a while."""
    body = {"author": "ana", "reason": "wrong hosts"}
    url = f"{service.url}/api/v1/halt"
    httpx.put(url, json={**body, "halted": True}).raise_for_status()
    try:
        yield
    finally:
        httpx.put(url, json={**body, "halted": False}).raise_for_status()


def expect_there(part: Locator, is_there: bool) -> None:
    """Fail when something is not seen, or is not away."""
    if is_there:
        expect(part).to_be_visible()
    else:
        expect(part).to_be_hidden()


def press(page: Page, key: str, says: str) -> None:
    """Press a key; fail when it does not ask this, or does anything."""
    assert (key in page.evaluate(OFFERED)) == bool(says)
    page.keyboard.press(key)
    dialog = page.get_by_role("dialog")
    if not says:
        expect(dialog).to_have_count(0)
        return
    # What it asks may have to be fetched first.
    expect(dialog).to_contain_text(says, timeout=SOON_MS)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


@pytest.mark.parametrize("role", list(Role))
def test_who_answers_on_an_incident_page(
    node: ActingService, watched: Opener, asked: dict[str, Any], role: Role
) -> None:
    """Approvers and admins; all others read what is asked, and of whom."""
    may = role in ANSWERS
    path = f"{BOARD}/{asked['incident']}"
    page = enter_as(watched(node.url), node, role, path)
    box = page.locator(".now")
    expect(box).to_contain_text("Needs an answer", timeout=SOON_MS)
    told = "You can answer" if may else "your role cannot answer"
    expect(box).to_contain_text(told)
    for name in ("Approve", "Reject", "Edit arguments"):
        expect_there(page.get_by_role("button", name=name), may)
    # Nothing was granted: there is nothing to take back, for nobody.
    expect_there(page.get_by_role("button", name="Withdraw"), False)
    asks = {"a": "Approve this?", "r": "Reject this?", "e": "With other"}
    for key, says in asks.items():
        press(page, key, says if may else "")
    _stays_asked(node, asked)


@pytest.mark.parametrize("role", list(Role))
def test_who_answers_on_the_board(
    node: ActingService, watched: Opener, asked: dict[str, Any], role: Role
) -> None:
    """The same on its row, by its buttons and by the keys on it."""
    may = role in ANSWERS
    page = enter_as(watched(node.url), node, role, BOARD)
    row = page.locator(f"#i-{asked['incident']}")
    expect(row).to_contain_text(CALL, timeout=SOON_MS)
    for name in ("Approve", "Reject"):
        expect_there(row.get_by_role("button", name=name), may)
    row.focus()
    expect(row).to_have_class(re.compile(r"\bcurrent\b"))
    for key, says in (("a", "Approve"), ("r", "Reject")):
        press(page, key, says if may else "")
    _stays_asked(node, asked)


@pytest.mark.parametrize("role", list(Role))
def test_who_pauses_and_who_resumes(
    node: ActingService, watched: Opener, role: Role
) -> None:
    """A responder can stop all, and cannot let it go on; a viewer neither."""
    page = enter_as(watched(node.url), node, role, BOARD)
    button = page.locator("#pause")
    # It is drawn with this: before it nobody has a button.
    expect(page.locator("#mode")).not_to_have_text("-", timeout=SOON_MS)
    expect_there(button, role in PAUSES)
    if role in PAUSES:
        expect(button).to_contain_text("PAUSE ALL")
    press(page, "P", "Pause everything?" if role in PAUSES else "")
    with paused(node):
        expect(page.locator("#halted")).to_contain_text(
            "PAUSED: nothing is started", timeout=SOON_MS
        )
        expect_there(button, role in RESUMES)
        if role in RESUMES:
            expect(button).to_contain_text("RESUME ALL")
        says = "Let actions start again?" if role in RESUMES else ""
        press(page, "P", says)
    expect(page.locator("#halted")).to_be_hidden(timeout=SOON_MS)
    expect_there(button, role in PAUSES)


def test_who_sees_some_teams_resumes_nothing(
    node: ActingService, watched: Opener
) -> None:
    """It would let go what is everybody's: they are not offered it."""
    made = add(node, "bo", role="approver", teams=["shop"])
    page = watched(node.url).page()
    sign_in(page, made)
    page.goto(BOARD)
    button = page.locator("#pause")
    expect(button).to_contain_text("PAUSE ALL", timeout=SOON_MS)
    with paused(node):
        expect(page.locator("#halted")).to_be_visible(timeout=SOON_MS)
        expect(button).to_be_hidden()
        press(page, "P", "")
    expect(button).to_be_visible(timeout=SOON_MS)


def test_an_admin_of_some_teams_has_no_screen_of_admins(
    node: ActingService, watched: Opener
) -> None:
    """All that needs an admin is everybody's: it is not there for them."""
    made = add(node, "cy", role="admin", teams=["shop"])
    page = watched(node.url).page()
    sign_in(page, made)
    go(page, "/console/brains")
    expect(page.locator("#live")).to_be_visible()
    expect(page.get_by_role("link", name="People")).to_have_count(0)
    expect(page.get_by_role("button", name="Test", exact=True)).to_be_visible()
    for name in ("Let ", "Set it now", "Switch back"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    assert "g u" not in page.evaluate(OFFERED)
    assert page.request.get("/api/v1/people").status == 403
    go(page, "/console/mutes")
    expect(page.get_by_role("button", name="Mute")).to_be_visible()
    expect(page.locator("[name=calendar]")).to_have_count(0)
    answer = page.goto("/console/people")
    assert answer is not None
    assert answer.status == 403
    expect(page.locator("h1")).to_contain_text("who sees all teams")


@pytest.mark.parametrize("role", list(Role))
def test_the_service_holds_to_the_same(
    node: ActingService, asked: dict[str, Any], role: Role
) -> None:
    """Whoever is not offered it is refused it, without a browser, too."""
    visitors = Visitors(node)
    grant = f"/api/v1/approvals/{asked['id']}/grant"
    halt: dict[str, Any] = {"reason": "wrong hosts"}
    with visitors.client(role) as client:
        if role not in ANSWERS:
            assert client.post(grant, json={}).status_code == 403
        with paused(node):
            halt["halted"] = False
            again = client.put("/api/v1/halt", json=halt)
            assert again.is_success == (role in RESUMES), again.text
            halt["halted"] = True
            first = client.put("/api/v1/halt", json=halt)
            assert first.is_success == (role in PAUSES), first.text
    visitors.close()
    _stays_asked(node, asked)


def _stays_asked(node: ActingService, asked: dict[str, Any]) -> None:
    """Fail when a question is not as it was."""
    assert node.get(f"/approvals/{asked['id']}")["state"] == "asked"
