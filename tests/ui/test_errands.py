"""What a page must fetch: tried again until it is there, and not too often."""

from itertools import pairwise
from typing import Any

from playwright.sync_api import Page

from tests.ui.alone import fresh, page, run

__all__ = ["fresh", "page"]
BEGIN = """
const { Problem } = await import('/js/lib/api.js');
const begun = Date.now();
window.tries = [];
window.owedFor = m.owedFor;
window.answer = given;
window.errand = new m.Errand(async () => {
  tries.push((Date.now() - begun) / 1000);
  if (window.answer === 'never') {
    await new Promise(() => {});
  }
  if (window.answer !== 'good') {
    throw new Problem(window.answer, { detail: 'no' });
  }
  return 7;
});
window.first = errand.run();
errand.ended.then(() => { window.hasEnded = true; });
if (given !== 'never') {
  await first;
}
"""
HIDE = """(is) => { Object.defineProperty(document, 'hidden',
  { configurable: true, get: () => is });
  document.dispatchEvent(new Event('visibilitychange')); }"""


def begin(page: Page, status: int | str) -> None:
    """Let something be fetched that answers so, on a clock of the test."""
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    run(page, "lib/errand", BEGIN, status)


def tries(page: Page) -> list[Any]:
    """Return after how many seconds it was tried."""
    return list(page.evaluate("tries"))


def test_it_is_tried_until_it_is_there(fresh: Page) -> None:
    """After 1, 2 and 4 seconds, then each 4 to 8; until then it is owed."""
    begin(fresh, 0)
    assert round(fresh.evaluate("owedFor()"), 1) == 0
    for _ in range(60):
        fresh.clock.run_for(1_000)
    many = tries(fresh)
    gaps = [round(after - before, 1) for before, after in pairwise(many)]
    assert gaps[:3] == [1, 2, 4]
    assert len(gaps) >= 9
    assert all(4 <= gap <= 8 for gap in gaps[3:])
    assert round(fresh.evaluate("owedFor()"), 1) == 60
    assert fresh.evaluate("window.hasEnded") is None
    fresh.evaluate("() => { window.answer = 'good'; }")
    fresh.clock.run_for(8_000)
    assert fresh.evaluate("owedFor()") is None
    assert fresh.evaluate("hasEnded") is True
    done = len(tries(fresh))
    fresh.clock.run_for(60_000)
    assert len(tries(fresh)) == done


def test_news_do_not_make_it_try_more_often(fresh: Page) -> None:
    """What somebody wants is tried at once; what happens waits its turn."""
    begin(fresh, 503)
    for _ in range(10):
        fresh.evaluate("() => { errand.renew(); }")
    assert len(tries(fresh)) == 1
    fresh.evaluate("() => errand.run()")
    assert len(tries(fresh)) == 2
    assert fresh.locator(".bad").count() == 0


def test_a_tab_that_nobody_sees_tries_nothing(fresh: Page) -> None:
    """It tries again when it is seen."""
    begin(fresh, 502)
    fresh.evaluate(HIDE, True)
    fresh.clock.run_for(60_000)
    assert len(tries(fresh)) == 1
    assert round(fresh.evaluate("owedFor()"), 1) == 60
    fresh.evaluate(HIDE, False)
    assert len(tries(fresh)) == 2


def test_what_is_refused_is_not_tried_again(fresh: Page) -> None:
    """It is told once, and the page is as new as it can be."""
    begin(fresh, 403)
    fresh.clock.run_for(60_000)
    assert len(tries(fresh)) == 1
    assert fresh.evaluate("owedFor()") is None
    assert fresh.locator(".bad").count() == 1


def test_why_a_service_fails_is_told_once(fresh: Page) -> None:
    """An error of its own has words; they are not read out each time."""
    begin(fresh, 500)
    fresh.evaluate("() => { document.querySelector('.bad').remove(); }")
    fresh.clock.run_for(30_000)
    assert len(tries(fresh)) > 3
    assert fresh.locator(".bad").count() == 0


def test_an_answer_that_does_not_come_is_owed(fresh: Page) -> None:
    """A line that hangs makes a page as old as one that is cut."""
    begin(fresh, "never")
    fresh.clock.run_for(4_000)
    assert fresh.evaluate("owedFor()") is None
    fresh.clock.run_for(2_000)
    assert round(fresh.evaluate("owedFor()"), 1) == 6


def test_who_signs_in_again_has_it_fetched(fresh: Page) -> None:
    """Until then nobody is asked for it."""
    begin(fresh, 401)
    fresh.clock.run_for(60_000)
    assert len(tries(fresh)) == 1
    assert round(fresh.evaluate("owedFor()"), 1) == 60
    fresh.evaluate("() => { window.answer = 'good'; }")
    run(fresh, "lib/errand", "m.tryAgain(); await window.errand.ended;")
    assert fresh.evaluate("owedFor()") is None
