"""What jobs wrote is kept in order, capped, and read in ranges."""

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.store.ledger import Connection
from app.store.outputs import PIECE, add_output, read_output

PLENTY = 10_000_000


def read_all(connection: Connection, job: int, limit: int) -> str:
    """Return the whole output, read range by range."""
    found: list[str] = []
    offset = 0
    while True:
        piece, after = read_output(connection, job, offset, limit)
        if not piece:
            assert after == offset
            return "".join(found)
        assert after > offset
        found.append(piece)
        offset = after


def test_nothing_was_written(connection: Connection) -> None:
    """A job without output has an empty one, wherever it is read."""
    assert read_output(connection, 1, 0, 100) == ("", 0)
    assert read_output(connection, 1, 7, 100) == ("", 7)
    assert add_output(connection, 1, "", PLENTY) == (0, False)


def test_pieces_become_one_text(connection: Connection) -> None:
    """In the order of their coming, each job for itself."""
    assert add_output(connection, 1, "one ", PLENTY) == (4, False)
    assert add_output(connection, 2, "other", PLENTY) == (5, False)
    assert add_output(connection, 1, "twö", PLENTY) == (8, False)
    assert read_output(connection, 1, 0, 100) == ("one twö", 8)
    assert read_output(connection, 1, 4, 2) == ("tw", 6)
    assert read_output(connection, 1, 2, 4) == ("e tw", 6)
    assert read_output(connection, 1, 8, 100) == ("", 8)


def test_a_long_piece_is_divided(connection: Connection) -> None:
    """So that a small range of a long output is read from a small piece."""
    whole = "äbc" * PIECE
    stored, is_cut = add_output(connection, 1, whole, PLENTY)
    assert (stored, is_cut) == (len(whole.encode()), False)
    query = text("SELECT max(length(text)) FROM output")
    assert connection.execute(query).scalar_one() <= PIECE
    assert read_all(connection, 1, 100_000) == whole


def test_beyond_the_cap_nothing_is_kept(connection: Connection) -> None:
    """Not even what would fit where a character did not."""
    assert add_output(connection, 1, "abcd", 6) == (4, False)
    assert add_output(connection, 1, "€", 6) == (4, True)
    assert add_output(connection, 1, "e", 6) == (4, True)
    assert read_output(connection, 1, 0, 100) == ("abcd", 4)


def test_what_just_fits_is_not_cut(connection: Connection) -> None:
    """The cap itself is still kept; then comes the cut."""
    assert add_output(connection, 1, "abcdef", 6) == (6, False)
    assert add_output(connection, 1, "", 6) == (6, False)
    assert add_output(connection, 1, "g", 6) == (6, True)
    assert read_output(connection, 1, 0, 100) == ("abcdef", 6)


def test_a_character_is_never_divided(connection: Connection) -> None:
    """Neither at the end of a range, nor by one that begins inside."""
    add_output(connection, 1, "a€b", PLENTY)
    assert read_output(connection, 1, 0, 3) == ("a", 1)
    assert read_output(connection, 1, 1, 1) == ("€", 4)
    assert read_output(connection, 1, 2, 10) == ("b", 5)
    assert read_output(connection, 1, 0, 0) == ("a", 1)


def test_what_no_database_holds_is_replaced(connection: Connection) -> None:
    """Zero bytes and half characters of a broken backend."""
    add_output(connection, 1, "a\0b\ud800c", PLENTY)
    assert read_output(connection, 1, 0, 100) == ("ab?c", 4)


@settings(
    max_examples=40,
)
@given(
    st.lists(st.text("aä€😀", max_size=6), max_size=6),
    st.integers(1, 9),
    st.integers(0, 30),
)
def test_ranges_lead_through_the_whole(
    connection: Connection, pieces: list[str], limit: int, most: int
) -> None:
    """However it was written and is read: it is the beginning, undivided."""
    connection.execute(text("DELETE FROM output"))
    whole, kept = "".join(pieces), 0
    is_cut = False
    for piece in pieces:
        kept, is_cut = add_output(connection, 1, piece, most)
    assert kept <= most
    found = read_all(connection, 1, limit)
    assert len(found.encode()) == kept
    assert whole.startswith(found)
    assert is_cut == (found != whole)
