"""Split and merge by hand undo each other, and no rule undoes them."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import Refused
from app.fold.regroup import name_of
from app.models.alert import Severity
from app.models.canary import CANARY, PROBLEM
from app.models.incident import Incident
from app.models.tables import EpisodeRow, IncidentRow
from app.models.word import Kind, Word
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.fold.room import Room

numbers = count(1)
SYMPTOMS = ("DiskFull", "Load", "Swap", "Ping", "Fans")
FEW = settings(
    max_examples=8,
    deadline=None,
)
SEEDS = st.integers(0, 2**32)


@pytest.fixture
def room(location: Location, inbox: SqlInbox) -> Iterator[Room]:
    """Return a room with a database of each kind."""
    ledger = Ledger(location, 2.0)
    yield Room(inbox, ledger)
    ledger.close()


def look(room: Room, *incidents: int) -> dict[int, Any]:
    """Return all that must be as before once something was undone."""
    partition = room.partition()
    return {
        number: (
            partition.get(number),
            name_of(room.incident(number)),
            room.incident(number).state,
            room.incident(number).severity,
            room.incident(number).firing,
            room.incident(number).episodes,
            room.incident(number).begins_at,
            room.incident(number).ends_at,
            room.incident(number).owner,
            room.incident(number).acknowledged_by,
            room.incident(number).acknowledged_at,
            room.incident(number).merged_into,
            spoken(room.words(number)),
        )
        for number in incidents
    }


def spoken(words: list[Word]) -> list[int]:
    """Return the words that are not about splitting and merging."""
    moves = (Kind.SPLIT, Kind.MERGE)
    return [word.id for word in words if word.kind not in moves]


def befall(room: Room, chance: random.Random, host: str) -> int:
    """Let a few things happen to a host; return its incident."""
    worst = list(Severity)
    for name in chance.sample(SYMPTOMS, chance.randint(1, len(SYMPTOMS))):
        number = room.fire(host, name, severity=chance.choice(worst))
        room.clock.advance(chance.randint(1, 40))
        if chance.random() < 0.4:
            room.end(host, name)
            room.clock.advance(chance.randint(1, 40))
    if chance.random() < 0.5:
        room.say(Kind.ACKNOWLEDGE, number, chance.choice(["ana", "ben"]))
    if chance.random() < 0.5:
        room.say(Kind.OWNER, number, owner=chance.choice(["cleo", "dan"]))
    room.say(Kind.NOTE, number, text="hm")
    return number


@contextmanager
def unchanged_pins(room: Room) -> Iterator[None]:
    """Prove afterwards that a pin always names the episode's incident."""
    yield
    for row in room.rows(EpisodeRow):
        assert row.pin in (0, row.incident_id)


@FEW
@given(seed=SEEDS)
def test_split_undoes_merge(room: Room, seed: int) -> None:
    """With the old numbers, states, people and words."""
    chance = random.Random(seed)
    tag = next(numbers)
    one, two = (befall(room, chance, f"{tag}-{n}") for n in "ab")
    before = look(room, one, two)
    episodes = room.episodes(one)
    with unchanged_pins(room):
        room.merge(one, two)
        assert room.incident(one).state == "merged"
        assert room.incident(one).merged_into == two
        assert room.episodes(one) == []
        assert set(before[one][-1]) <= set(spoken(room.words(two)))
        assert room.split(two, *episodes) == one
    assert look(room, one, two) == before


@FEW
@given(seed=SEEDS)
def test_merge_undoes_split(room: Room, seed: int) -> None:
    """And splitting the same ones off again has the same number."""
    chance = random.Random(seed)
    host = f"{next(numbers)}-c"
    number = befall(room, chance, host)
    if len(room.episodes(number)) < 2:
        room.fire(host, "Another")
    episodes = room.episodes(number)
    before = look(room, number)
    some = chance.sample(episodes, chance.randint(1, len(episodes) - 1))
    with unchanged_pins(room):
        other = room.split(number, *some)
        split = look(room, number, other)
        assert split[number][0] | split[other][0] == before[number][0]
        room.merge(other, number)
        assert look(room, number) == before
        assert room.split(number, *some) == other
    assert look(room, number, other) == split


@settings(FEW, max_examples=4)
@given(seed=SEEDS)
def test_a_heap_of_merges_comes_apart_again(room: Room, seed: int) -> None:
    """Undone from the last to the first, in whatever shape they were."""
    chance = random.Random(seed)
    tag = next(numbers)
    living = [befall(room, chance, f"{tag}-{n}") for n in range(4)]
    everyone = list(living)
    done = []
    for _ in range(3):
        gone, into = chance.sample(living, 2)
        done.append((look(room, *everyone), gone, into, room.episodes(gone)))
        room.merge(gone, into)
        living.remove(gone)
    assert len(room.episodes(living[0])) == sum(
        len(some[0] or ()) for some in done[0][0].values()
    )
    for before, gone, into, episodes in reversed(done):
        assert room.split(into, *episodes) == gone
        assert look(room, *everyone) == before


def storm(room: Room, *hosts: str) -> None:
    """Let everything happen on hosts that could make a rule move them."""
    for wave in range(4):
        for host in hosts:
            room.fire(host)
            room.fire(host, f"New{wave}")
            room.fire(host, f"Late{wave}", begins=-600)
        room.clock.advance(200)
        for host in hosts:
            room.end(host)
            room.end(host, f"Late{wave}")
        room.clock.advance(200)


def test_no_rule_undoes_a_merge(room: Room) -> None:
    """What comes of either target joins the incident of both."""
    one, two = room.fire("web-01"), room.fire("web-02")
    room.merge(one, two)
    storm(room, "web-01", "web-02")
    assert set(room.partition()) == {two}
    assert room.incident(one).state == "merged"


def test_no_rule_undoes_a_split(room: Room) -> None:
    """Each follows its own, and nothing ties the two again."""
    number = room.fire("web-01")
    room.fire("web-01", "Load")
    disk, load = room.episodes(number)
    other = room.split(number, load)
    assert other != number
    for wave in range(12):
        room.clock.advance(300)
        room.fire("web-01", "DiskFull" if wave % 2 else "Load")
        room.fire("web-01", f"New{wave}")
        room.end("web-01")
        room.end("web-01", "Load")
    parts = room.partition()
    assert set(parts) == {number, other}
    assert disk in parts[number]
    assert load in parts[other]


def test_a_follower_is_kept_as_well(room: Room) -> None:
    """It stays when those that a person chose are long past."""
    one, two = room.fire("web-01"), room.fire("web-02")
    room.merge(one, two)
    for _ in range(6):
        room.end("web-01")
        room.clock.advance(800)
        assert room.fire("web-01") == two
    row = room.rows(EpisodeRow)[-1]
    assert row.pin == two
    assert row.because
    assert "a person" not in row.because


def test_beyond_the_windows_it_is_a_new_incident(room: Room) -> None:
    """A merge is about these problems, not about two hosts for ever."""
    one, two = room.fire("web-01"), room.fire("web-02")
    room.merge(one, two)
    room.end("web-01")
    room.end("web-02")
    room.clock.advance(3_600)
    assert room.fire("web-01") not in (one, two)


def test_an_acknowledgement_comes_along(room: Room) -> None:
    """Also the owner, unless the one that lives on has its own."""
    one, two = room.fire("web-01"), room.fire("web-02")
    room.say(Kind.ACKNOWLEDGE, one, "ana")
    room.say(Kind.OWNER, one, owner="ana")
    room.say(Kind.OWNER, two, owner="ben")
    room.merge(one, two)
    found = room.incident(two)
    assert (found.acknowledged_by, found.owner) == ("ana", "ben")


def test_rules_take_words_along_too(room: Room) -> None:
    """A late alert that ties two incidents loses nothing said of either."""
    one = room.fire("web-01")
    room.end("web-01")
    room.clock.advance(1_500)
    two = room.fire("web-01")
    assert two != one
    note = room.say(Kind.NOTE, two, text="I look")
    room.say(Kind.ACKNOWLEDGE, two, "ben")
    room.say(Kind.OWNER, two, owner="ben")
    room.fire("web-01", "DiskFull", begins=-700)
    assert set(room.partition()) == {one}
    assert room.incident(two).merged_into == one
    assert note in room.words(one)
    found = room.incident(one)
    assert (found.acknowledged_by, found.owner) == ("ben", "ben")


def test_what_was_said_in_between_stays(room: Room) -> None:
    """Undoing a merge takes back what came with it, nothing else."""
    one, two = room.fire("web-01"), room.fire("web-02")
    room.say(Kind.OWNER, one, owner="ana")
    episodes = room.episodes(one)
    room.merge(one, two)
    room.say(Kind.OWNER, two, owner="")
    room.say(Kind.OWNER, two, owner="ana")
    room.say(Kind.ACKNOWLEDGE, two, "ben")
    room.split(two, *episodes)
    found = room.incident(two)
    assert (found.owner, found.acknowledged_by) == ("ana", "ben")
    assert room.incident(one).owner == "ana"


def test_what_is_left_has_its_own_name(room: Room) -> None:
    """An incident is named after what it has, on the target it is on."""
    one = room.fire("web-01", severity=Severity.CRITICAL)
    two = room.fire("web-02", "Load")
    (first,) = room.episodes(one)
    room.merge(two, one)
    other = room.split(one, first)
    left, gone = room.incident(one), room.incident(other)
    assert (left.target_name, left.problem) == ("web-02", "Load")
    assert (gone.target_name, gone.problem) == ("web-01", "DiskFull")
    assert (left.severity, gone.severity) == ("warning", "critical")


def test_both_pages_and_the_log_tell_it(room: Room) -> None:
    """Who moved what, from where to where, and why."""
    one, two = room.fire("web-01"), room.fire("web-02")
    episodes = room.episodes(one)
    room.say(Kind.MERGE, one, into=two, text="one switch")
    room.say(Kind.SPLIT, two, episodes=episodes, text="no, two")
    for kind, away, here in (("merged", one, two), ("split", two, one)):
        entries = room.log(f"incident.{kind}")
        assert [row.incident_id for row in entries] == [away, here]
        assert {row.actor for row in entries} == {"person:ana"}
        assert str(here) in entries[0].summary
    kinds = [word.kind for word in room.words(one)]
    assert kinds == ["merge", "split"]
    (row,) = (r for r in room.rows(EpisodeRow) if r.id == episodes[0])
    assert "ana split it off" in row.because


@pytest.mark.parametrize(
    ("choice", "status"),
    [("all", 422), ("none", 422), ("unknown", 422), ("elsewhere", 409)],
)
def test_a_wrong_choice_changes_nothing(
    room: Room, choice: str, status: int
) -> None:
    """Some must go, some must stay, and all must be there."""
    number, other = room.fire("web-01"), room.fire("web-02")
    room.fire("web-01", "Load")
    mine, theirs = room.episodes(number), room.episodes(other)
    wanted = {
        "all": mine,
        "none": [],
        "unknown": [mine[0], 999],
        "elsewhere": [mine[0], theirs[0]],
    }[choice]
    before = room.rows(EpisodeRow), room.rows(IncidentRow), room.count_words()
    with pytest.raises(Refused) as caught:
        room.say(Kind.SPLIT, number, episodes=wanted)
    assert (caught.value.status, caught.value.field) == (status, "episodes")
    after = room.rows(EpisodeRow), room.rows(IncidentRow), room.count_words()
    assert after == before


def test_a_merge_needs_two_that_live(room: Room) -> None:
    """Not itself, not one that is not there, not one that is merged."""
    one, two, three = (room.fire(f"web-0{n}") for n in (1, 2, 3))
    room.merge(one, two)
    for gone, into, status in (
        (two, two, 422),
        (two, 99, 422),
        (three, one, 409),
        (one, three, 409),
    ):
        with pytest.raises(Refused) as caught:
            room.merge(gone, into)
        assert caught.value.status == status
    assert set(room.partition()) == {two, three}


def test_nothing_is_merged_with_the_canary(room: Room) -> None:
    """It is taken off within the hour, and would take the other along."""
    one = room.fire("web-01")
    hour = {"canary": "2026-11-21T02"}
    room.tell("hour", source=CANARY, name=PROBLEM, labels=hour)
    two = room.rows(EpisodeRow)[-1].incident_id
    for gone, into in ((one, two), (two, one)):
        with pytest.raises(Refused) as caught:
            room.merge(gone, into)
        assert caught.value.reason == "canary"
    assert set(room.partition()) == {one, two}


def test_a_merged_incident_is_still_found(room: Room) -> None:
    """It keeps its row, and says where it lives on, and by whom."""
    one, two = room.fire("web-01"), room.fire("web-02")
    room.merge(one, two)
    found: Incident = room.incident(one)
    assert found.reason == f"merged into incident {two} by ana"
    assert found.due_at is None
