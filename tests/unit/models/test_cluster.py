"""Clusters: which episodes of one target are one incident, and why."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.cluster import FOREVER, Member, Windows, group

WINDOWS = Windows(again=100, together=50)
SECONDS = Windows(again=900_000_000, together=900_000_000)


def parted(members: list[Member]) -> list[list[int]]:
    """Return the episodes of each group."""
    return [[m.episode for m in g.members] for g in group(members, WINDOWS)]


@pytest.mark.parametrize(
    ("second", "is_one"),
    [
        (Member(2, "a", 300, FOREVER), True),
        (Member(2, "a", 301, FOREVER), False),
        (Member(2, "b", 50, 60), True),
        (Member(2, "b", 51, 60), False),
        (Member(2, "a", 150, 160), True),
    ],
)
def test_close_is_one(second: Member, is_one: bool) -> None:
    """The same problem soon again, or another one at the same time."""
    first = Member(1, "a", 0, 200)
    expected = [[1, 2]] if is_one else [[1], [2]]
    assert parted([first, second]) == expected
    assert parted([second, first]) == expected


def test_reasons_are_for_people() -> None:
    """Each but the first says why it is here, by its closest neighbour."""
    second = 1_000_000
    members = [
        Member(1, "DiskFull", 0, 10 * second),
        Member(2, "LoadHigh", 30 * second, FOREVER),
        Member(3, "DiskFull", 130 * second, FOREVER),
    ]
    (one,) = group(members, SECONDS)
    assert one.because == {
        2: "it began on the same target 30 s after DiskFull",
        3: "it began on the same target 2 min after LoadHigh",
    }


def test_the_order_does_not_matter() -> None:
    """Also of those that begin at the same moment."""
    members = [Member(n, "ab"[n % 2], 10 * (n // 2), 40) for n in range(5)]
    members.append(Member(9, "c", 500, 600))
    expected = {frozenset(range(5)), frozenset({9})}
    for order in permutations(members):
        assert {frozenset(g) for g in parted(list(order))} == expected


MEMBERS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 400), st.integers(0, 99)),
    max_size=8,
)


@given(MEMBERS)
def test_it_is_what_the_rule_says(spans: list[tuple[str, int, int]]) -> None:
    """As slow and plain: any two that are close enough are together."""
    members = [
        Member(n, problem, begins, begins + lasts)
        for n, (problem, begins, lasts) in enumerate(spans)
    ]
    roots = {m.episode: m.episode for m in members}
    for one in members:
        for other in members:
            if (one.begins_at, one.episode) < (other.begins_at, other.episode):
                gap = other.begins_at - one.until
                is_again = one.problem == other.problem and gap <= 100
                if is_again or other.begins_at - one.begins_at <= 50:
                    old, new = roots[other.episode], roots[one.episode]
                    roots = {
                        k: new if v == old else v for k, v in roots.items()
                    }
    expected: dict[int, set[int]] = {}
    for episode, root in roots.items():
        expected.setdefault(root, set()).add(episode)
    found = [set(one) for one in parted(members)]
    assert sorted(map(sorted, found)) == sorted(map(sorted, expected.values()))


@given(MEMBERS, st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_two_pins_are_never_one(
    spans: list[tuple[str, int, int]], pins: list[int]
) -> None:
    """What people parted stays apart, what they joined stays together."""
    members = [
        Member(n, problem, begins, begins + lasts, pins[n])
        for n, (problem, begins, lasts) in enumerate(spans)
    ]
    homes: dict[int, int] = {}
    for number, one in enumerate(group(members, WINDOWS)):
        found = {m.pin for m in one.members} - {0}
        assert len(found) <= 1
        for pin in found:
            assert homes.setdefault(pin, number) == number


def test_what_is_one_stays_one() -> None:
    """Though nothing that is near ties it."""
    apart = [
        Member(1, "a", 0, FOREVER, incident=7),
        Member(2, "b", 300, FOREVER, incident=7),
    ]
    assert parted(apart) == [[1, 2]]
