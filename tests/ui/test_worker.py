"""The one stream of a browser: the worker alone, with tabs of a test."""

from typing import Any

from playwright.sync_api import Page

from tests.ui.alone import fresh, page
from tests.ui.lines import LINES

__all__ = ["fresh", "page"]
# Tabs that write down what they are told, and what a service says.
TABS = r"""
let look = null;
globalThis.setInterval = (work) => { look = work; };
await import('/js/worker.js');
const tab = (sight, after) => {
  const { port1, port2 } = new MessageChannel();
  const told = [];
  port1.onmessage = ({ data }) => told.push(data);
  dispatchEvent(new MessageEvent('connect', { ports: [port2] }));
  const send = (message) => port1.postMessage(message);
  send({ type: 'hello', after, sight });
  return { send,
    states: () => told.filter(({ type }) => type === 'state')
      .map(({ state }) => state),
    ids: () => told.filter(({ type }) => type === 'entries')
      .flatMap(({ entries }) => entries.map(({ id }) => id)) };
};
const is = (one, state) => until(() => one.states().at(-1) === state);
const has = (one, id) => until(() => {
  fire(100);
  return one.ids().includes(id);
});
const hello = (id) => `event: hello\nid: ${id}\ndata: {}`;
const entry = (id) => `event: test\nid: ${id}\ndata: {"id": ${id}}`;
const bye = 'event: signed-out\ndata: {}';
// All that was said to the worker until now has come to it.
const heard = () => new Promise((done) => {
  const { port1, port2 } = new MessageChannel();
  port2.onmessage = done;
  port1.postMessage('');
});
const ana = tab('ana', 5);
await opens(1);
lines[0].say(hello(5));
await is(ana, 'live');
"""


def play(page: Page, body: str) -> Any:
    """Return what comes of it when tabs share a stream."""
    return page.evaluate(f"async () => {{ {LINES} {TABS} {body} }}")


def test_tabs_of_one_person_share_a_line(fresh: Page) -> None:
    """What happens comes to each of them, and costs one line."""
    body = """
const other = tab('ana', 5);
await is(other, 'live');
lines[0].say(entry(6));
await has(other, 6);
return [lines.length, ana.ids(), other.ids()];"""
    assert play(fresh, body) == [1, [6], [6]]


def test_who_signs_in_beside_hears_nothing_of_the_other(fresh: Page) -> None:
    """The stream begins anew for them; the page of the other one is over."""
    body = """
lines[0].say(entry(6));
await until(() => waits().includes(100));
next.sight = 'ben';
const ben = tab('ben', 6);
await opens(2);
const { url } = lines[1];
lines[1].say(hello(6));
lines[1].say(entry(7));
await has(ben, 7);
return { url, isCut: lines[0].signal.aborted, ana: ana.ids(),
  end: ana.states().at(-1), ben: ben.ids(),
  isOut: ben.states().includes('out') };"""
    assert play(fresh, body) == {
        "url": "/api/v1/stream?after=6",
        "isCut": True,
        "ana": [6],
        "end": "out",
        "ben": [7],
        "isOut": False,
    }


def test_a_page_of_who_has_gone_takes_nothing_from_others(
    fresh: Page,
) -> None:
    """It comes back late: it is told so, and the others miss nothing."""
    body = """
next.sight = 'ana';
const old = tab('ben', 3);
await is(old, 'out');
lines[1].say(entry(6));
await has(ana, 6);
return { url: lines[1].url, ana: ana.ids(), old: old.ids(),
  isOut: ana.states().includes('out') };"""
    assert play(fresh, body) == {
        "url": "/api/v1/stream?after=5",
        "ana": [6],
        "old": [],
        "isOut": False,
    }


def test_a_new_session_of_the_same_person_goes_on(fresh: Page) -> None:
    """Whoever changes the own password is not signed out by that."""
    body = """
lines[0].say(bye);
await is(ana, 'late');
fire(250);
await opens(2);
lines[1].say(entry(6));
await has(ana, 6);
return [lines[1].url, ana.states()];"""
    assert play(fresh, body) == [
        "/api/v1/stream?after=5",
        ["new", "live", "late", "live"],
    ]


def test_who_is_signed_out_is_told_that_last(fresh: Page) -> None:
    """No head says that the page is live; whoever comes again is new."""
    body = """
next.status = 401;
lines[0].say(bye);
await is(ana, 'late');
fire(250);
await is(ana, 'out');
next.status = 200;
const again = tab('ana', 5);
await opens(3);
lines[2].say(entry(6));
await has(again, 6);
return { url: lines[2].url, again: again.states(),
  ana: ana.states().slice(0, 4) };"""
    assert play(fresh, body) == {
        "url": "/api/v1/stream?after=5",
        "again": ["new", "live"],
        "ana": ["new", "live", "late", "out"],
    }


def test_who_signs_in_before_the_answer_is_not_turned_away(
    fresh: Page,
) -> None:
    """The line that is on its way is asked for with the cookie of before."""
    body = """
next.status = 401;
lines[0].say(bye);
await is(ana, 'late');
fire(250);
await is(ana, 'out');
let open;
Object.assign(next, { status: 200,
  gate: new Promise((done) => { open = done; }) });
const again = tab('ana', 5);
await opens(3);
Object.assign(next, { sight: 'ben', gate: undefined });
const ben = tab('ben', 5);
await opens(4);
open();
lines[3].say(hello(5));
lines[3].say(entry(6));
await has(ben, 6);
return { isOut: ben.states().includes('out'), again: again.states().at(-1),
  ids: again.ids() };"""
    assert play(fresh, body) == {"isOut": False, "again": "out", "ids": []}


def test_a_tab_that_died_is_let_go(fresh: Page) -> None:
    """It says no farewell, but nothing else either; who lives says so."""
    body = """
const dead = tab('ana', 5);
await is(dead, 'live');
for (let count = 0; count < 100; count += 1) {
  ana.send({ type: 'here' });
  await heard();
  look();
}
lines[0].say(entry(6));
await has(ana, 6);
dead.send({ type: 'hello', after: 5, sight: 'ana' });
await is(dead, 'live');
lines[0].say(entry(7));
await has(dead, 7);
return [dead.ids(), ana.ids()];"""
    assert play(fresh, body) == [[7], [6, 7]]
