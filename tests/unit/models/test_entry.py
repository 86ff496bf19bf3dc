"""The entry and its chain, without a database."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.chain import Anchor, Breach, Chain, parse_anchor
from app.models.entry import BEGINNING, COLUMNS, End, Entry, Note, to_entry

DIGEST = "0f" * 32
OTHER = {int: 2**40, str: "another", bytes: bytes(32)}


def chain_of(count: int) -> list[Entry]:
    """Return so many entries, chained."""
    entries: list[Entry] = []
    end = BEGINNING
    for number in range(count):
        note = Note(kind="x.done", actor="rule:x", summary=f"no. {number}")
        entry = to_entry(end, number, note)
        entries.append(entry)
        end = End(entry.id, entry.hash)
    return entries


def walk(rows: list[tuple[Any, ...]], head: int) -> Breach | None:
    """Return what a walk along rows finds."""
    chain = Chain((BEGINNING.id, BEGINNING.hash), BEGINNING)
    for row in rows:
        breach = chain.follow(row)
        if breach is not None:
            return breach
    return chain.end(head)


def test_every_column_is_under_the_hash() -> None:
    """A change of any of them, the hash itself included, is found."""
    entries = chain_of(3)
    rows = [msgspec.structs.astuple(entry) for entry in entries]
    assert walk(rows, 3) is None
    for index, name in enumerate(COLUMNS):
        for place, wrong in enumerate(rows):
            changed = list(wrong)
            changed[index] = OTHER[type(changed[index])]
            some = [*rows[:place], tuple(changed), *rows[place + 1 :]]
            breach = walk(some, 3)
            assert breach is not None, name
            # A number that is gone is missing before it is anything else.
            assert breach.entry == place + 1


def test_bytes_that_look_like_a_text_are_no_text() -> None:
    """JSON writes bytes as base64; a hash over that must not be fooled."""
    note = Note(kind="x.done", actor="aGk=", summary="s")
    row = list(msgspec.structs.astuple(to_entry(BEGINNING, 1, note)))
    row[COLUMNS.index("actor")] = b"hi"
    breach = walk([tuple(row)], 1)
    assert breach is not None
    assert "another type" in breach.what


def test_an_edit_is_told_from_an_exchange() -> None:
    """The next entry knows the hash of what was written."""
    rows = [msgspec.structs.astuple(entry) for entry in chain_of(3)]
    edited = list(rows[1])
    edited[COLUMNS.index("summary")] = "a lie"
    breach = walk([rows[0], tuple(edited), rows[2]], 3)
    assert breach == Breach(2, "was edited: its hash tells of other words")
    breach = walk([rows[0], (*rows[1][:-1], bytes(32)), rows[2]], 3)
    assert breach == Breach(2, "was edited: its hash is another one")


@given(st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_an_anchor_is_read_back(entry: int, digest: bytes) -> None:
    """In small and capital digits."""
    anchor = Anchor(entry, digest.hex())
    assert parse_anchor(f"{entry}:{digest.hex()}") == anchor
    assert parse_anchor(f" {entry}:{digest.hex().upper()}\n") == anchor


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        f":{DIGEST}",
        f"0:{DIGEST}",
        f"-1:{DIGEST}",
        f"\u0663:{DIGEST}",
        f"1:{DIGEST[:-2]}",
        f"1:{DIGEST}00",
        f"1:{DIGEST[:-1]}x",
        f"1:{DIGEST[:32]} {DIGEST[32:]}",
        f"{'9' * 30}:{DIGEST}",
    ],
)
def test_what_is_no_anchor_is_refused(text: str) -> None:
    """An id, a colon and 64 hexadecimal digits, nothing else."""
    with pytest.raises(ValueError, match="must"):
        parse_anchor(text)


@given(st.text(max_size=90))
def test_any_text_is_an_anchor_or_a_value_error(text: str) -> None:
    """No other error comes out of it."""
    try:
        parse_anchor(text)
    except ValueError:
        return
    assert ":" in text
