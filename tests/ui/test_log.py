"""The action log's page: with a script, without one, by keys, by a viewer."""

import csv
import io
import re
import time
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from app.access.gate import COOKIE
from app.models.account import Account, Role
from app.models.entry import Note
from app.store.accounts import add_account
from app.store.ledger import Ledger
from tests.flow.deciding import firing
from tests.flow.events import location_of, note, write
from tests.flow.visitors import Visitors
from tests.service import Service
from tests.ui.browser import PHONE, go
from tests.ui.conftest import Opener
from tests.ui.inspecting import look

LINES = 120
HOSTILE = "<img src=x onerror=alert(1)> \u202egnp.exe " + "w" * 300
FORMULA = "=HYPERLINK(1)"
ROWS = "#lines tbody tr"
# Two teams, by names that stand in every line about them and nowhere else;
# so many lines of each that they fill more than one page.
OURS, THEIRS = "zqours", "zqcanary"
OF_EACH = 60


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service with a log of 120 lines, all kinds of texts in it."""
    with Service(tmp_path_factory.mktemp("log")) as running:
        some = [
            note(
                number,
                "incident.noted" if number % 3 else "job.started",
                actor="person:bo" if number % 2 else "rule:folding",
                incident=number % 4,
                target=f"web-{number % 5}",
                action=FORMULA if number == 7 else "",
                status="open",
            )
            for number in range(1, LINES)
        ]
        write(running, *some, note(LINES, summary=HOSTILE, actor="person:x"))
        yield running


def shown(page: Page) -> list[int]:
    """Return the numbers of the lines on a page."""
    links = page.locator(f"{ROWS} a.peek").all_text_contents()
    return [int(one) for one in links]


def test_the_address_is_the_filter(service: Service, watched: Opener) -> None:
    """The form fills the address; a chip takes a filter away."""
    page = watched(service.url).page("/console/log")
    assert shown(page) == list(range(LINES, LINES - 50, -1))
    expect(page.locator("#tally")).to_have_text("~120 lines")
    page.get_by_label("who", exact=True).fill("person:bo")
    page.get_by_label("what", exact=True).fill("job.started")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url(re.compile("actor=person"))
    page.wait_for_selector("html[data-ready='true']")
    expect(page.locator("#tally")).to_have_text("20 match (exact)")
    assert all(one % 6 == 3 for one in shown(page))
    page.get_by_role("link", name="Without kind job.started").click()
    page.wait_for_url(re.compile(r"^(?!.*kind=job)"))
    expect(page.get_by_label("who", exact=True)).to_have_value("person:bo")
    expect(page.locator(ROWS).first).to_contain_text("person:bo")
    page.get_by_role("link", name="Clear").click()
    page.wait_for_url("**/console/log")


def test_pages_are_turned_by_keys(service: Service, watched: Opener) -> None:
    """Older by >, newer by <, each line once; the count on demand."""
    page = watched(service.url).page("/console/log")
    seen = shown(page)
    page.get_by_role("link", name="count exactly").click()
    expect(page.locator("#tally")).to_have_text("120 lines (exact)")
    page.wait_for_selector("html[data-ready='true']")
    for _ in range(2):
        last = seen[-1]
        page.keyboard.press(">")
        page.wait_for_url(re.compile(f"before={last}"))
        page.wait_for_selector("html[data-ready='true']")
        seen += shown(page)
    assert seen == list(range(LINES, 0, -1))
    expect(page.locator("#older")).to_have_count(0)
    page.keyboard.press("<")
    page.wait_for_url(re.compile("after="))
    page.wait_for_selector("html[data-ready='true']")
    assert shown(page) == list(range(70, 20, -1))
    page.get_by_role("link", name="Newest").click()
    expect(page.locator(f"{ROWS} a.peek").first).to_have_text(str(LINES))


def test_a_line_is_looked_at_by_keys(
    service: Service, watched: Opener
) -> None:
    """j, space, j, Esc: the panel follows, the focus comes back."""
    page = watched(service.url).page("/console/log")
    page.keyboard.press("j")
    page.keyboard.press(" ")
    panel = page.locator("#peek")
    expect(panel.get_by_role("heading").first).to_contain_text("Line 120")
    expect(panel).to_contain_text("It fits the entry before it")
    assert "entry=120" in page.url
    page.keyboard.press("j")
    expect(panel.get_by_role("heading").first).to_contain_text("Line 119")
    told = httpx.get(f"{service.url}/api/v1/log/119").json()
    expect(panel).to_contain_text(told["hash"])
    expect(page.locator(f"{ROWS}[aria-selected=true]")).to_contain_text("119")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert "entry" not in page.url
    focus = "document.activeElement.textContent"
    assert page.evaluate(focus) == "119"


def test_an_address_opens_a_line(service: Service, watched: Opener) -> None:
    """Whoever gets the link sees the same; one that is gone is told."""
    page = watched(service.url).page("/console/log?entry=5&actor=person:bo")
    panel = page.locator("#peek")
    expect(panel.get_by_role("link", name="person:bo")).to_be_visible()
    expect(panel).to_contain_text("word 5")
    expect(panel.get_by_role("link", name="incident 1")).to_have_attribute(
        "href", "/console/incidents/1"
    )
    answer = httpx.get(f"{service.url}/console/log?entry=99999")
    assert "There is no such line" in answer.text


def test_it_works_without_a_script(service: Service, watched: Opener) -> None:
    """Filter, pages, a line: by links and a form alone."""
    page = watched(service.url, java_script_enabled=False).page()
    page.goto("/console/log")
    page.get_by_label("target", exact=True).fill("web-2")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#tally")).to_have_text("24 match (exact)")
    assert all(one % 5 == 2 for one in shown(page))
    page.get_by_role("link", name="Look at line 117").click()
    expect(page.locator("#peek")).to_contain_text("word 117")
    expect(page.locator("#peek")).to_contain_text("person:bo")
    expect(page.get_by_label("target", exact=True)).to_have_value("web-2")
    page.locator("#peek").get_by_role("link", name="Close").click()
    expect(page.locator("#peek")).to_be_hidden()


def test_texts_are_only_texts(service: Service, watched: Opener) -> None:
    """Markup is shown, what turns letters is written out, nothing is wide."""
    page = watched(service.url, viewport=PHONE).page("/console/log?entry=120")
    row = page.locator(ROWS).first
    expect(row).to_contain_text("<img src=x onerror=alert(1)>")
    expect(row).to_contain_text("\\u202egnp.exe")
    expect(page.locator("#peek")).to_contain_text("\\u202egnp.exe")
    expect(page.locator("main img")).to_have_count(0)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]


def test_news_wait_behind_a_bar(service: Service, watched: Opener) -> None:
    """Only what the filter lets through; nothing moves before the key."""
    page = watched(service.url).page("/console/log?actor=person:kim")
    page.wait_for_selector("#live[data-state=live]")
    expect(page.locator(".empty")).to_contain_text("No line matches")
    write(
        service,
        note(1, "test.more", actor="person:kim"),
        note(2, "test.more", actor="person:else"),
        note(3, "test.more", actor="person:kim"),
    )
    bar = page.locator("#fresh")
    expect(bar).to_have_text("2 new - press .")
    expect(page.locator(ROWS)).to_have_count(0)
    page.keyboard.press(".")
    expect(page.locator(ROWS)).to_have_count(2)
    expect(page.locator("#fresh")).to_be_hidden()


def test_what_is_wrong_is_said_beside_the_form(service: Service) -> None:
    """What was typed stays; a service that cannot find it says so."""
    url = f"{service.url}/console/log"
    page = httpx.get(url, params={"since": "some <day>", "kind": "a.b"})
    assert page.status_code == 200
    assert "since: is no time" in page.text
    assert 'value="some &lt;day&gt;"' in page.text
    assert 'value="a.b"' in page.text
    assert "No line matches" not in page.text


def test_an_export_is_this_filter(service: Service, watched: Opener) -> None:
    """The file has what the page shows, and no formula."""
    page = watched(service.url).page("/console/log?kind=incident.noted")
    link = page.get_by_role("link", name="CSV")
    href = str(link.get_attribute("href"))
    assert urlsplit(href).path == "/api/v1/export/log"
    text = httpx.get(f"{service.url}{href}").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["kind"] for row in rows} == {"incident.noted"}
    assert f"'{FORMULA}" in {row["action"] for row in rows}


def test_times_are_the_readers(service: Service, watched: Opener) -> None:
    """Their zone without a word; the zone of an address where it has one."""
    context = watched(service.url, timezone_id="Asia/Tokyo")
    page = context.page("/console/log?entry=3")
    first = page.locator(f"{ROWS} time").first
    # The lines were written at 02:14:02 UTC.
    expect(first).to_contain_text("11:14:02")
    expect(page.locator('#filter [name="zone"]')).to_have_value("Asia/Tokyo")
    go(page, "/console/log?zone=Europe/Berlin&since=2026-11-21")
    expect(page.locator(f"{ROWS} time").first).to_contain_text("03:14:02")
    expect(page.locator("#zone")).to_have_text("Europe/Berlin")


def test_everybody_can_use_it(service: Service, watched: Opener) -> None:
    """Names, headings, contrast, with the panel open, in both lights."""
    for light in ("dark", "light"):
        page = watched(service.url, color_scheme=light).page()
        go(page, "/console/log?entry=5&text=word")
        expect(page.locator("#peek")).to_contain_text("It fits")
        page.wait_for_selector("#live[data-state=live]")
        assert look(page) == []


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service where nobody comes in without an account."""
    folder = tmp_path_factory.mktemp("closed")
    with Service(folder, {"access": {"open": "never"}}) as running:
        yield running


@pytest.fixture(scope="module")
def parted(closed: Service) -> Iterator[Visitors]:
    """Return who visits it; its log is about two teams, in turns."""
    visitors = Visitors(closed)
    ledger = Ledger(location_of(closed), 10.0)
    with ledger.turn() as connection:
        for role, teams in ((Role.ADMIN, ()), (Role.VIEWER, (OURS,))):
            account = Account(
                name=role.value, role=role.value, secret="-", teams=teams
            )
            add_account(connection, account)
    ledger.close()
    alerts = [firing(f"web-{team}", team=team) for team in (OURS, THEIRS)]
    url = f"{closed.url}/webhooks/alertmanager"
    body = {"version": "4", "alerts": alerts}
    httpx.post(url, json=body).raise_for_status()
    numbers = [incident_of(visitors, team) for team in (OURS, THEIRS)]
    for turn in range(OF_EACH):
        write(closed, *map(partial(about, turn), numbers, (OURS, THEIRS)))
    # What all must know, and what only those may who see all.
    write(closed, note(0, "halt.changed"), note(0, summary=THEIRS))
    yield visitors
    visitors.close()


def incident_of(visitors: Visitors, team: str) -> int:
    """Return the incident of a team as soon as there is one."""
    deadline = time.monotonic() + 30
    with visitors.client(Role.ADMIN) as admin:
        while time.monotonic() < deadline:
            query = {"team": team}
            answer = admin.get("/api/v1/incidents", params=query)
            if found := answer.json()["items"]:
                return int(found[0]["id"])
            time.sleep(0.05)
    pytest.fail("no incident was made of the alert")


def visit(visitors: Visitors, watched: Opener, path: str) -> Page:
    """Open a page as somebody who sees one team."""
    opened = watched(visitors.url)
    secret = visitors.sign_in(Role.VIEWER)
    opened.context.add_cookies(
        [{"name": COOKIE, "value": secret, "url": visitors.url}]
    )
    return opened.page(path)


def about(turn: int, incident: int, team: str) -> Note:
    """Return a line that is about a team's incident, in every column."""
    return note(
        turn,
        f"test.{team}",
        actor=f"person:{team}",
        target=f"web-{team}",
        action=f"look({team})",
        summary=f"{team} {turn}",
        incident=incident,
    )


def test_one_team_sees_no_other_line(
    parted: Visitors, watched: Opener
) -> None:
    """Neither on a page, nor on older ones, nor in a count or a filter."""
    with parted.client(Role.ADMIN) as admin:
        whole = admin.get("/api/v1/log", params={"limit": 500}).json()["items"]
    mine = [one for one in whole if THEIRS not in str(one)]
    assert len(whole) - len(mine) > OF_EACH
    assert {one["kind"] for one in mine} >= {f"test.{OURS}", "halt.changed"}
    page = visit(parted, watched, "/console/log?count=exact")
    expect(page.locator("#tally")).to_have_text(f"{len(mine)} lines (exact)")
    seen = shown(page)
    assert THEIRS not in page.content()
    while page.locator("#older").count():
        page.keyboard.press(">")
        page.wait_for_url(re.compile(f"before={seen[-1]}"))
        page.wait_for_selector("html[data-ready='true']")
        assert THEIRS not in page.content()
        seen += shown(page)
    assert seen == [one["id"] for one in mine]
    theirs = next(one for one in whole if one["kind"] == f"test.{THEIRS}")
    for query, said in (
        (f"incident={theirs['incident_id']}&count=exact", "0 match (exact)"),
        (f"text={THEIRS}&count=exact", "0 match (exact)"),
        (f"entry={theirs['id']}", "There is no such line"),
    ):
        go(page, f"/console/log?{query}")
        expect(page.locator("main")).to_contain_text(said)
        assert f"look({THEIRS})" not in page.content()


def test_one_team_hears_of_no_other_line(
    closed: Service, parted: Visitors, watched: Opener
) -> None:
    """Not even that there is one: the bar counts what is seen."""
    page = visit(parted, watched, "/console/log")
    page.wait_for_selector("#live[data-state=live]")
    for team in (THEIRS, OURS, THEIRS, OURS):
        write(closed, about(OF_EACH, incident_of(parted, team), team))
    expect(page.locator("#fresh")).to_have_text("2 new - press .")
    newest = page.locator(ROWS).first
    expect(newest).not_to_contain_text(f"{OURS} {OF_EACH}")
    page.keyboard.press(".")
    expect(newest).to_contain_text(f"{OURS} {OF_EACH}")
    assert THEIRS not in page.content()


def test_who_is_nobody_is_sent_to_the_login(parted: Visitors) -> None:
    """Who is not signed in sees no line at all."""
    answer = httpx.get(f"{parted.url}/console/log")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/login?next=")
    assert OURS not in answer.text
