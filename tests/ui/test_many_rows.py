"""10,000 live rows: every page takes them in, and stays as light as before.

They come as all news does: through the log, chained, and out of the one
stream of the browser, whose three tabs have different use for them.
"""

import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import insert

from app.models.entry import Note
from app.store.incidents import INCIDENT
from app.store.ledger import Ledger
from app.store.log import append
from tests.flow.events import location_of
from tests.service import Service
from tests.ui.conftest import Opener
from tests.ui.pouring import incident
from tests.ui.trouble import fire

ROWS = 10_000
AT_ONCE = 1_000
# One incident was there before.
FIRST = 2
LAST = FIRST + ROWS - 1
# One in so many goes on, and is on the board.
GOES_ON = 250
SOON_MS = 30_000
# A page and the rows in sight of a list, never all of them.
MOST_NODES = 2_000
MOST_ROWS = 120
# What a bar needs that says what is new.
FEW_NODES = 20
COUNT = "document.querySelectorAll('*').length"


@pytest.fixture
def service(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    """Return a running service that has one incident."""
    with Service(tmp_path_factory.mktemp("many")) as running:
        fire(running, "web-first")
        deadline = time.monotonic() + SOON_MS / 1000
        while not httpx.get(f"{running.url}/api/v1/incidents/1").is_success:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield running


@pytest.fixture
def ledger(service: Service) -> Iterator[Ledger]:
    """Return the database of the service, to write as another process."""
    made = Ledger(location_of(service), 10.0)
    yield made
    made.close()


def state_of(number: int) -> str:
    """Return how an incident is: few of many go on."""
    return "resolved" if number % GOES_ON else "open"


def opened(number: int) -> Note:
    """Return what the log says of an incident that is new."""
    return Note(
        kind="incident.opened",
        incident=number,
        target=f"host::many-{number}",
        problem="DiskFull",
        severity="warning",
        status="open",
        actor="source:many",
        summary=f"many-{number}: the disk is full",
        body={"text": "x" * 250, "number": number},
    )


def pour(ledger: Ledger, numbers: range) -> None:
    """Let incidents come to be, and the log tell of them, in one turn."""
    at = time.time_ns() // 1_000
    with ledger.turn() as connection:
        rows = [
            incident(
                number, f"many-{number}", at, state=state_of(number), firing=0
            )
            for number in numbers
        ]
        connection.execute(insert(INCIDENT), rows)
        append(connection, at, [opened(number) for number in numbers])


def expect_live(page: Page) -> None:
    """Wait until a page hears the service."""
    expect(page.locator("#live")).to_have_attribute(
        "data-state", "live", timeout=SOON_MS
    )


def nodes(page: Page) -> int:
    """Return how many elements a page has."""
    return int(page.evaluate(COUNT))


def row(page: Page, number: int) -> Locator:
    """Return a row of the list of all incidents."""
    return page.locator(f"#all-{number}")


def test_ten_thousand_live_rows(
    service: Service, ledger: Ledger, watched: Opener
) -> None:
    """The newest is shown or offered, nothing piles up, the keys answer."""
    context = watched(service.url)
    log = context.page("/console/log")
    board = context.page("/console/incidents")
    every = context.page("/console/incidents?all=1")
    for page in (log, board, every):
        expect_live(page)
    expect(row(every, 1)).to_be_visible(timeout=SOON_MS)
    before = {page: nodes(page) for page in (log, board)}
    for start in range(FIRST, LAST, AT_ONCE):
        pour(ledger, range(start, start + AT_ONCE))
        told = f"{start + AT_ONCE - FIRST} new - press ."
        expect(log.locator("#fresh")).to_have_text(told, timeout=SOON_MS)
    assert nodes(log) <= before[log] + FEW_NODES
    log.keyboard.press(".")
    expect(log.locator("#lines")).to_contain_text(f"many-{LAST}:")
    expect(log.locator("#lines tbody tr")).to_have_count(50)

    expect(row(every, LAST)).to_be_visible(timeout=SOON_MS)
    # Each of them, though many came between two looks at the newest.
    expect(row(every, LAST)).to_have_attribute(
        "aria-setsize", str(ROWS + 1), timeout=SOON_MS
    )
    assert every.locator("#all .row").count() < MOST_ROWS
    assert nodes(every) < MOST_NODES
    every.keyboard.press("j")
    every.keyboard.press("j")
    expect(row(every, LAST - 1)).to_have_attribute("aria-selected", "true")

    fire(service, "web-last")
    last = board.locator("li.incident").filter(has_text="web-last")
    expect(last).to_be_visible(timeout=SOON_MS)
    assert nodes(board) < MOST_NODES
    board.keyboard.press("v")
    expect(row(board, LAST)).to_be_visible(timeout=SOON_MS)


def test_live_rows_wait_for_who_reads(
    service: Service, ledger: Ledger, watched: Opener
) -> None:
    """Further down nothing moves; the key lets in all that came."""
    pour(ledger, range(FIRST, FIRST + AT_ONCE))
    page = watched(service.url).page("/console/incidents?all=1")
    expect_live(page)
    newest = FIRST + AT_ONCE - 1
    expect(row(page, newest)).to_be_visible(timeout=SOON_MS)
    for _ in range(3):
        page.get_by_role("listbox", name="All incidents").press("PageDown")
    held = page.locator("#all .row[aria-selected=true]")
    number = held.locator(".n").inner_text()
    pour(ledger, range(newest + 1, newest + 1 + AT_ONCE))
    bar = page.locator("#all .fresh")
    expect(bar).to_have_text(f"{AT_ONCE} new - press .", timeout=SOON_MS)
    expect(bar.locator("kbd")).to_have_text(".")
    expect(held.locator(".n")).to_have_text(number)
    page.keyboard.press(".")
    expect(row(page, newest + AT_ONCE)).to_be_visible()


def test_an_empty_list_is_not_said_to_be_empty_for_ever(
    service: Service, watched: Opener
) -> None:
    """What matches later comes in, and the words above it go."""
    page = watched(service.url).page("/console/incidents?all=1&q=web-later")
    expect_live(page)
    words = page.get_by_label("All incidents").get_by_role("status")
    expect(words).to_contain_text("No incident matches")
    fire(service, "web-later")
    expect(page.locator("#all .row")).to_have_count(1, timeout=SOON_MS)
    expect(words).to_contain_text("1 incidents, newest first")
