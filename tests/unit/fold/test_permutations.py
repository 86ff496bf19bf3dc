"""Whatever order alerts come in, they end as if they had come in order."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice, permutations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.fold.rules import FoldSettings, make_rules
from app.fold.weaving import Ids, weave
from app.models.cluster import group
from app.models.episode import Episode
from app.store.location import locate
from app.store.migrate import migrate
from tests.unit.fold.turns import HOST, Bench, Said, chunks, to_row

HOUR = 3_600.0
RULES = make_rules(FoldSettings())
AGAIN = 7_200.0  # long after the first one's end: another incident
FIRING, RESOLVED, UPDATED = "firing", "resolved", "updated"


def dated(first: float, second: float) -> list[Said]:
    """Return a life as Alertmanager tells it: each end with its start."""
    return [
        Said(starts=first),
        Said(starts=first),
        Said(status=RESOLVED, starts=first, ends=first + 60),
        Said(starts=second, severity="critical"),
        Said(status=RESOLVED, starts=second, ends=second + 90),
        Said(
            status=UPDATED,
            starts=second,
            severity="error",
            annotations={"updated_at": "2026-11-21T05:00:00Z"},
        ),
    ]


def loose(first: float, second: float) -> list[Said]:
    """Return a life as CloudWatch tells it: an end names no start."""
    return [
        Said(starts=first),
        Said(starts=first),
        Said(status=RESOLVED, ends=first + 60),
        Said(starts=second),
        Said(status=RESOLVED, ends=second + 90),
        Said(status=UPDATED, severity="unknown"),
    ]


def zabbix(first: float, second: float) -> list[Said]:
    """Return two problems of one trigger: each is a fingerprint."""
    one = {"source": "zabbix", "fingerprint": "21", "name": "Nginx is down"}
    two = {**one, "fingerprint": "22"}
    return [
        Said(starts=first, **one),  # type: ignore[arg-type]
        Said(status=RESOLVED, starts=first, ends=first + 60, **one),  # type: ignore[arg-type]
        Said(
            status=UPDATED,
            starts=first,
            severity="critical",
            annotations={"updated_at": "2026-11-21T05:00:00Z"},
            **one,  # type: ignore[arg-type]
        ),
        Said(starts=second, **two),  # type: ignore[arg-type]
        Said(status=RESOLVED, starts=second, ends=second + 90, **two),  # type: ignore[arg-type]
        Said(status=UPDATED, starts=second, severity="error", **two),  # type: ignore[arg-type]
    ]


def open_ended(first: float, second: float) -> list[Said]:
    """Return a life whose last end never comes, and one that did not fire."""
    return [
        Said(starts=first),
        Said(status=RESOLVED, starts=first, ends=first + 60),
        Said(starts=second),
        Said(status=RESOLVED, starts=first - 60, ends=first - 30),
        Said(status=RESOLVED, ends=first + 30),
        Said(starts=second + 30, severity="critical"),
    ]


LIVES = {
    f"{life.__name__}, {when}": life(0.0, second)
    for life in (dated, loose, zabbix, open_ended)
    for when, second in (("soon", 120.0), ("later", AGAIN))
}


HOLDS = [
    {"matchers": ["severity=critical"], "seconds": 60},
    {"matchers": ["alertname=Symptom0"], "seconds": 600},
    {"matchers": ['alertname=~"Symptom1|DiskFull"'], "seconds": 120},
]


@pytest.fixture(scope="module", params=[(), HOLDS], ids=["open", "held"])
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """Return a database that is emptied before each run of a life."""
    folder = tmp_path_factory.mktemp("permutations")
    place = locate(f"sqlite:///{folder}/fold.db", Path(folder))
    migrate(place)
    made = Bench(place, hold_down=request.param)
    # All of it lies in the past: nothing of it is due any more.
    made.clock.advance(4 * HOUR)
    yield made
    made.ledger.close()


def weave_only(parts: Iterable[Sequence[Said]]) -> list[Any]:
    """Return what becomes of alerts without a database: the pure part."""
    strands: dict[Any, Any] = {}
    episodes: dict[int, Episode] = {}
    ids = Ids(1, 1)
    numbers = count(1)
    for part in parts:
        rows = [SimpleNamespace(**to_row(next(numbers), o, 0)) for o in part]
        woven = weave(rows, strands, ids, RULES)
        episodes.update(woven.episodes)
    members = [episode.as_member() for episode in episodes.values()]
    groups = group(members, RULES.windows)
    return sorted(
        sorted(told(episodes[member.episode]) for member in one.members)
        for one in groups
    )


def told(one: Episode) -> tuple[Any, ...]:
    """Return what an episode says about itself, without its numbers."""
    name = (one.source, one.fingerprint, one.target, one.problem)
    return (*name, one.begins_at, one.until, one.ended, one.severity)


@pytest.mark.parametrize("name", LIVES)
def test_every_order_and_turn(name: str) -> None:
    """All 720 orders of six events, each event in a turn of its own.

    And all of them in one turn, in two, and in three.
    """
    events = LIVES[name]
    expected = weave_only([[one] for one in events])
    assert expected
    for order in permutations(events):
        for cuts in (0, 0b100, 0b1010, 0b11111):
            assert weave_only(chunks(order, cuts)) == expected, order


@pytest.mark.parametrize("name", LIVES)
def test_the_store_keeps_it(bench: Bench, name: str) -> None:
    """The same holds for what lies in the store, and for the incidents."""
    events = LIVES[name]
    expected = bench.live([[one] for one in events])
    assert expected
    for order in islice(permutations(events), 0, None, 61):
        assert bench.live([[one] for one in order]) == expected, order
    for order in islice(permutations(events), 5, None, 61):
        assert bench.live([order]) == expected, order
    for cuts in range(2 ** (len(events) - 1)):
        assert bench.live(chunks(events, cuts)) == expected


def symptom(number: int, starts: float, ends: float | None) -> list[Said]:
    """Return one symptom of many on a host, from its start to its end."""
    name = f"Symptom{number % 3}"
    about: dict[str, Any] = {
        "fingerprint": f"s{number}",
        "name": name,
        "labels": HOST | {"alertname": name, "instance": "db-01"},
        "starts": starts,
    }
    fired = Said(**about)
    if ends is None:
        return [fired]
    return [fired, Said(status=RESOLVED, ends=starts + ends, **about)]


SPANS = st.tuples(
    st.integers(0, 5),
    # Some begin exactly as far apart as is still together.
    st.sampled_from([0.0, 300.0, 900.0, 901.0, 1_800.0, 2_700.0, 5_000.0]),
    st.sampled_from([None, 1.0, 60.0, 900.0, 4_000.0]),
)


@settings(
    max_examples=120,
    deadline=None,
)
@given(
    spans=st.lists(SPANS, min_size=2, max_size=7),
    shuffled=st.randoms(use_true_random=False),
    cuts=st.integers(0, 2**14),
)
def test_symptoms_of_one_host(
    bench: Bench, spans: list[tuple[Any, ...]], shuffled: Any, cuts: int
) -> None:
    """Symptoms that come and go are parted alike in any order and turns.

    What bridges two incidents, or ends early and splits one, may come last.
    """
    events = [one for span in spans for one in symptom(*span)]
    expected = bench.live([events])
    shuffled.shuffle(events)
    assert bench.live(chunks(events, cuts)) == expected


@settings(
    max_examples=25,
    deadline=None,
)
@given(shuffled=st.randoms(use_true_random=False), cuts=st.integers(0, 2**20))
def test_three_senders(bench: Bench, shuffled: Any, cuts: int) -> None:
    """Three senders that each say all of it in another order say no more."""
    events = [one for name in sorted(LIVES) for one in LIVES[name][:4]]
    events = [
        msgspec.structs.replace(one, fingerprint=f"{index // 4}")
        for index, one in enumerate(events)
    ]
    expected = bench.live([events])
    every = events * 3
    shuffled.shuffle(every)
    assert bench.live(chunks(every, cuts)) == expected
