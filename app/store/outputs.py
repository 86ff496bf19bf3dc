"""What jobs wrote: kept in pieces, capped, and read in ranges of bytes.

Whoever adds output has masked its secrets before.
"""

from sqlalchemy import Connection, bindparam, func, insert, select

from app.models.mission_tables import OutputRow
from app.models.record import clean
from app.models.tables import table_of

OUTPUT = table_of(OutputRow)
# A range is read from pieces that are not much longer than itself.
PIECE = 16_384
# Made once: to make a statement costs several times what it takes to run.
ADD = insert(OUTPUT)
LAST = (
    select(OUTPUT.c.position, OUTPUT.c.text)
    .where(OUTPUT.c.job_id == bindparam("job"))
    .order_by(OUTPUT.c.position.desc())
    .limit(1)
)
FIRST = (
    select(func.coalesce(func.max(OUTPUT.c.position), 0))
    .where(
        OUTPUT.c.job_id == bindparam("job"),
        OUTPUT.c.position <= bindparam("low"),
    )
    .scalar_subquery()
)
RANGE = (
    select(OUTPUT.c.position, OUTPUT.c.text)
    .where(
        OUTPUT.c.job_id == bindparam("job"),
        OUTPUT.c.position >= FIRST,
        OUTPUT.c.position < bindparam("high"),
    )
    .order_by(OUTPUT.c.position)
)


def add_output(
    connection: Connection, job_id: int, text: str, most_bytes: int
) -> tuple[int, bool]:
    """Add to what a job wrote.

    Args:
        connection: the turn's transaction.
        job_id: the job.
        text: what it wrote since.
        most_bytes: what is beyond this is left out, and all that follows.

    Returns:
        How many bytes are stored in all, and whether any were left out.
    """
    row = connection.execute(LAST, {"job": job_id}).one_or_none()
    stored = 0 if row is None else row.position + len(row.text.encode())
    if row is not None and not row.text:
        return stored, True
    whole = clean(text).encode()
    rest = whole[: _boundary(whole, max(0, most_bytes - stored))]
    is_cut = len(rest) < len(whole)
    rows = []
    while rest:
        size = _boundary(rest, PIECE)
        piece, rest = rest[:size], rest[size:]
        rows.append({"position": stored, "text": piece.decode()})
        stored += size
    if is_cut:
        rows.append({"position": stored, "text": ""})
    if rows:
        connection.execute(ADD, [{"job_id": job_id, **one} for one in rows])
    return stored, is_cut


def read_output(
    connection: Connection, job_id: int, offset: int, limit: int
) -> tuple[str, int]:
    """Return a range of what a job wrote, and where the next one begins.

    No character is divided: one that the range ends within is left for the
    next, but one character is returned at least when there is any.

    Args:
        connection: a snapshot.
        job_id: the job.
        offset: where the range begins, in bytes.
        limit: how many bytes at most.
    """
    low = max(0, offset)
    # A character has four bytes at most.
    high = low + max(limit, 4)
    bounds = {"job": job_id, "low": low, "high": high}
    rows = connection.execute(RANGE, bounds).all()
    if not rows:
        return "", low
    whole = b"".join(row.text.encode() for row in rows)
    whole = whole[low - rows[0].position :]
    begin = 0
    while begin < len(whole) and _is_inside(whole[begin]):
        begin += 1
    whole = whole[begin:]
    size = _boundary(whole, limit) or _boundary(whole, 4, is_first=True)
    return whole[:size].decode(), low + begin + size


def _boundary(text: bytes, most: int, *, is_first: bool = False) -> int:
    """Return where text may be divided, at most so many bytes in.

    Args:
        text: which begins with a character.
        most: how many bytes at most.
        is_first: divide after the first character.
    """
    if is_first:
        size = min(1, len(text))
        while size < len(text) and _is_inside(text[size]):
            size += 1
        return size
    size = min(most, len(text))
    while 0 < size < len(text) and _is_inside(text[size]):
        size -= 1
    return size


def _is_inside(byte: int) -> bool:
    """Tell whether a byte goes on with a character of UTF-8."""
    return byte & 0xC0 == 0x80
