"""A walk along the chain: what it says of a cut, an anchor and an end."""

from typing import Any

import msgspec
import pytest

from app.models.chain import Anchor, Breach, Chain, Finding
from app.models.entry import BEGINNING, START, End, Note, to_entry

Row = tuple[Any, ...]
ZEROS = "0" * 64


def rows_of(*notes: Note, after: End = BEGINNING) -> list[Row]:
    """Return notes as rows, chained."""
    rows = []
    for note in notes:
        entry = to_entry(after, 5, note)
        after = End(entry.id, entry.hash)
        rows.append(msgspec.structs.astuple(entry))
    return rows


def note(kind: str = "x.done", **body: object) -> Note:
    """Return a note."""
    return Note(kind=kind, actor="rule:x", summary="said", body=dict(body))


ROWS = rows_of(*[note(n=n) for n in range(4)])
CUT = End(2, ROWS[1][-1])
TOLD = note("log.cut", through=2, hash=CUT.hash.hex())


def anchor(row: Row) -> Anchor:
    """Return a row as an anchor."""
    return Anchor(row[0], row[-1].hex())


def walk(chain: Chain, rows: list[Row], head: int) -> Finding:
    """Return what a walk along rows finds."""
    breach = None
    for row in rows:
        breach = breach or chain.follow(row)
    return chain.found(breach or chain.end(head))


def whole(*anchors: Anchor) -> Chain:
    """Return a walk from the beginning."""
    return Chain((0, START), BEGINNING, anchors)


def test_a_log_that_is_right_says_where_it_ends() -> None:
    """How many entries, and the last one's id and hash to be kept."""
    found = walk(whole(), ROWS, 4)
    assert found == Finding(4, 4, ROWS[3][-1].hex(), None)


def test_a_log_without_entries_is_right() -> None:
    """Its hash is that of the beginning."""
    assert walk(whole(), [], 0) == Finding(0, 0, ZEROS, None)


@pytest.mark.parametrize(
    ("rows", "head", "breach"),
    [
        (ROWS[1:], 4, Breach(1, "is missing")),
        ([ROWS[0], *ROWS[2:]], 4, Breach(2, "is missing")),
        ([ROWS[0], ROWS[0]], 4, Breach(1, "stands there twice")),
        (
            [(0, *ROWS[0][1:]), *ROWS],
            *(4, Breach(0, "was inserted before the beginning of the log")),
        ),
        (
            ROWS[:3],
            *(4, Breach(4, "is missing: the end was cut off, 4 were written")),
        ),
        ([], 1, Breach(1, "is missing: the end was cut off, 1 were written")),
        (ROWS, 3, Breach(4, "was not written by us: we ended at entry 3")),
        (ROWS, 0, Breach(1, "was not written by us: we ended at entry 0")),
        (
            [ROWS[0], (2, *ROWS[2][1:]), *ROWS[2:]],
            *(4, Breach(2, "is not what was written there: edited, moved or")),
        ),
        (
            [*ROWS[:3], (*ROWS[3][:-1], START)],
            *(4, Breach(4, "is not what was written there: edited, moved or")),
        ),
        (
            [(True, *ROWS[0][1:]), *ROWS[1:]],
            *(4, Breach(1, "was edited: a column is of another type")),
        ),
        (
            [*ROWS[:3], (*ROWS[3][:-1], None)],
            *(4, Breach(4, "was edited: a column is of another type")),
        ),
    ],
)
def test_the_first_wrong_entry_is_named(
    rows: list[Row], head: int, breach: Breach
) -> None:
    """With what is wrong about it."""
    found = walk(whole(), rows, head).breach
    assert found is not None
    assert found.entry == breach.entry
    assert found.what.startswith(breach.what)


@pytest.mark.parametrize(
    ("rows", "anchors", "entry"),
    [
        (ROWS, [anchor(ROWS[0]), anchor(ROWS[3])], None),
        (ROWS, [anchor(ROWS[1]), anchor(ROWS[1])], None),
        (ROWS, [Anchor(3, ZEROS)], 3),
        (ROWS, [anchor(ROWS[1]), Anchor(2, ZEROS)], 2),
        (ROWS[:3], [anchor(ROWS[3])], 4),
        (ROWS, [Anchor(9, ZEROS)], 5),
    ],
)
def test_what_was_anchored_must_be_there(
    rows: list[Row], anchors: list[Anchor], entry: int | None
) -> None:
    """Though the writer's own mark of the end was set back."""
    found = walk(whole(*anchors), rows, len(rows))
    assert (found.breach and found.breach.entry) == entry
    if entry is None:
        assert found.anchored == tuple(sorted({a.entry for a in anchors}))


@pytest.mark.parametrize(
    ("last", "entry"),
    [
        (TOLD, None),
        (note("log.cut", through=1, hash=CUT.hash.hex()), 2),
        (note("log.cut", through=2, hash=ZEROS), 2),
        (note("log.cut"), 2),
        (note("log.cut", through="2", hash=CUT.hash.hex()), 2),
        (note("x.done", through=2, hash=CUT.hash.hex()), 2),
        (note("log.broken"), 5),
    ],
)
def test_a_cut_must_be_told(last: Note, entry: int | None) -> None:
    """By an entry of its kind with the id and the hash of the cut."""
    rows = ROWS[2:] + rows_of(last, after=End(4, ROWS[3][-1]))
    found = walk(Chain((2, CUT.hash), CUT), rows, 5)
    assert (found.breach and found.breach.entry) == entry
    assert found.entries == (2 if entry == 5 else 3)


def test_another_beginning_than_that_of_the_cut_is_found() -> None:
    """The rows that are left follow on the entry that was cut last."""
    found = walk(Chain((2, START), End(2, START)), ROWS[2:], 4)
    assert found.breach is not None
    assert found.breach.entry == 3


@pytest.mark.parametrize(("digest", "entry"), [(CUT.hash, None), (START, 2)])
def test_a_cut_whose_rows_are_still_there(
    digest: bytes, entry: int | None
) -> None:
    """The row at which it was cut must be the one that is known."""
    told = note("log.cut", through=2, hash=digest.hex())
    rows = ROWS + rows_of(told, after=End(4, ROWS[3][-1]))
    found = walk(Chain((0, START), End(2, digest)), rows, 5)
    assert (found.breach and found.breach.entry) == entry


def test_a_walk_may_begin_where_nothing_is_known() -> None:
    """The first row is taken as it is, each next one must follow on it."""
    assert walk(Chain((1, None), BEGINNING), ROWS[1:], 4).entries == 3
    odd = [ROWS[1], (*ROWS[2][:-1], START)]
    assert walk(Chain((1, None), BEGINNING), odd, 3).breach is not None
