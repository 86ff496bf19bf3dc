"""The line keeps its order, and whoever stops everything passes it."""

import threading
from collections.abc import Callable

import pytest

from app.core.errors import TooBusy
from app.engine import line as module
from app.engine.line import Line
from app.store.ledger import Connection

PATIENCE = 60.0


def nothing(_connection: Connection) -> None:
    """Do nothing."""


def test_those_that_wait_come_in_their_order() -> None:
    """Whoever has gone meanwhile is left out."""
    line = Line()
    asked = [line.add(nothing, is_urgent=False) for _ in range(4)]
    asked[1].cancel()
    assert len(line) == 4
    for call in line.take(3):
        call.answer()
    assert [one.done() for one in asked] == [True, True, True, False]
    assert (len(line), bool(line), line.is_urged) == (1, True, False)


def test_what_is_urgent_is_taken_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many wait, and is no part of what else is taken."""
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    line = Line()
    usual = [line.add(nothing, is_urgent=False) for _ in range(2)]
    with pytest.raises(TooBusy):
        line.add(nothing, is_urgent=False)
    gone, first, second = (line.add(nothing, is_urgent=True) for _ in "abc")
    gone.cancel()
    assert line.is_urged
    for one in (first, second):
        (call,) = line.take_urgent()
        call.answer()
        assert one.done()
    assert line.take_urgent() == []
    assert (len(line), line.is_urged) == (2, False)
    assert not any(one.done() for one in usual)


@pytest.mark.parametrize(
    "do",
    [
        lambda line: line.add(nothing, is_urgent=True),
        lambda line: line.end(),
    ],
)
def test_a_rest_is_cut_short(do: Callable[[Line], object]) -> None:
    """A keeper that gives way to senders would rest for seconds."""
    line = Line()
    resting = threading.Thread(target=line.rest, args=(2 * PATIENCE,))
    resting.start()
    do(line)
    resting.join(PATIENCE)
    assert not resting.is_alive()


def test_what_was_urgent_cuts_no_later_rest() -> None:
    """And after the end nobody rests at all."""
    line = Line()
    line.add(nothing, is_urgent=True)
    line.take_urgent()
    line.rest(0.01)
    assert not line.is_urged
    line.end()
    line.take_urgent()
    line.rest(2 * PATIENCE)
