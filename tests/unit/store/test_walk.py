"""The walk through buckets: every id once, the nearest first, few of them."""

import random

import pytest

from app.store.walk import BLOCKS, NEAR, walk
from app.store.words import LEVELS, bucket_mark


@pytest.mark.parametrize("is_up", [False, True])
def test_the_buckets_are_all_ids_once(is_up: bool) -> None:
    """They follow each other without gap, and are the nearest first."""
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


@pytest.mark.parametrize("is_up", [False, True])
def test_each_id_has_a_mark_of_its_bucket(is_up: bool) -> None:
    """And at most as many others have one as the bucket has ids."""
    chance = random.Random(5)
    for _ in range(200):
        low = chance.randrange(1, 20_000_000)
        high = low + chance.randrange(1, 30_000_000)
        for bucket in list(walk(low, high, is_up=is_up))[1:]:
            marks = {word.text for word in bucket.marks}
            ids = [bucket.start, bucket.end - 1]
            ids += [
                chance.randrange(*ids) for _ in range(20) if ids[0] < ids[1]
            ]
            for one in ids:
                known = {bucket_mark(n, one) for n in range(len(LEVELS))}
                assert len(marks & known) == 1
            assert len(marks) == len(bucket.marks) <= BLOCKS
            assert not any(word.is_beginning for word in bucket.marks)


@pytest.mark.parametrize("is_up", [False, True])
def test_the_nearest_are_few_and_the_others_grow(is_up: bool) -> None:
    """Each is at most twice as wide as the widest that could be before it."""
    chance = random.Random(6)
    for total in (20_000, 1_000_000, 10_000_000, 100_000_000):
        low = chance.randrange(1, total)
        nearest, *far = walk(low, low + total, is_up=is_up)
        assert (nearest.end - nearest.start, nearest.marks) == (NEAR, ())
        for number, bucket in enumerate(far):
            assert bucket.end - bucket.start <= 1 << (LEVELS[0] + number)
            assert bucket.marks


@pytest.mark.parametrize("is_up", [False, True])
def test_ten_million_ids_are_a_dozen_questions(is_up: bool) -> None:
    """Wherever it begins: each question costs something by itself."""
    chance = random.Random(7)
    for _ in range(200):
        low = chance.randrange(1, 20_000_000)
        assert len(list(walk(low, low + 10_000_000, is_up=is_up))) <= 16


def test_nothing_is_no_walk() -> None:
    """No ids, no bucket."""
    assert list(walk(5, 5, is_up=False)) == []
