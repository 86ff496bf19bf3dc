"""The incident page: what people say there, and what they may."""

import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Error, Route, expect

from app.access.gate import COOKIE
from app.models.account import Role
from tests.flow.acting import ActingService
from tests.flow.deciding import firing
from tests.flow.visitors import Visitors
from tests.ui.browser import PHONE, WIDE, Chromium, go
from tests.ui.conftest import Opener
from tests.ui.dialogs import inspect_dialog

SOON_MS = 30_000
MARKUP = '<img src=x onerror="window.pwned=1">'
TURNED = "\u202egpj.exe"
CALL = "collect_diagnostics(host="


@pytest.fixture(scope="module")
def node(
    tmp_path_factory: pytest.TempPathFactory, browser: Chromium
) -> Iterator[ActingService]:
    """Return a service whose jobs go on until they are ended."""
    del browser  # without one nothing is started
    folder = tmp_path_factory.mktemp("incident")
    more = {"access": {"open": "always"}}
    with ActingService(folder, "slow", **more) as running:
        yield running


def path_of(incident: int) -> str:
    """Return the address of an incident's page."""
    return f"/console/incidents/{incident}"


def test_people_speak(node: ActingService, watched: Opener) -> None:
    """Take it, note, acknowledge, correct: all is kept, and shown."""
    incident = node.ask_about("inc-10")["incident"]
    page = watched(node.url).page(path_of(incident))
    page.keyboard.press("m")
    expect(page.locator(".title")).to_contain_text("owner: console")
    page.keyboard.press("n")
    page.keyboard.type("the disk is on its way")
    page.keyboard.press("Control+Enter")
    words = page.locator(".words")
    expect(words).to_contain_text("the disk is on its way")
    expect(page.get_by_label("A note")).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("y")
    page.keyboard.press("Enter")
    expect(page.locator(".title")).to_contain_text("seen by console")
    page.keyboard.press("o")
    page.locator("dialog select").select_option("free_disk_space")
    page.get_by_label("Why, or what was wrong").fill("it was logs")
    page.keyboard.press("Enter")  # in a longer text it is a new line
    page.get_by_role("button", name="Correct it").click()
    expect(words).to_contain_text("the right action was free_disk_space")
    said = node.get(f"/incidents/{incident}")["words"]
    assert [one["kind"] for one in said] == [
        "owner",
        "note",
        "acknowledge",
        "correction",
    ]
    assert said[3]["details"]["correct"] == "free_disk_space"


def test_it_is_muted_and_proposed_from_here(
    node: ActingService, watched: Opener
) -> None:
    """By hand through the policy as ever; muted for as long as chosen."""
    incident = node.ask_about("inc-11")["incident"]
    page = watched(node.url).page(path_of(incident))
    page.keyboard.press("p")
    dialog = page.locator("dialog")
    dialog.locator("select[name=action]").select_option("free_memory")
    expect(dialog.get_by_label("host")).to_have_value("inc-11")
    dialog.get_by_label("Why?").fill("it swaps")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator(".now")).to_contain_text("free_memory(host=inc-11)")
    page.keyboard.press("u")
    expect(dialog).to_contain_text('target="inc-11"')
    dialog.get_by_label("Why?").fill("new disk")
    page.keyboard.press("Enter")
    expect(page.locator("#now-title")).to_contain_text(
        "Suppressed", timeout=SOON_MS
    )
    expect(page.locator(".now")).to_contain_text("new disk")


def test_two_are_merged_and_listed(
    node: ActingService, watched: Opener
) -> None:
    """What was merged says where it goes on; the like of it is listed."""
    one = node.ask_about("inc-12")["incident"]
    other = node.ask_about("inc-13")["incident"]
    page = watched(node.url).page(path_of(one))
    similar = page.get_by_role(
        "region", name="Similar incidents and what was done about them"
    )
    expect(similar).to_contain_text("inc-13")
    page.get_by_role("button", name="Merge").click()
    page.get_by_label("Number of the other incident").fill(str(other))
    page.keyboard.press("Enter")
    expect(page.locator("#now-title")).to_contain_text(
        f"Merged into {other}", timeout=SOON_MS
    )
    page.locator(".now").get_by_role("link").click()
    page.wait_for_url(f"**{path_of(other)}")


def test_a_viewer_has_no_buttons(node: ActingService, watched: Opener) -> None:
    """All is shown; what a role may not do is not there, nor its key."""
    asked = node.ask_about("inc-15")
    visitors = Visitors(node)
    context = watched(node.url)
    context.context.add_cookies(
        [
            {
                "name": COOKIE,
                "value": visitors.sign_in(Role.VIEWER),
                "url": node.url,
            }
        ]
    )
    visitors.close()
    page = context.page(path_of(asked["incident"]))
    expect(page.locator(".now")).to_contain_text("your role cannot answer")
    main = page.locator("main")
    for name in ("Approve", "Reject", "take it", "Acknowledge", "Mute"):
        button = main.get_by_role("button", name=name)
        expect(button).to_have_count(0)
    expect(main.locator("textarea")).to_have_count(0)
    for key in "arempyoun":
        page.keyboard.press(key)
    expect(page.locator("dialog")).to_have_count(0)
    expect(main).to_contain_text(CALL)
    assert node.get(f"/approvals/{asked['id']}")["state"] == "asked"


def test_hostile_texts_are_texts(node: ActingService, watched: Opener) -> None:
    """Markup and turned letters in alerts and notes do nothing."""
    alert = firing("inc-16", severity="critical")
    alert["annotations"]["summary"] = f"{MARKUP} {TURNED} {'w' * 900}"
    node.fire(alert)
    query = {"target": "host::inc-16"}
    node.wait_for(lambda: node.get("/incidents", **query)["items"])
    incident = node.get("/incidents", **query)["items"][0]["id"]
    body = {"author": "ana", "text": f"{MARKUP}\n# {'n' * 900}"}
    assert node.post(f"/incidents/{incident}/notes", body).is_success
    page = watched(node.url, viewport=PHONE).page(path_of(incident))
    expect(page.locator("h1")).to_contain_text(MARKUP)
    expect(page.locator(".words")).to_contain_text(MARKUP)
    assert page.locator("main img").count() == 0
    assert page.evaluate("window.pwned") is None
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_long_name_pushes_nothing_aside(
    node: ActingService, watched: Opener, viewport: dict[str, int]
) -> None:
    """A name of one word is broken, whoever has it."""
    host = f"inc-long-{viewport['width']}"
    node.fire(firing(host, team="t" * 200))
    target = {"target": f"host::{host}"}
    node.wait_for(lambda: node.decisions(**target))
    number = node.decisions(**target)[0]["incident"]
    asked = {"incident": number, "state": "asked"}
    node.wait_for(lambda: node.get("/approvals", **asked)["items"])
    question = node.get("/approvals", **asked)["items"][0]["id"]
    node.answer(question, "refuse").raise_for_status()
    for what, more in (("owner", {"owner": "w" * 200}), ("notes", {})):
        body = {"author": "o" * 200, "text": "n" * 300, **more}
        node.post(f"/incidents/{number}/{what}", body).raise_for_status()
    page = watched(node.url, viewport=viewport).page(path_of(number))
    expect(page.locator(".now .who")).to_contain_text("w" * 200)
    expect(page.locator(".words")).to_contain_text("o" * 200)
    wide = "document.documentElement.scrollWidth"
    assert page.evaluate(wide) <= viewport["width"]
    go(page, "/console/incidents")
    expect(page.locator(f"#i-{number}")).to_be_visible()
    expect(page.locator(".chips")).to_contain_text("t" * 200)
    assert page.evaluate(wide) <= viewport["width"]


def test_it_is_copied_as_markdown(
    node: ActingService, watched: Opener
) -> None:
    """A ticket gets the call, the steps and the notes, as plain text."""
    incident = node.ask_about("inc-17")["incident"]
    body = {"author": "ana", "text": "see [this](javascript:x) *now*"}
    assert node.post(f"/incidents/{incident}/notes", body).is_success
    context = watched(node.url)
    context.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.page(path_of(incident))
    expect(page.locator(".words")).to_contain_text("see [this]")
    page.keyboard.press("c")
    expect(page.locator("#says")).to_contain_text("Copied")
    text = page.evaluate("navigator.clipboard.readText()")
    assert text.startswith(f"# Incident {incident}: the disk is full")
    assert "`collect_diagnostics(host=inc-17, topic=cpu)`" in text
    assert r"see \[this\](javascript:x) \*now\*" in text


def test_what_nobody_asked_for_is_not_fetched(
    node: ActingService, watched: Opener
) -> None:
    """Charts, outputs and forms come with the first of them; once each."""
    incident = node.ask_about("inc-20")["incident"]
    context = watched(node.url)
    page = context.page(path_of(incident))

    def fetched(part: str) -> int:
        """Return how often a script was fetched."""
        return sum(one.endswith(f"/{part}.js") for one in context.asked)

    assert fetched("incident/now") == 1
    for part in ("el/chart", "el/log", "log/lines", "incident/propose"):
        assert fetched(part) == 0
    for key in "ep":
        page.keyboard.press(key)
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible(timeout=SOON_MS)
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    assert fetched("incident/propose") == 1


def test_a_key_right_after_a_dialog_is_heard(
    node: ActingService, watched: Opener
) -> None:
    """For a moment the focus is still in what is gone already."""
    incident = node.ask_about("inc-21")["incident"]
    page = watched(node.url).page(path_of(incident))
    page.keyboard.press("e")
    page.get_by_role("dialog", name="With other arguments").evaluate(
        """(dialog) => {
          const field = document.activeElement;
          dialog.close();
          field.dispatchEvent(new KeyboardEvent("keydown",
            { key: "p", bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.get_by_role("dialog", name="Propose an action")).to_be_visible(
        timeout=SOON_MS
    )


def test_a_grant_is_taken_back_before_it_starts(
    node: ActingService, watched: Opener
) -> None:
    """It waits for another job on its target; the key asks, then it is so."""
    node.fire(firing("inc-22"), firing("inc-22", "too", device="sdb"))
    first = node.ask_about("inc-22")
    both = node.get(f"/incidents/{first['incident']}")["all_episodes"]
    body = {"author": "ana", "episodes": [both[0]["id"]]}
    split = node.post(f"/incidents/{first['incident']}/split", body)
    other = split.raise_for_status().json()["details"]["into"]
    query = {"state": "asked", "incident": other}
    node.wait_for(lambda: node.get("/approvals", **query)["items"])
    (second,) = node.get("/approvals", **query)["items"]
    assert node.answer(first["id"], "grant").is_success
    node.wait_for_job(first["incident"], "started")
    assert node.answer(second["id"], "grant").is_success
    page = watched(node.url).page(path_of(second["incident"]))
    button = page.get_by_role("button", name="Withdraw")
    asks = re.compile("^Withdraw the approval")
    assert inspect_dialog(page, button, asks) == []
    dialog = page.get_by_role("dialog", name=asks)
    # A press while the page draws its news may find no button: press again.
    for _ in range(3):
        expect(button).to_be_visible()
        page.keyboard.press("w")
        with suppress(Error):
            dialog.wait_for(timeout=SOON_MS / 3)
            break
    expect(dialog).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#now-title")).to_contain_text(
        "With people", timeout=SOON_MS
    )
    expect(button).to_be_hidden()
    answered = node.get(f"/approvals/{second['id']}")
    assert answered["state"] == "withdrawn"


@pytest.mark.parametrize("key", ["p", "e"])
def test_a_key_that_is_pressed_twice_asks_once(
    node: ActingService, watched: Opener, key: str
) -> None:
    """What a dialog shows has to be fetched: nobody waits for it in vain."""
    incident = node.ask_about(f"inc-21-{key}")["incident"]
    page = watched(node.url).page()
    held: list[Route] = []

    def hold(route: Route) -> None:
        """Let it wait."""
        held.append(route)

    page.route("**/api/v1/catalogue", hold)
    go(page, path_of(incident))
    page.keyboard.press(key)
    page.keyboard.press(key)
    page.keyboard.press("m")
    expect(page.locator(".title")).to_contain_text("owner: console")
    assert held
    # Nor does anybody wait for it with another answer.
    page.keyboard.press("r")
    reject = page.get_by_role("dialog", name="Reject this?")
    expect(reject).to_be_visible()
    page.keyboard.press("Escape")
    expect(reject).to_have_count(0)
    # Those that wait go on with it.
    page.unroute("**/api/v1/catalogue")
    dialog = page.get_by_role("dialog")
    expect(dialog.first).to_be_visible(timeout=SOON_MS)
    # The other one would have been there by now.
    page.evaluate("() => fetch('/api/v1/catalogue')")
    expect(dialog).to_have_count(1)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
