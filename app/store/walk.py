"""The walk: from an id through buckets of ids, until a page is full.

PostgreSQL's index of words gives rows in no order. So it is asked bucket by
bucket, the nearest first; each is about twice as wide as the one before it,
so that little is read that the page has no room for. What a bucket is known
by in that index are the marks of the blocks in it, all of one width.
"""

from collections.abc import Iterator

import msgspec

from app.store.words import LEVELS, Word, bucket_mark

# The nearest ids are looked at one by one: there common words end the walk.
NEAR = 1_000
# So many blocks of a width are one of the next.
BLOCKS = 8


class Bucket(msgspec.Struct, frozen=True):
    """Some ids, as far as they are meant.

    Attributes:
        start: the first id.
        end: the one after the last.
        marks: what the index knows its blocks by; none for the nearest.
    """

    start: int
    end: int
    marks: tuple[Word, ...] = ()


def walk(low: int, high: int, *, is_up: bool) -> Iterator[Bucket]:
    """Yield the buckets of ids, the nearest first.

    Args:
        low: the first id.
        high: the first id that is no longer meant.
        is_up: whether it goes upwards from the lowest.
    """
    if low < high:
        middle = min(low + NEAR, high) if is_up else max(high - NEAR, low)
        yield Bucket(low, middle) if is_up else Bucket(middle, high)
        low, high = (middle, high) if is_up else (low, middle)
    width = LEVELS[0]
    while low < high:
        bucket = _next(low, high, width, is_up=is_up)
        yield bucket
        low, high = (bucket.end, high) if is_up else (low, bucket.start)
        width += 1


def _next(low: int, high: int, width: int, *, is_up: bool) -> Bucket:
    """Return the bucket that is next to where the walk stands.

    Its blocks are the widest that begin there and are not too wide; it ends
    where a block of the next width begins, at the latest.
    """
    level = _level_at(low if is_up else high, width)
    size = LEVELS[level]
    more = (1 << max(width - size, 0)) - 1
    first, last = low >> size, (high - 1) >> size
    if is_up:
        last = min(last, first + more, first | (BLOCKS - 1))
    else:
        first = max(first, last - more, last & -BLOCKS)
    blocks = range(first, last + 1)
    return Bucket(
        max(low, first << size),
        min(high, (last + 1) << size),
        tuple(Word(bucket_mark(level, one << size)) for one in blocks),
    )


def _level_at(edge: int, width: int) -> int:
    """Return the widest blocks of which one begins at an id."""
    found = 0
    for level, size in enumerate(LEVELS):
        if size <= width and edge % (1 << size) == 0:
            found = level
    return found
