"""Output as it is pulled: the module alone, on answers that a test gives."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.ui.alone import fresh, page, run
from tests.ui.lines import TIMERS

__all__ = ["fresh", "page"]
# Answers in the order in which they are read: a status, or a text.
READ = """
const texts = [];
const flaws = [];
const answers = [...given];
const pull = new m.Pull({ isWanted: () => true,
  read: async (offset) => {
    const answer = answers.shift();
    if (typeof answer === 'number') {
      throw Object.assign(new Error('no'), { status: answer });
    }
    const next_offset = offset + answer.length;
    return { text: answer, next_offset, output_bytes: next_offset,
      has_ended: answers.length === 0 };
  },
  onText: (text) => texts.push(text), onRange: () => {},
  onFlaw: (text) => flaws.push(text) });
pull.run();
"""


def pull(page: Page, answers: list[Any], body: str) -> Any:
    """Return what comes of it when such answers are read."""
    return run(page, "el/log/pull", f"{TIMERS} {READ} {body}", answers)


def test_who_signs_in_again_reads_on(fresh: Page) -> None:
    """The output goes on where it was, and nothing is said any more."""
    body = """
await until(() => texts.length === 1);
fire(1000);
await until(() => flaws.at(-1) !== '');
fire(30000);
await until(() => pull.hasEnded);
return { texts, flaw: flaws.at(-1) };"""
    assert pull(fresh, ["begun ", 401, "done"], body) == {
        "texts": ["begun ", "done"],
        "flaw": "",
    }


@pytest.mark.parametrize("status", [403, 404])
def test_what_is_refused_is_not_asked_for_again(
    fresh: Page, status: int
) -> None:
    """It is not theirs, or it is gone: neither comes back."""
    body = """
await until(() => flaws.length === 1);
return { hasEnded: pull.hasEnded, flaws, left: answers };"""
    assert pull(fresh, [status, "more"], body) == {
        "hasEnded": True,
        "flaws": ["Not read on: no"],
        "left": ["more"],
    }
