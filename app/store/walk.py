"""The walk: from an id through buckets of ids, until a page is full.

PostgreSQL's index of words gives rows in no order. So it is asked bucket by
bucket, the nearest first; a bucket is a mark in the same index. Each bucket
is some eight times as wide as the one before it: when that one did not fill
the page, this one does not hold many more rows than the page takes.
"""

from collections.abc import Iterator

import msgspec

from app.store.words import LEVELS, bucket_mark

# The nearest ids are looked at one by one: there common words end the walk.
NEAR = 1_000


class Bucket(msgspec.Struct, frozen=True):
    """Some ids, as far as they are meant.

    Attributes:
        start: the first id.
        end: the one after the last.
        mark: what the index knows the bucket by; empty for the nearest.
    """

    start: int
    end: int
    mark: str


def walk(low: int, high: int, *, is_up: bool) -> Iterator[Bucket]:
    """Yield the buckets of ids, the nearest first.

    Args:
        low: the first id.
        high: the first id that is no longer meant.
        is_up: whether it goes upwards from the lowest.
    """
    level = -1
    while low < high:
        bucket = _next(level, low, high, is_up=is_up)
        yield bucket
        low, high = (bucket.end, high) if is_up else (low, bucket.start)
        level = min(level + 1, len(LEVELS) - 1)


def _next(level: int, low: int, high: int, *, is_up: bool) -> Bucket:
    """Return the bucket of a level that is next to where the walk stands."""
    if level < 0:
        if is_up:
            return Bucket(low, min(low + NEAR, high), "")
        return Bucket(max(high - NEAR, low), high, "")
    nearest = low if is_up else high - 1
    start = (nearest >> LEVELS[level]) << LEVELS[level]
    end = start + (1 << LEVELS[level])
    mark = bucket_mark(level, nearest)
    return Bucket(max(low, start), min(high, end), mark)
