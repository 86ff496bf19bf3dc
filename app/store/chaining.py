"""One link of the action log: whether an entry fits those beside it.

The walk along the whole chain is app/store/log.py; this is for people who
look at one line and want to know whether it is what was written.
"""

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, literal_column, select

from app.models.entry import BEGINNING, COLUMNS, seal
from app.store.log import CUT, ENTRY

# As they lie there, in whatever form somebody left them.
AS_THEY_LIE: list[ColumnElement[Any]] = [
    literal_column(name).label(name) for name in COLUMNS
]
ROWS = select(*AS_THEY_LIE).select_from(ENTRY)


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """An entry between its neighbours.

    Attributes:
        entry: its id.
        hash: its hash, in hexadecimal digits.
        before: the hash of the entry before it, empty when that was cut
            off and is not known.
        sealed: the hash that its words have after that one, or empty.
        fits_before: whether that is its hash; None: it cannot be told.
        fits_after: whether the next entry was written after this hash;
            None: there is no next one.
    """

    entry: int
    hash: str
    before: str
    sealed: str
    fits_before: bool | None
    fits_after: bool | None

    @property
    def holds(self) -> bool:
        """Tell whether nothing speaks against it."""
        return self.fits_before is not False and self.fits_after is not False


def find_link(connection: Connection, number: int) -> Link | None:
    """Return an entry between its neighbours, None when it is not there."""
    # No sum: the last number that there can be has none after it.
    near = ROWS.where(ENTRY.c.id >= number - 1).order_by(ENTRY.c.id).limit(3)
    rows = {row.id: row for row in connection.execute(near)}
    row = rows.get(number)
    if row is None:
        return None
    digest = _digest(row)
    before = _hash_before(connection, rows.get(number - 1), number)
    sealed = b"" if before is None else _seal(before, row)
    following = rows.get(number + 1)
    return Link(
        entry=number,
        hash=digest.hex(),
        before="" if before is None else before.hex(),
        sealed=sealed.hex(),
        fits_before=None if before is None else sealed == digest,
        fits_after=None
        if following is None
        else _seal(digest, following) == _digest(following),
    )


def _hash_before(
    connection: Connection, row: Any, number: int
) -> bytes | None:
    """Return the hash of the entry before, None when nobody knows it."""
    if row is not None:
        return _digest(row)
    if number == BEGINNING.id + 1:
        return BEGINNING.hash
    known = select(CUT.c.hash).where(CUT.c.id == number - 1)
    digest = connection.execute(known).scalar()
    return None if digest is None else bytes(digest)


def _digest(row: Any) -> bytes:
    """Return the hash of a row, whatever lies in its place."""
    is_bytes = isinstance(row.hash, bytes | memoryview)
    return bytes(row.hash) if is_bytes else str(row.hash).encode()


def _seal(before: bytes, row: Any) -> bytes:
    """Return the hash that the words of a row have after another one."""
    return seal(before, tuple(row)[:-1])
