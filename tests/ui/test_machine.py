"""The charts of the machine: the module alone, on answers that wait."""

from playwright.sync_api import Page

from tests.ui.alone import fresh, page, run
from tests.ui.lines import TIMERS

__all__ = ["fresh", "page"]
QUARTER, DAY = 900, 86_400
NOW = 1_795_227_242_000
# Answers that a test lets come, in the order in which they are asked for.
ASK = """
const asked = [];
globalThis.fetch = (path) => new Promise((done) => {
  const query = new URLSearchParams(path.split('?')[1] ?? '');
  const { since, until: end } = Object.fromEntries(query);
  asked.push({ path, since, end, come: () => done(new Response(
    JSON.stringify({ is_watching: true, since, until: end,
      items: [{ name: 'cpu_percent', unit: '%', value: 3,
        columns: [] }] }))) });
});
const comes = async (number) => {
  await until(() => asked.length > number);
  asked[number].come();
};
const machine = new m.Machine();
"""


def test_a_span_that_is_chosen_while_another_comes(fresh: Page) -> None:
    """What comes of the old one does not stand in the charts of the new."""
    body = """
const old = machine.load(given.quarter, given.now);
machine.forget();
const next = machine.load(given.day, given.now);
await comes(0);
await comes(1);
await comes(2);
await comes(3);
await Promise.all([old, next]);
const { seconds, from } = machine.store;
return { seconds, from, asked: asked.length };"""
    given = {"quarter": QUARTER, "day": DAY, "now": NOW}
    found = run(fresh, "screens/metrics/machine", TIMERS + ASK + body, given)
    assert found == {"seconds": DAY, "from": NOW - DAY * 1000, "asked": 4}
