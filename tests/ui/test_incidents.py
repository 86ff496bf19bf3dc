"""The incidents screen: who must act, by mouse, by keys, on a phone."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.browser import PHONE, go
from tests.ui.conftest import Opener
from tests.ui.night import Night, NightService, fill_night
from tests.ui.plot import Story

BOARD = "/console/incidents"
HOSTILE = Story(
    name="<img src=x onerror=alert(1)>",
    host="evil-01",
    severity="critical",
    summary="<script>alert(1)</script> \u202egnp.exe " + "long" * 200,
    minutes=1,
)


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[NightService]:
    """Return a service that runs through a night."""
    with NightService(tmp_path_factory.mktemp("night")) as running:
        yield running


@pytest.fixture(scope="module")
def night(service: NightService) -> Night:
    """Return the incidents of the night by their names."""
    return fill_night(service)


@pytest.fixture
def page(service: NightService, night: Night, watched: Opener) -> Page:
    """Return the board of the night in a browser."""
    assert night
    return watched(service.url).page(BOARD)


def row(page: Page, number: int) -> Locator:
    """Return the row of an incident."""
    return page.locator(f"#i-{number}")


def lane(page: Page, name: str) -> Locator:
    """Return a lane by its title."""
    return page.get_by_role("list", name=name)


def current(page: Page) -> Locator:
    """Return the row that the keys work on."""
    return page.locator("li.incident.current")


def told(service: NightService, number: int, kind: str) -> list[Any]:
    """Return what the log says of an incident, of one kind."""
    query = {"incident_id": number, "kind": kind}
    found: list[Any] = service.get("/log", **query)["items"]
    return found


def test_each_lane_has_who_must_act(page: Page, night: Night) -> None:
    """The exact call and how sure it is stand on the row."""
    needs = lane(page, "Needs you")
    asked = needs.locator(f"#i-{night['asked']}")
    expect(asked).to_contain_text("CRIT")
    expect(asked).to_contain_text(
        "restart_service(host=checkout-web-01, service=php8.2-fpm)"
    )
    expect(asked.locator(".sure")).to_have_text(re.compile(r"0\.\d\d"))
    expect(asked).to_contain_text("production")
    expect(asked.locator("time")).to_have_text(re.compile(r"in \d+m\d\ds"))
    denied = needs.locator(f"#i-{night['denied']}")
    expect(denied).to_contain_text("loyalty-freeze")
    storm = needs.locator(f"#i-{night['storm']}")
    expect(storm).to_contain_text("12 alerts folded · 2 incidents in one")
    expect(storm).to_contain_text("and 6 more")
    runs = lane(page, "Acting").locator(f"#i-{night['running']}")
    expect(runs).to_contain_text("▶ running")
    expect(runs).to_contain_text(re.compile(r"pod thumbs-\d+ ready"))
    measured = lane(page, "Acting").locator(f"#i-{night['verifying']}")
    expect(measured).to_contain_text("measuring")
    watched_too = lane(page, "Watching")
    expect(watched_too.locator(f"#i-{night['muted']}")).to_contain_text(
        "silenced"
    )
    expect(watched_too.locator(f"#i-{night['not_fixed']}")).to_contain_text(
        "owner bo"
    )
    expect(page.locator(".tally")).to_contain_text("resolved by machine 2")


def test_the_head_counts_what_the_lane_counts(
    page: Page, service: NightService
) -> None:
    """One number, wherever it stands."""
    needs = service.get("/board")["needs_you"]["count"]
    assert service.get("/status")["needs_you"] == needs
    expect(page.locator("#needs")).to_have_text(f"{needs}!")
    expect(page.locator("section.needs_you .many")).to_have_text(str(needs))


def test_keys_move_select_and_peek(page: Page, night: Night) -> None:
    """Without a mouse: rows, a selection, the peek, and back."""
    first = page.locator("li.incident").first
    page.keyboard.press("j")
    expect(first).not_to_be_focused()
    page.keyboard.press("k")
    expect(first).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_role("region", name="Selected")).to_contain_text(
        "1 selected"
    )
    page.keyboard.press("Space")
    peek = page.get_by_role("complementary", name="Peek")
    number = first.get_attribute("data-id")
    expect(peek.get_by_role("link")).to_have_attribute(
        "href", f"{BOARD}/{number}"
    )
    expect(page).to_have_url(re.compile(rf"peek={number}$"))
    page.keyboard.press("Escape")
    expect(peek).to_be_hidden()
    expect(first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Selected")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/incidents/{number}$"))
    assert str(night["asked"])


def test_the_filter_is_in_the_address(page: Page, night: Night) -> None:
    """Words, names and facets; what is opened again shows the same."""
    page.keyboard.press("/")
    page.keyboard.type("sev:crit team:shop")
    expect(page.locator("li.incident")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=sev%3Acrit\+team%3Ashop"))
    expect(page.locator("section.needs_you .note")).to_contain_text(
        "match the filter"
    )
    page.reload()
    expect(page.locator("li.incident")).to_have_count(1)
    expect(row(page, night["asked"])).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("^sev:info")).click()
    expect(page.get_by_role("searchbox", name="Filter")).to_have_value(
        "sev:info"
    )
    expect(row(page, night["held"])).to_be_visible()
    expect(row(page, night["asked"])).to_have_count(0)
    page.get_by_role("searchbox", name="Filter").fill(
        "svc:celery* state:waiting"
    )
    expect(page.locator("li.incident")).to_have_count(1)
    expect(row(page, night["asked_too"])).to_be_visible()


def test_a_view_is_kept_with_its_count(page: Page) -> None:
    """A saved filter is a tab, also after the page is opened anew."""
    page.get_by_role("searchbox", name="Filter").fill("team:network")
    page.get_by_role("button", name="Save this filter").click()
    page.get_by_label("Its name").fill("Switches")
    page.keyboard.press("Enter")
    go(page, BOARD)
    tab = page.get_by_role("button", name=re.compile(r"^Switches \d"))
    tab.click()
    expect(page.get_by_role("searchbox", name="Filter")).to_have_value(
        "team:network"
    )
    expect(tab).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Forget this view").click()
    expect(tab).to_have_count(0)


def test_all_incidents_are_one_list(
    page: Page, service: NightService, night: Night
) -> None:
    """What is over is found there, with the count of the service."""
    page.keyboard.press("v")
    grid = page.get_by_role("listbox", name="All incidents")
    fixed = grid.locator(f"#all-{night['fixed']}")
    expect(fixed).to_contain_text("fixed by machine")
    many = service.get("/incidents", count="exact")["count"]["value"]
    expect(
        page.get_by_role("status").filter(has_text="newest first")
    ).to_contain_text(f"{many} incidents")
    page.get_by_role("searchbox", name="Filter").fill(
        "state:resolved host:search-cache-02"
    )
    expect(grid.get_by_role("option")).to_have_count(1)
    page.get_by_role("searchbox", name="Filter").blur()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/incidents/{night['fixed']}$"))


def test_what_is_known_moves_to_the_others(
    page: Page, service: NightService, night: Night
) -> None:
    """Acknowledged with one key; the next row has the keys then."""
    number = night["unknown"]
    row(page, number).click()
    page.keyboard.press("y")
    expect(lane(page, "Watching").locator(f"#i-{number}")).to_contain_text(
        "seen by console"
    )
    assert len(told(service, number, "incident.acknowledged")) == 1


def test_many_are_taken_at_once(
    page: Page, service: NightService, night: Night
) -> None:
    """A selection gets one owner; approving is never done so."""
    numbers = [night["storm"], night["held"]]
    for number in numbers:
        row(page, number).click()
        page.keyboard.press("x")
    bulk = page.get_by_role("region", name="Selected")
    expect(bulk).to_contain_text("2 selected")
    page.keyboard.press("a")
    expect(page.locator("dialog")).to_have_count(0)
    bulk.get_by_role("button", name="Take").click()
    for number in numbers:
        expect(row(page, number)).to_contain_text("owner console")
        assert service.get(f"/incidents/{number}")["owner"] == "console"
    expect(bulk).to_be_hidden()


def test_silence_asks_why_and_ends_by_itself(
    page: Page, service: NightService, night: Night
) -> None:
    """The mute is of the row's target, for two hours."""
    row(page, night["nothing"]).click()
    page.keyboard.press("u")
    page.get_by_label("What is it about?").fill("the new status page")
    page.keyboard.press("Enter")
    expect(row(page, night["nothing"])).to_contain_text("silenced")
    comments = [one["comment"] for one in service.get("/mutes")["items"]]
    assert "the new status page" in comments


def test_approving_asks_first_and_says_what_the_service_says(
    page: Page, service: NightService, night: Night
) -> None:
    """Nothing fires at once; Esc does nothing, Enter grants it."""
    number = night["asked_too"]
    question = service.get("/approvals", incident=number)["items"][0]["id"]
    row(page, number).click()
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("restart_service(host=orders-worker-03")
    expect(dialog).to_contain_text("production")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert service.get(f"/approvals/{question}")["state"] == "asked"
    page.keyboard.press("a")
    page.get_by_label("Comment").fill("go ahead")
    page.keyboard.press("Enter")
    expect(page.locator("#says")).to_contain_text("granted by console")
    expect(lane(page, "Acting").locator(f"#i-{number}")).to_be_visible()
    votes = service.get(f"/approvals/{question}")["votes"]
    assert [(one["answer"], one["comment"]) for one in votes] == [
        ("grant", "go ahead")
    ]


def test_who_comes_late_is_told_who_was_first(
    page: Page, service: NightService, night: Night
) -> None:
    """An answer to what was answered meanwhile changes nothing."""
    number = night["asked"]
    question = service.get("/approvals", incident=number)["items"][0]["id"]
    row(page, number).get_by_role("button", name="Reject").click()
    assert service.answer(question, "refuse", "bo").is_success
    page.get_by_role("dialog").get_by_role("button", name="Reject").click()
    alert = page.get_by_role("alert").filter(has_text="refused by bo")
    expect(alert).to_be_visible()
    expect(
        row(page, number).get_by_role("button", name="Reject")
    ).to_have_count(0)


def test_new_rows_wait_while_somebody_reads(
    page: Page, service: NightService, night: Night
) -> None:
    """Nothing moves under the reader: what is new is behind the bar."""
    assert night
    page.set_viewport_size({"width": 1280, "height": 400})
    page.locator("li.incident").last.scroll_into_view_if_needed()
    before = page.locator("li.incident").count()
    service.tell(HOSTILE)
    number = service.number_of(HOSTILE)
    bar = page.get_by_role("button", name=re.compile(r"^1 new"))
    expect(bar).to_be_visible()
    expect(page.locator("li.incident")).to_have_count(before)
    page.keyboard.press(".")
    expect(bar).to_be_hidden()
    expect(row(page, number)).to_be_attached()


def test_who_says_much_pushes_nobody_out_of_sight(
    page: Page, service: NightService, night: Night
) -> None:
    """The row and the title are cut, and all of it is where one points."""
    assert night
    long = Story(
        name="Long",
        host="h" * 300,
        severity="warning",
        summary="said " * 100,
        minutes=1,
    )
    service.tell(long)
    number = service.number_of(long)
    go(page, BOARD)
    box = row(page, number).bounding_box()
    assert box is not None
    assert box["height"] < 200
    name = row(page, number).locator(".name")
    expect(name).to_have_attribute("title", "h" * 300)
    go(page, f"{BOARD}/{number}")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("said said")
    box = heading.bounding_box()
    assert box is not None
    assert box["height"] < 160


def test_hostile_texts_are_texts(
    page: Page, service: NightService, night: Night
) -> None:
    """Markup, directions and long words: shown, and nothing else."""
    assert night
    service.tell(HOSTILE)
    number = service.number_of(HOSTILE)
    go(page, f"{BOARD}?peek={number}")
    expect(row(page, number)).to_contain_text("<script>alert(1)</script>")
    peek = page.get_by_role("complementary", name="Peek")
    expect(peek).to_contain_text("<script>alert(1)</script>")
    assert page.locator("#main script, #main img").count() == 0
    # What would turn the letters after it is shown as its number.
    for place in (row(page, number), peek):
        expect(place).to_contain_text("\\u202egnp.exe")
        assert "\u202e" not in place.inner_text()
    width = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(width)


def test_it_fits_a_phone(
    service: NightService, night: Night, watched: Opener
) -> None:
    """Rows are cards there, nothing has to be moved sideways."""
    page = watched(service.url, viewport=PHONE).page(BOARD)
    expect(row(page, night["running"])).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_viewer_has_no_buttons(
    service: NightService, night: Night, watched: Opener
) -> None:
    """What a role may not do is not there; keys do nothing either."""
    one = watched(service.url)
    one.context.route(
        re.compile(r"/console/incidents$"),
        lambda route: route.fulfill(
            response=(answer := route.fetch()),
            body=answer.text().replace("&#34;admin&#34;", "&#34;viewer&#34;"),
        ),
    )
    page = one.page(BOARD)
    expect(row(page, night["running"])).to_be_visible()
    expect(page.locator(".incident .acts button")).to_have_count(0)
    page.keyboard.press("j")
    page.keyboard.press("y")
    page.keyboard.press("a")
    expect(page.locator("dialog")).to_have_count(0)
    assert not [line for line in one.asked if line.startswith("POST")]


def test_one_step_back_is_where_one_came_from(
    page: Page, night: Night
) -> None:
    """However often one was there before, and whatever came before that."""
    first, second = night["fixed"], night["asked"]
    head = page.locator("#head").get_by_role("link", name="Incidents")
    for number in (first, second):
        go(page, f"{BOARD}/{number}")
    head.click()
    row(page, second).get_by_role("link").first.click()
    page.wait_for_url(f"**{BOARD}/{second}")
    page.wait_for_selector("html[data-ready='true']")
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile(rf"{BOARD}(?:[?#].*)?$"))
