"""The incident page: what it wants, who must act, what people answer."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.flow.acting import ActingService
from tests.flow.visitors import Visitors
from tests.ui.browser import RENEW, Chromium, go
from tests.ui.conftest import Opener

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


def now_of(page: Page) -> str:
    """Return what the box at the top says is going on."""
    return page.locator("#now-title").inner_text()


def test_the_box_says_what_it_wants(
    node: ActingService, watched: Opener
) -> None:
    """The call, how sure, the rule, the risk, the undo, and until when."""
    asked = node.ask_about("inc-01")
    page = watched(node.url).page(path_of(asked["incident"]))
    box = page.locator(".now")
    expect(box).to_contain_text("Needs an answer")
    expect(box).to_contain_text("You can answer")
    expect(box).to_contain_text("collect_diagnostics(host=inc-01, topic=cpu)")
    expect(box.locator(".sure")).to_contain_text("0.90")
    expect(box).to_contain_text("trust:approve")
    expect(box).to_contain_text("observe: it only looks")
    expect(box).to_contain_text("nothing to undo")
    expect(box.locator(".countdown")).to_contain_text("never granted late")
    assert page.title().startswith(f"{asked['incident']} inc-01")
    expect(page.locator(".title")).to_contain_text("AWAITING APPROVAL")


def test_approve_waits_for_the_server(
    node: ActingService, watched: Opener
) -> None:
    """One key asks, Enter sends, and the box shows what has begun."""
    asked = node.ask_about("inc-02")
    page = watched(node.url).page(path_of(asked["incident"]))
    page.keyboard.press("a")
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("Approve this?")
    expect(dialog).to_contain_text(CALL)
    held: list[Route] = []

    def hold(route: Route) -> None:
        """Let the server wait for it."""
        held.append(route)

    page.route("**/grant", hold)
    page.keyboard.type("go ahead")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("sending ...")
    # Nothing looks done before the server says so.
    assert "Needs an answer" in now_of(page)
    expect(dialog.get_by_role("button", name="Approve")).to_be_disabled()
    held[0].continue_()
    expect(dialog).to_have_count(0)
    expect(page.locator("#now-title")).to_contain_text(
        "Acting", timeout=SOON_MS
    )
    (vote,) = node.get(f"/approvals/{asked['id']}")["votes"]
    assert (vote["person"], vote["comment"]) == ("console", "go ahead")
    expect(page.locator(".now")).to_contain_text('console: grant, "go ahead"')


def test_escape_answers_nothing(node: ActingService, watched: Opener) -> None:
    """A dialog that is put away leaves the question as it was."""
    asked = node.ask_about("inc-03")
    page = watched(node.url).page(path_of(asked["incident"]))
    for key in ("a", "r", "e"):
        page.keyboard.press(key)
        expect(page.locator("dialog")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
    again = node.get(f"/approvals/{asked['id']}")
    assert (again["state"], again["version"]) == ("asked", 1)


def test_who_comes_second_is_told_who_was_first(
    node: ActingService, watched: Opener
) -> None:
    """The dialog was open when ana answered: it says so, nothing is done."""
    asked = node.ask_about("inc-04")
    page = watched(node.url).page(path_of(asked["incident"]))
    page.keyboard.press("a")
    expect(page.locator("dialog")).to_have_count(1)
    assert node.answer(asked["id"], "refuse", comment="no").is_success
    page.keyboard.press("Enter")
    alert = page.locator("dialog [role=alert]")
    expect(alert).to_contain_text("Not done")
    approve = page.locator("dialog button.main")
    expect(approve).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#now-title")).to_contain_text("With people")
    expect(page.locator(".now")).to_contain_text("refused by ana")
    expect(page.locator(".now")).to_contain_text("somebody must take it")
    expect(page.get_by_role("button", name="Approve")).to_be_hidden()


def test_an_edit_is_ruled_on_anew(
    node: ActingService, watched: Opener
) -> None:
    """Other arguments are another question, and the old one is gone."""
    asked = node.ask_about("inc-05")
    page = watched(node.url).page(path_of(asked["incident"]))
    page.keyboard.press("e")
    dialog = page.locator("dialog")
    dialog.get_by_label("topic").select_option("memory")
    dialog.get_by_label("Why?").fill("it swaps")
    dialog.get_by_role("button", name="Propose it").click()
    expect(dialog).to_have_count(0)
    expect(page.locator(".now")).to_contain_text("topic=memory")
    expect(page.locator(".now")).to_contain_text(
        "Needs an answer", timeout=SOON_MS
    )
    assert node.get(f"/approvals/{asked['id']}")["state"] == "edited"


def test_what_runs_is_shown_and_stopped(
    node: ActingService, watched: Opener
) -> None:
    """The output comes by itself; the key ends the job, with a reason."""
    asked = node.ask_about("inc-06")
    assert node.answer(asked["id"], "grant").is_success
    page = watched(node.url).page(path_of(asked["incident"]))
    log = page.locator("sj-log")
    expect(log).to_contain_text("begun", timeout=SOON_MS)
    page.keyboard.press("s")
    page.get_by_label("Why?").fill("wrong host")
    page.keyboard.press("Enter")
    expect(page.locator("#now-title")).to_contain_text(
        "With people", timeout=SOON_MS
    )
    job = node.wait_for_job(asked["incident"], "aborted")
    assert "wrong host" in job["abort"]
    step = page.locator(".step", has_text="JOB").first
    expect(step).to_contain_text("aborted")
    expect(step.get_by_role("img")).to_have_attribute("aria-label", "not well")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)


def test_the_page_follows_what_happens(
    node: ActingService, watched: Opener
) -> None:
    """Others answer elsewhere: the page shows it; what is typed stays."""
    asked = node.ask_about("inc-07")
    page = watched(node.url).page(path_of(asked["incident"]))
    pending = page.locator(".step[data-state=pending]")
    expect(pending).to_have_count(1)
    expect(pending).to_contain_text("still to come")
    page.keyboard.press("n")
    page.keyboard.type("half a note")
    decision = page.locator(".step", has_text="DECISION")
    decision.locator("summary").first.click()
    expect(decision).to_contain_text("Where each argument came from")
    assert node.answer(asked["id"], "grant", comment="ok").is_success
    expect(page.locator("#now-title")).to_contain_text(
        "Acting", timeout=SOON_MS
    )
    expect(page.locator(".timeline")).to_contain_text("granted by ana: ok")
    expect(page.get_by_label("A note")).to_have_value("half a note")
    expect(decision.locator("details").first).to_have_attribute("open", "")


def test_what_came_earlier_stays(node: ActingService, watched: Opener) -> None:
    """An answer that was on its way meanwhile does not take it away."""
    incident = node.ask_about("inc-24")["incident"]
    page = watched(node.url).page()
    held: list[Route] = []

    def cut(route: Route) -> None:
        """Answer with the newest entry, as if there were too many."""
        if "before=" in route.request.url:
            route.continue_()
            return
        told = route.fetch().json()
        route.fulfill(json={**told, "items": told["items"][:1], "next": "x"})

    def hold(route: Route) -> None:
        """Let it wait."""
        held.append(route)

    page.route(f"**/api/v1/log?incident={incident}&*", cut)
    go(page, path_of(incident))
    steps = page.locator(".step")
    expect(steps.filter(has_text="ALERT")).to_have_count(0)
    asked = f"**/api/v1/incidents/{incident}"
    page.route(asked, hold)
    with page.expect_request(asked):
        body = {"author": "ana", "owner": "ana"}
        assert node.post(f"/incidents/{incident}/owner", body).is_success
    page.get_by_role("button", name="What came earlier").click()
    expect(steps.filter(has_text="ALERT").first).to_be_visible()
    for one in held:
        one.continue_()
    expect(page.locator(".title")).to_contain_text("owner: ana")
    expect(steps.filter(has_text="ALERT").first).to_be_visible()
    page.unroute(asked)
    page.evaluate(RENEW)
    page.evaluate("async () => { await window.renewing; }")
    expect(steps.filter(has_text="ALERT").first).to_be_visible()
    expect(page.get_by_role("button", name="What came earlier")).to_be_hidden()


def test_a_decision_shows_all_that_it_rests_on(
    node: ActingService, watched: Opener
) -> None:
    """One click: options, grounding, prompt and raw answer; then the rest."""
    asked = node.ask_about("inc-08")
    page = watched(node.url).page(path_of(asked["incident"]))
    step = page.locator(".step", has_text="DECISION")
    step.locator("summary").first.click()
    expect(step).to_contain_text("label instance")
    expect(step).to_contain_text("inc-08:9100")
    for said in ("a role", "SECRET-CASE", "SECRET-ANSWER"):
        expect(step.locator("pre", has_text=said)).to_be_visible()
    for fold in ("prompt of fake-1", "raw answer of fake-1"):
        # Who has read it can put it away.
        step.get_by_text(fold).click()
    expect(step.locator("pre", has_text="SECRET")).to_have_count(2)
    for said in ("SECRET-CASE", "SECRET-ANSWER"):
        expect(step.locator("pre", has_text=said)).to_be_hidden()
    step.get_by_text("what it could choose from").click()
    expect(step).to_contain_text("no label of the alert names it")
    ruling = page.locator(".step", has_text="POLICY")
    ruling.locator("summary").first.click()
    expect(ruling.locator(".trail")).to_contain_text("halted: passed")


def test_the_prompt_is_one_click_away(
    node: ActingService, watched: Opener
) -> None:
    """By its button on the decision: nobody has to look for it."""
    asked = node.ask_about("inc-18")
    page = watched(node.url).page(path_of(asked["incident"]))
    step = page.locator(".step", has_text="DECISION")
    step.get_by_role("button", name="Prompt and raw answer").click()
    prompt = step.locator("pre", has_text="SECRET-CASE")
    expect(prompt).to_be_visible()
    expect(prompt).to_be_in_viewport()
    expect(step.locator(".spoken")).to_be_focused()


def test_a_ruling_of_the_log_is_asked_again(
    node: ActingService, watched: Opener
) -> None:
    """What today's policy says, that it differs, that nobody can know."""
    asked = node.ask_about("inc-19")
    ruling = node.get("/log", incident=asked["incident"], kind="ruling.made")[
        "items"
    ][0]
    before = node.get("/status")["seq"]
    page = watched(node.url).page(f"/console/log?entry={ruling['id']}")
    panel = page.locator("#peek")
    expect(panel).to_contain_text("The policy in force, today")
    expect(panel).to_contain_text("= It would say the same: ask.")
    expect(panel).to_contain_text("Nothing was started to find this out.")
    assert node.get("/status")["seq"] == before
    told = node.get(f"/rulings/{ruling['body']['ruling']}/today")
    changed = {
        "now": "allow",
        "now_rule": "trust:auto",
        "reason": "It is well",
    }
    page.route("**/rulings/*/today", lambda route: route.fulfill(json=told))
    told.update(is_same=False, **changed)
    page.reload()
    expect(panel).to_contain_text("Today it would say allow (trust:auto)")


def test_entries_have_addresses(node: ActingService, watched: Opener) -> None:
    """The density is in the address, and an entry can be linked to."""
    asked = node.ask_about("inc-09")
    incident = asked["incident"]
    page = watched(node.url).page(path_of(incident))
    page.keyboard.press("v")
    entries = node.get("/log", incident=incident)["items"]
    expect(page.locator(".step.entry")).to_have_count(len(entries))
    assert page.url.endswith("?view=full")
    first = entries[-1]
    other = watched(node.url).page(
        f"{path_of(incident)}?view=full#e-{first['id']}"
    )
    named = other.locator(".step.named")
    expect(named).to_contain_text("incident.opened")
    named.locator("summary").click()
    expect(named.locator("pre")).to_contain_text(first["hash"])


def test_a_pause_is_said_in_the_box(
    node: ActingService, watched: Opener
) -> None:
    """Whoever looks at a question knows that nothing would start."""
    incident = node.ask_about("inc-14")["incident"]
    page = watched(node.url).page(path_of(incident))
    body = {"author": "ana", "reason": "wrong hosts", "halted": True}
    put(node, "/halt", body)
    try:
        expect(page.locator(".now")).to_contain_text(
            "Everything is paused by", timeout=SOON_MS
        )
    finally:
        put(node, "/halt", {**body, "halted": False})
    expect(page.locator(".now")).not_to_contain_text(
        "Everything is paused", timeout=SOON_MS
    )


def put(node: ActingService, path: str, body: dict[str, object]) -> None:
    """Set something through the API."""
    with Visitors(node).client(None) as client:
        answer = client.put(f"/api/v1{path}", json=body)
    assert answer.is_success, answer.text


def test_an_unknown_incident_is_said(
    node: ActingService, watched: Opener
) -> None:
    """There is a way back, and nothing is broken."""
    page = watched(node.url).page("/console/incidents/99999999")
    expect(page.locator("h1")).to_contain_text("There is no incident")
    page.get_by_role("link", name="All incidents").click()
    page.wait_for_url("**/console/incidents")
