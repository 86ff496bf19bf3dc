"""Seams: the output of a job is masked as a whole, whoever reads it on."""

import asyncio

import pytest

from app.act.hands import tame
from app.act.masking import LINE_CUT, Secrets
from app.core.redaction import SHOWN
from app.models.job import JobState, Order, Progress
from app.ports import Backend
from tests.unit.act.backends.making import order
from tests.unit.act.test_hands import OWN, Talker

WRITTEN = f"first line\nconnecting as app with {OWN} now\nlast line\n"
# The first answer ends within the secret.
FIRST = WRITTEN[: WRITTEN.index(OWN) + len(OWN) - 2]
MASKED = WRITTEN.replace(OWN, SHOWN)


class Writer(Talker):
    """A backend that has written a little more each time it is asked."""

    def __init__(self, *texts: str) -> None:
        super().__init__()
        self._texts = list(texts)

    async def start(self, order: Order) -> Progress:
        """Say what has come since the place of an order."""
        text = self._texts.pop(0)
        state = JobState.STARTED if self._texts else JobState.SUCCEEDED
        return Progress(
            state=state,
            output=text[int(order.cursor or 0) :],
            cursor=str(len(text)),
        )

    watch = abort = find = start


def follow(writer: Backend, cursors: list[str]) -> Progress:
    """Ask how a job goes on from where it was read last."""
    seen = asyncio.run(writer.watch(order("job", cursor=cursors[-1])))
    cursors.append(seen.cursor)
    return seen


def test_what_is_asked_for_twice_is_masked_alike() -> None:
    """The first answer could not be written down: it is asked for again."""
    writer = tame(Writer(FIRST, FIRST, WRITTEN), Secrets([OWN]))
    lost = follow(writer, [""])
    cursors = [""]
    first = follow(writer, cursors)
    assert (first.output, first.cursor) == (lost.output, lost.cursor)
    assert first.output + follow(writer, cursors).output == MASKED


def test_what_came_after_a_half_line_may_be_lost_and_asked_again() -> None:
    """What was kept back of a line is known until it is written down."""
    writer = tame(Writer(FIRST, WRITTEN, WRITTEN), Secrets([OWN]))
    cursors = [""]
    stored = follow(writer, cursors).output
    lost = follow(writer, list(cursors))
    again = follow(writer, cursors)
    assert again.output == lost.output
    assert stored + again.output == MASKED


def test_nodes_take_turns_with_a_job() -> None:
    """Whole lines are shown; of one that both have read a part nothing is."""
    second = WRITTEN[: WRITTEN.index(" now")]
    texts = (FIRST, second, WRITTEN, WRITTEN + "more\n", WRITTEN + "more\n")
    writer = Writer(*texts)
    one, other = (tame(writer, Secrets([OWN])) for _ in range(2))
    cursors = [""]
    shown = [
        follow(node, cursors).output for node in (one, other, one, other, one)
    ]
    assert shown == [
        "first line\n",
        "",
        LINE_CUT + "last line\n",
        "more\n",
        "",
    ]


class Ender(Writer):
    """A backend that has written all by the first answer."""

    async def start(self, order: Order) -> Progress:
        """Say it first, and then that it is over."""
        (text,) = self._texts
        said = Progress(
            state=JobState.STARTED, output=text, cursor=str(len(text))
        )
        if order.cursor:
            said = Progress(state=JobState.SUCCEEDED, cursor=order.cursor)
        return said

    watch = abort = find = start


KEY = (
    "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBg\n" * 4 + "-----END"
    " PRIVATE KEY-----\n"
)


@pytest.mark.parametrize("cut", range(1, len(KEY)))
def test_a_key_is_hidden_whoever_reads_on(cut: int) -> None:
    """It began with one node, and ends with another."""
    text = f"begin\n{KEY}end\n"
    writer = Writer(text[: cut + len("begin\n")], text)
    first, second = (tame(writer, Secrets()) for _ in range(2))
    cursors = [""]
    shown = follow(first, cursors).output + follow(second, cursors).output
    assert "MII" not in shown
    assert "ADANBg" not in shown
    assert shown.startswith("begin\n")
    assert shown.endswith("end\n")


@pytest.mark.parametrize("cut", range(1, 12))
def test_what_only_looks_like_a_key_hides_no_more_than_its_line(
    cut: int,
) -> None:
    """Dashes stand in many an output."""
    text = "-----BACKUP-----\nnext\n"
    writer = Writer(text[:cut], text)
    first, second = (tame(writer, Secrets()) for _ in range(2))
    cursors = [""]
    shown = follow(first, cursors).output + follow(second, cursors).output
    assert shown == LINE_CUT + "next\n"


def test_the_last_line_is_there_when_the_end_is_asked_for_twice() -> None:
    """It has no end of its own: it came with the piece before."""
    writer = tame(Ender("why: full"), Secrets())
    cursors = [""]
    assert follow(writer, cursors).output == ""
    for _ in range(2):
        again = asyncio.run(writer.watch(order("job", cursor=cursors[-1])))
    assert again.output == "why: full"


def test_a_place_of_before_is_read_on_after_the_next_line() -> None:
    """It does not say what it was cut within."""
    backend = Writer(WRITTEN)
    found = asyncio.run(
        tame(backend, Secrets([OWN])).watch(order("job", cursor="20"))
    )
    assert found.output == LINE_CUT + "last line\n"
