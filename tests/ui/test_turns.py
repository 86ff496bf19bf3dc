"""Turns: one tab fetches what several want, and no one waits for ever."""

import pytest
from playwright.sync_api import Page

from tests.ui.alone import fresh, page, run

__all__ = ["fresh", "page"]
# Tabs that write down what they are told, and a clock of their own.
MAKE = """
let now = 1000;
Date.now = () => now;
const turns = new m.Turns();
const heard = [];
const tab = (name) => ({ postMessage: ({ type, number, answer }) =>
  heard.push([name, type, number ?? answer].join(' ')) });
const [a, b, c] = ['a', 'b', 'c'].map(tab);
const ask = (port, number, after = 0, key = 'board') =>
  turns.ask(port, { type: 'ask', key, after, number });
const told = (port, seq, answer, key = 'board') =>
  turns.told(port, { type: 'told', key, seq, answer });
const free = (port, key = 'board') => turns.free(port, { key });
"""


def heard(page: Page, body: str) -> list[str]:
    """Return what tabs were told while something was done."""
    found = run(page, "lib/turns", f"{MAKE} {body} return heard;")
    return list(found)


def test_one_fetches_and_all_have_it(fresh: Page) -> None:
    """Those who wait, and those who have asked before."""
    assert heard(
        fresh,
        "ask(a, 1); ask(b, 2); ask(c, 3); told(a, 9, 'x');"
        " ask(b, 4); told(b, 10, 'y');",
    ) == ["a turn 1", "b told x", "c told x", "b turn 4", "a told y",
          "c told y"]  # fmt: skip


def test_an_answer_that_knows_too_little_is_not_enough(fresh: Page) -> None:
    """Who has heard of more has the next turn; the others have theirs."""
    assert heard(
        fresh, "ask(a, 1, 5); ask(b, 2, 8); ask(c, 3, 7); told(a, 7, 'x');"
    ) == ["a turn 1", "b told x", "c told x", "b turn 2"]


@pytest.mark.parametrize("end", ["free(a)", "turns.leave(a)"])
def test_what_one_could_not_fetch_the_next_one_does(
    fresh: Page, end: str
) -> None:
    """It was refused, broke off, or the tab was closed."""
    assert heard(fresh, f"ask(a, 1); ask(b, 2); {end};") == [
        "a turn 1",
        "b turn 2",
    ]


def test_nobody_waits_for_a_tab_that_died(fresh: Page) -> None:
    """It says no farewell; after a while its turn is over."""
    assert heard(
        fresh,
        "ask(a, 1); now += 4000; ask(b, 2); now += 2000; ask(c, 3);",
    ) == ["a turn 1", "b turn 2"]


def test_who_rests_hears_only_what_it_waits_for(fresh: Page) -> None:
    """Nobody looks at it: it is told no more, until it asks again."""
    assert heard(
        fresh,
        "ask(a, 1); ask(b, 2); turns.rest(b); told(a, 1, 'x');"
        " ask(a, 3); told(a, 2, 'y');",
    ) == ["a turn 1", "b told x", "a turn 3"]


def test_nothing_is_passed_on_under_another_key(fresh: Page) -> None:
    """The key says what it is, and whose sight it is of."""
    assert heard(
        fresh,
        "ask(a, 1, 0, 'ana'); ask(b, 2, 0, 'ben'); told(a, 1, 'x', 'ana');"
        " told(c, 1, 'z', 'none');",
    ) == ["a turn 1", "b turn 2"]


def test_nothing_is_left_of_tabs_that_are_gone(fresh: Page) -> None:
    """However many come and go."""
    body = """
for (let count = 0; count < 100; count += 1) {
  const one = tab('x');
  ask(one, count, 0, `key-${count}`);
  ask(b, count, 0, `key-${count}`);
  turns.leave(one);
  turns.leave(b);
}
return turns.all.size;"""
    assert run(fresh, "lib/turns", MAKE + body) == 0
