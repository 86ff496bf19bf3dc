"""Accounts and tokens: made, changed with the difference shown, taken away."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.service import Service
from tests.ui.browser import PHONE, go
from tests.ui.conftest import Opener
from tests.ui.dialogs import inspect_dialog, inspect_open, tab_to
from tests.ui.inspecting import look

PASSWORD = "a long sentence of the night"
# It may do everything here whoever has an account by now.
OPEN = {"access": {"open": "always"}}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a running service to which each test adds people of its own."""
    with Service(tmp_path_factory.mktemp("people"), OPEN) as running:
        yield running


def add(service: Service, name: str, **more: Any) -> dict[str, Any]:
    """Make an account; return it with its link."""
    answer = httpx.post(
        f"{service.url}/api/v1/people", json={"name": name, **more}
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def account(service: Service, name: str) -> dict[str, Any]:
    """Return an account as the API shows it."""
    items = httpx.get(f"{service.url}/api/v1/people").json()["items"]
    return next(dict(one) for one in items if one["name"] == name)


def row(page: Page, label: str, text: str) -> Any:
    """Return the row of a table that says something."""
    rows = page.get_by_role("region", name=label).locator("tbody tr")
    return rows.filter(has_text=text)


def sign_in(page: Page, made: dict[str, Any]) -> None:
    """Use somebody's link: their browser is signed in after it."""
    token = made["link"].split("token=")[1]
    answer = page.request.post(
        "/api/v1/setup",
        data={"token": token, "name": "", "password": PASSWORD},
        headers={
            "origin": made["link"].split("/console")[0],
            "x-smokejumper": "1",
        },
    )
    assert answer.ok, answer.text()


def test_an_account_is_made(service: Service, watched: Opener) -> None:
    """By keys alone; the link is shown once, and holds."""
    page = watched(service.url).page("/console/people")
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog", name="New account")
    dialog.get_by_label("name", exact=False).first.fill("ana")
    dialog.get_by_label("role").select_option("approver")
    dialog.get_by_label("teams").fill("shop, data , shop")
    page.keyboard.press("Enter")
    once = page.get_by_role("dialog", name="Link for ana")
    link = once.get_by_role("textbox").input_value()
    assert re.fullmatch(rf"{service.url}/console/setup\?token=\S+", link)
    expect(once).to_contain_text("It is not shown again.")
    once.get_by_role("button", name="I have it").click()
    expect(once).to_have_count(0)
    mine = row(page, "Accounts", "ana")
    expect(mine).to_contain_text("approver")
    expect(mine).to_contain_text("shop, data")
    expect(mine).to_contain_text("invited")
    assert link not in page.content()


def test_without_a_mouse(service: Service, watched: Opener) -> None:
    """An account is made, changed, and its sessions looked at, by keys."""
    page = watched(service.url).page("/console/people")
    make = page.get_by_role("button", name="New account")
    tab_to(page, make)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[name=name]")).to_be_focused()
    page.keyboard.type("kia")
    tab_to(page, dialog.locator("[name=role]"))
    page.keyboard.type("ap")
    tab_to(page, dialog.locator("[name=teams]"))
    page.keyboard.type("shop")
    page.keyboard.press("Enter")
    once = page.get_by_role("dialog", name="Link for kia")
    expect(once).to_contain_text("It is not shown again.")
    expect(dialog).to_have_count(1)
    assert inspect_open(page) == []
    tab_to(page, once.get_by_role("button", name="I have it"))
    page.keyboard.press("Enter")
    expect(make).to_be_focused()
    mine = row(page, "Accounts", "kia")
    expect(mine).to_contain_text("approver")
    tab_to(page, page.get_by_role("button", name="Change: kia"))
    page.keyboard.press("Enter")
    expect(dialog.locator("[name=role]")).to_be_focused()
    page.keyboard.type("re")
    tab_to(page, dialog.get_by_role("button", name="Save"))
    page.keyboard.press("Enter")
    expect(mine).to_contain_text("responder")
    tab_to(page, page.get_by_role("button", name="Sessions: kia"))
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Signed in nowhere.")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_its_dialogs_can_be_perceived_and_walked(
    service: Service, watched: Opener
) -> None:
    """What is done to an account: names, contrast, focus, the way back."""
    made = add(service, "uma", role="viewer")
    sign_in(watched(service.url).page(), made)
    page = watched(service.url).page("/console/people")
    page.wait_for_selector("#live[data-state=live]")
    wrong: list[str] = []
    for verb, name in (
        ("Change", "^Change uma$"),
        ("New link", "^A new link for uma"),
        ("Sessions", "^Sessions of uma$"),
    ):
        opener = page.get_by_role("button", name=f"{verb}: uma")
        wrong += inspect_dialog(page, opener, re.compile(name))
    assert wrong == []


def test_a_refusal_keeps_what_was_typed(
    service: Service, watched: Opener
) -> None:
    """It is said in the dialog, and can be mended there."""
    add(service, "taken")
    page = watched(service.url).page("/console/people")
    page.get_by_role("button", name="New account").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=name]").fill("taken")
    dialog.locator("[name=teams]").fill("shop")
    dialog.get_by_role("button", name="Make it").click()
    expect(dialog.get_by_role("alert")).to_contain_text("There is an account")
    expect(dialog.locator("[name=teams]")).to_have_value("shop")
    dialog.locator("[name=name]").fill("free")
    dialog.locator("[name=nature]").select_option("service")
    dialog.get_by_role("button", name="Make it").click()
    expect(dialog).to_have_count(0)
    expect(row(page, "Accounts", "free")).to_contain_text("tokens only")


def test_a_change_shows_its_difference(
    service: Service, watched: Opener
) -> None:
    """Before and after; nothing to save without one; the log has it."""
    add(service, "bo", role="viewer", teams=["shop"])
    page = watched(service.url).page("/console/people")
    page.get_by_role("button", name="Change: bo").click()
    dialog = page.get_by_role("dialog", name="Change bo")
    save = dialog.get_by_role("button", name="Save")
    expect(save).to_be_disabled()
    dialog.get_by_label("role").select_option("responder")
    dialog.get_by_label("disabled").check()
    difference = dialog.locator(".diff")
    expect(difference).to_contain_text("viewer → responder")
    expect(difference).to_contain_text("no → yes")
    expect(difference).not_to_contain_text("teams")
    save.click()
    expect(row(page, "Accounts", "bo")).to_contain_text("✗ disabled")
    kept = account(service, "bo")
    assert (kept["role"], kept["is_disabled"]) == ("responder", True)
    assert kept["teams"] == ["shop"]
    log = httpx.get(
        f"{service.url}/api/v1/log", params={"kind": "account.changed"}
    ).json()["items"]
    told = next(one for one in log if "bo" in one["summary"])
    assert (told["body"]["before"]["role"], told["body"]["after"]["role"]) == (
        "viewer",
        "responder",
    )


def test_who_is_second_is_told(service: Service, watched: Opener) -> None:
    """What another admin changed meanwhile is not overwritten."""
    made = add(service, "kim", role="viewer")
    page = watched(service.url).page("/console/people")
    page.get_by_role("button", name="Change: kim").click()
    httpx.patch(
        f"{service.url}/api/v1/people/{made['account']['id']}",
        json={"role": "approver"},
    ).raise_for_status()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("role").select_option("admin")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).not_to_be_empty()
    assert account(service, "kim")["role"] == "approver"


def test_a_token_is_shown_once_and_revoked(
    service: Service, watched: Opener
) -> None:
    """It opens the API until it is revoked, which is asked about."""
    add(service, "robot", nature="service", role="viewer")
    page = watched(service.url).page("/console/people")
    page.keyboard.press("N")
    dialog = page.get_by_role("dialog", name="New token")
    dialog.locator("[name=account]").select_option(label="robot (viewer)")
    dialog.locator("[name=label]").fill("dashboard <i>")
    dialog.get_by_role("button", name="Make it").click()
    once = page.get_by_role("dialog", name='Token "dashboard')
    secret = once.get_by_role("textbox").input_value()
    assert secret.startswith("sj_")
    once.get_by_role("button", name="I have it").click()
    expect(once).to_have_count(0)
    assert secret not in page.content()
    shows = {"authorization": f"Bearer {secret}"}
    me = httpx.get(f"{service.url}/api/v1/me", headers=shows).json()
    assert (me["name"], me["role"], me["way"]) == ("robot", "viewer", "token")
    mine = row(page, "Tokens", "dashboard <i>")
    expect(mine).to_contain_text("robot")
    mine.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(mine).to_contain_text("✗ revoked")
    expect(mine.get_by_role("button")).to_have_count(0)


def test_sessions_are_seen_and_ended(
    service: Service, watched: Opener
) -> None:
    """An admin signs somebody out; the browser of that one knows."""
    made = add(service, "mia", role="admin")
    theirs = watched(service.url).page()
    sign_in(theirs, made)
    go(theirs, "/console/me")
    expect(theirs.locator("main")).to_contain_text("signed in with this")
    expect(theirs.locator("main")).to_contain_text("(this one)")
    page = watched(service.url).page("/console/people")
    page.get_by_role("button", name="Sessions: mia").click()
    dialog = page.get_by_role("dialog", name="Sessions of mia")
    expect(dialog.get_by_role("region", name="Sessions")).to_contain_text(
        "password"
    )
    dialog.get_by_role("button", name="Sign out everywhere").click()
    expect(page.locator("#says")).to_contain_text("Ended 1 of mia.")
    assert account(service, "mia")["sessions"] == 0


def test_one_session_is_ended_from_another(
    service: Service, watched: Opener
) -> None:
    """The lost browser is out; the last one leads to the door."""
    made = add(service, "noa", role="viewer")
    lost = watched(service.url).page()
    sign_in(lost, made)
    page = watched(service.url).page()
    answer = page.request.post(
        "/api/v1/session",
        data={"name": "noa", "password": PASSWORD},
        headers={"origin": service.url, "x-smokejumper": "1"},
    )
    assert answer.ok, answer.text()
    go(page, "/console/me")
    rows = page.get_by_role("region", name="Sessions").locator("tbody tr")
    expect(rows).to_have_count(2)
    other = rows.filter(has_not_text="(this one)")
    other.get_by_role("button", name="Sign out").click()
    expect(rows).to_have_count(1)
    expect(page.locator("#says")).to_contain_text("Signed out")
    assert account(service, "noa")["sessions"] == 1
    rows.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/console/login*")
    assert account(service, "noa")["sessions"] == 0


def test_one_changes_ones_own_password(
    service: Service, watched: Opener
) -> None:
    """The old one is needed, and two that differ are no new one."""
    made = add(service, "eva", role="viewer")
    page = watched(service.url).page()
    sign_in(page, made)
    go(page, "/console/me")
    form = page.locator("#password form")

    def give(old: str, new: str, again: str) -> None:
        """Fill the form, and send it."""
        form.get_by_label("the old one").fill(old)
        form.get_by_label("the new one", exact=True).fill(new)
        form.get_by_label("the new one again").fill(again)
        form.get_by_role("button").click()

    give(PASSWORD, "another sentence", "another sentense")
    expect(form.get_by_role("alert")).to_contain_text("differ")
    give("wrong", "another sentence", "another sentence")
    expect(form.get_by_role("alert")).to_contain_text("✗")
    give(PASSWORD, "another sentence", "another sentence")
    expect(page.locator("#says")).to_contain_text("Changed.")
    answer = page.request.post(
        "/api/v1/session",
        data={"name": "eva", "password": "another sentence"},
        headers={"origin": service.url, "x-smokejumper": "1"},
    )
    assert answer.ok, answer.text()


def test_a_viewer_has_no_people(service: Service, watched: Opener) -> None:
    """No entry in the header, no page, and the API refuses."""
    made = add(service, "ivo", role="viewer")
    page = watched(service.url).page()
    sign_in(page, made)
    go(page, "/console/me")
    expect(page.locator("#head nav")).not_to_contain_text("People")
    answer = page.goto("/console/people")
    assert answer is not None
    assert answer.status == 403
    expect(page.locator("main")).to_contain_text("needs the role admin")
    assert page.request.get("/api/v1/people").status == 403


def test_everybody_can_use_it(service: Service, watched: Opener) -> None:
    """Names, headings and contrast, a dialog open; no wide phone."""
    add(service, "zoe")
    for light in ("dark", "light"):
        page = watched(service.url, color_scheme=light).page()
        go(page, "/console/people")
        page.wait_for_selector("#live[data-state=live]")
        page.keyboard.press("n")
        assert look(page) == []
    page = watched(service.url, viewport=PHONE).page("/console/people")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
