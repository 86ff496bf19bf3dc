"""The stream as it is read: the module alone, on lines that a test holds."""

from typing import Any

from playwright.sync_api import Page

from tests.ui.alone import fresh, page, run
from tests.ui.lines import LINES

__all__ = ["fresh", "page"]
# One who listens, and writes down what is told.
LISTEN = """
const told = [];
const events = new m.Events({ url: '/stream',
  onEntries: (entries) => told.push(...entries.map(({ id }) => id)),
  onReset: () => told.push('reset'),
  onState: ({ state }) => told.push(state), onSight: () => {} });
events.start();
"""


def listen(page: Page, body: str) -> Any:
    """Return what comes of it when somebody listens on such lines."""
    return run(page, "lib/events", f"{LINES} {LISTEN} {body}")


def test_a_line_that_broke_does_no_harm_to_the_next_one(fresh: Page) -> None:
    """Its patience ends with it: it would cut whatever is read by then."""
    body = """
await opens(1);
lines[0].say('event: hello\\nid: 1\\ndata: {}');
await until(() => told.includes('live'));
lines[0].end(new Error('the line broke'));
await until(() => told.includes('late'));
fire(250);
await opens(2);
lines[1].say('event: hello\\nid: 2\\ndata: {}');
await until(() => told.at(-1) === 'live');
return { waits: waits(), isCut: lines[1].signal.aborted };"""
    assert listen(fresh, body) == {"waits": [12_000], "isCut": False}


def test_a_line_that_says_nothing_is_given_up(fresh: Page) -> None:
    """It is begun again after the last entry that it told."""
    body = """
await opens(1);
lines[0].say('event: test\\nid: 7\\ndata: {"id": 7}');
await until(() => told.includes('live'));
fire(12000);
await until(() => told.includes('late'));
fire(250);
await opens(2);
return { told, url: lines[1].url, isCut: lines[0].signal.aborted };"""
    assert listen(fresh, body) == {
        "told": [7, "live", "late"],
        "url": "/stream?after=7",
        "isCut": True,
    }


def test_a_session_that_ends_is_asked_for_again(fresh: Page) -> None:
    """Only who has no other one is out, and that is the last word."""
    body = """
await opens(1);
lines[0].say('event: test\\nid: 7\\ndata: {"id": 7}');
await until(() => told.includes('live'));
next.status = 401;
lines[0].say('event: signed-out\\ndata: {}');
await until(() => told.includes('late'));
fire(250);
await until(() => events.stopped);
return { told, waits: waits() };"""
    assert listen(fresh, body) == {
        "told": [7, "live", "late", "out"],
        "waits": [],
    }
