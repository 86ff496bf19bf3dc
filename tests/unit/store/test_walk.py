"""The walk through buckets: every id once, the nearest first, few of them."""

import random

import pytest

from app.store.walk import NEAR, walk
from app.store.words import LEVELS, bucket_mark


@pytest.mark.parametrize("is_up", [False, True])
def test_the_buckets_are_all_ids_once(is_up: bool) -> None:
    """They follow each other without gap, and each knows its mark."""
    chance = random.Random(4)
    for _ in range(200):
        low = chance.randrange(1, 20_000_000)
        high = low + chance.randrange(1, 30_000_000)
        buckets = list(walk(low, high, is_up=is_up))
        if not is_up:
            buckets.reverse()
        edges = [bucket.start for bucket in buckets] + [buckets[-1].end]
        assert (edges[0], edges[-1]) == (low, high)
        assert edges[1:] == [bucket.end for bucket in buckets]
        assert edges == sorted(set(edges))
        for bucket in buckets:
            ends = (bucket.start, bucket.end - 1)
            marks = [
                {bucket_mark(level, one) for level in range(len(LEVELS))}
                for one in ends
            ]
            assert not bucket.mark or bucket.mark in marks[0] & marks[1]


@pytest.mark.parametrize("is_up", [False, True])
def test_the_nearest_are_few_and_the_others_grow(is_up: bool) -> None:
    """Ten million ids are no more than a handful of questions."""
    buckets = list(walk(1, 10_000_000, is_up=is_up))
    nearest = buckets[0]
    assert (nearest.end - nearest.start, nearest.mark) == (NEAR, "")
    assert all(bucket.mark for bucket in buckets[1:])
    assert len(buckets) <= 7


def test_nothing_is_no_walk() -> None:
    """No ids, no bucket."""
    assert list(walk(5, 5, is_up=False)) == []
