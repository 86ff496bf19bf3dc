"""What some teams may see: pages, counts, single rows; on both databases."""

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest

from app.models.entry import Note
from app.models.incident import Incident
from app.store import pages
from app.store import teams as team_file
from app.store.dossier import find_dossier
from app.store.incidents import save_incidents
from app.store.ledger import Ledger
from app.store.listings import ALERTS, DELIVERIES, INCIDENTS, LOG, Listing
from app.store.location import Location
from app.store.log import append
from app.store.people import add_words
from app.store.reading import Reader, Wish, open_engine
from app.store.tail import Tail
from app.store.teams import COMMON, keep_seen, sees_row
from tests.unit.store.shelf import make_incident, make_word

OURS = ("db", "edge")
TEAMS = ("web", "web", "web", "db", "edge", "")
KINDS = ("incident.opened", "incident.noted", "mute.added", *COMMON)
STATES = ("open", "waiting", "resolved")
INCIDENTS_IN_ALL = 60
ENTRIES = 900
SECOND = 1_000_000
Told = tuple[int, int, Note]


class World(msgspec.Struct):
    """What is in the store: whose incidents are, and all of the log."""

    incidents: dict[int, Incident]
    log: list[Told]

    def sees(self, note: Note) -> bool:
        """Tell whether our teams may see a line of the log."""
        if not note.incident:
            return note.kind in COMMON
        incident = self.incidents.get(note.incident)
        return incident is not None and incident.team in OURS


@pytest.fixture
def world(location: Location) -> World:
    """Write incidents of some teams and a log about them and others."""
    chance = random.Random(5)
    found = World({}, [])
    for number in range(1, INCIDENTS_IN_ALL + 1):
        found.incidents[number] = make_incident(
            number,
            state=chance.choice(STATES),
            team=chance.choice(TEAMS),
            title=chance.choice(("disk full", "no answer")),
        )
    ledger = Ledger(location, 5.0)
    with ledger.turn() as connection:
        save_incidents(connection, list(found.incidents.values()), [])
    for turn in range(ENTRIES // 90):
        # Of some incidents only the log is left; some lines are of none.
        notes = [
            Note(
                kind=chance.choice(KINDS),
                incident=chance.choice((0, *range(1, INCIDENTS_IN_ALL + 4))),
                target=chance.choice(("web-01", "web-02")),
                status=chance.choice(STATES),
                actor="rule:folding",
                summary=chance.choice(("disk full", "no answer")),
            )
            for _ in range(90)
        ]
        first = len(found.log) + 1
        found.log += [
            (number, turn * SECOND, note)
            for number, note in enumerate(notes, first)
        ]
        with ledger.turn() as connection:
            append(connection, turn * SECOND, notes)
    ledger.close()
    return found


@pytest.fixture
def reader(location: Location) -> Iterator[Reader]:
    """Return the reading side of the same database."""
    made = Reader(open_engine(location, 20.0), 20.0)
    yield made
    made.close()


PARTS: tuple[dict[str, Any], ...] = (
    {"kind": "incident.opened"},
    {"kind": ("incident.opened", "halt.changed")},
    {"status": "resolved"},
    {"target": "web-01"},
    {"incident_id": tuple(range(10))},
    {"since": 2 * SECOND, "until": 7 * SECOND},
    {"text": "disk"},
    {"actor": "rule:folding"},
    {},
)


def fits(at: int, note: Note, where: dict[str, Any]) -> bool:
    """Tell whether a line of the log matches, by reading it."""
    values = {
        "kind": note.kind,
        "status": note.status,
        "target": note.target,
        "incident_id": note.incident,
        "actor": note.actor,
    }
    for name, wanted in where.items():
        several = wanted if isinstance(wanted, tuple) else (wanted,)
        if name in values and values[name] not in several:
            return False
    return (
        where.get("since", 0) <= at < where.get("until", 99 * SECOND)
        and where.get("text", "") in note.summary
    )


def ids(rows: Sequence[Any]) -> list[int]:
    """Return the ids of rows."""
    return [row.id for row in rows]


@pytest.mark.parametrize(("near", "few"), [(7, 0), (100, 99), (20_000, 0)])
def test_the_log_of_some_teams_is_what_reading_finds(
    reader: Reader,
    world: World,
    near: int,
    few: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Any two filters, any way, however far what is looked at one by one."""
    monkeypatch.setattr(pages, "NEAR", near)
    monkeypatch.setattr(team_file, "FEW", few)
    for first, second in itertools.combinations(PARTS, 2):
        where = {**first, **second}
        every = [
            number
            for number, at, note in world.log
            if world.sees(note) and fits(at, note, where)
        ]
        newest = reader.page(
            LOG, Wish(where, limit=9, count="exact", teams=OURS)
        )
        assert ids(newest.rows) == every[::-1][:9], where
        assert newest.count is not None
        assert newest.count.value == len(every), where
        deep = reader.page(LOG, Wish(where, 400, None, 9, teams=OURS))
        below = [one for one in every if one < 400]
        assert ids(deep.rows) == below[::-1][:9], where
        assert deep.has_more == (len(below) > 9)
        up = reader.page(LOG, Wish(where, None, 300, 9, teams=OURS))
        above = [one for one in every if one > 300]
        assert ids(up.rows) == above[:9][::-1], where
        assert up.has_more == (len(above) > 9)


SEEING = ((), OURS, ("db",), ("nobody",))
ASKED = (None, ("db",), ("db", "web"), ("web",))
STANDING = (None, ("open",), ("open", "resolved"))
SAID = (None, "answer")


def test_incidents_by_team(reader: Reader, world: World) -> None:
    """A filter by team narrows what one sees, and never widens it."""
    for teams, asked, states, word in itertools.product(
        SEEING, ASKED, STANDING, SAID
    ):
        given = {"team": asked, "state": states, "text": word}
        where = {name: one for name, one in given.items() if one is not None}
        mine = [
            number
            for number, one in world.incidents.items()
            if (not teams or one.team in teams)
            and (asked is None or one.team in asked)
            and (states is None or one.state in states)
            and (word or "") in one.title
        ]
        wish = Wish(where, limit=7, count="exact", teams=teams)
        page = reader.page(INCIDENTS, wish)
        assert ids(page.rows) == mine[::-1][:7], (where, teams)
        assert page.count is not None
        assert page.count.value == len(mine)
        up = reader.page(INCIDENTS, Wish(where, None, 20, 7, teams=teams))
        above = [one for one in mine if one > 20]
        assert ids(up.rows) == above[:7][::-1], (where, teams)


@pytest.mark.parametrize("listing", [ALERTS, DELIVERIES])
def test_what_is_of_no_team_is_seen_by_nobody_of_one(
    reader: Reader, listing: Listing
) -> None:
    """Not even by mistake of a route: the store finds nothing."""
    found = reader.page(listing, Wish(count="exact", teams=OURS))
    assert not found.rows
    assert reader.find(listing, 1, OURS) is None


def test_single_rows(reader: Reader, world: World) -> None:
    """Each line and each incident alone is seen just as in its list."""
    with reader.snapshot() as connection:
        for number, _, note in world.log:
            seen = sees_row(connection, LOG, number, OURS)
            assert seen == world.sees(note)
            assert sees_row(connection, LOG, number, ())
        numbers = list(world.incidents)
        mine = [n for n in numbers if world.incidents[n].team in OURS]
        assert keep_seen(connection, numbers, OURS) == mine
        assert keep_seen(connection, numbers, ()) == numbers
        assert not sees_row(connection, LOG, ENTRIES + 1, ())
    hidden = next(n for n in numbers if n not in mine)
    assert reader.find(INCIDENTS, hidden, OURS) is None
    assert reader.find(INCIDENTS, mine[0], OURS).id == mine[0]


def test_the_tail_says_whose_each_line_is(
    location: Location, world: World
) -> None:
    """One question for all who listen: each hears what they may see."""
    tail = Tail(open_engine(location, 5.0))
    heard = tail.after(0, ENTRIES)
    tail.close()
    assert [one.is_for(OURS) for one in heard] == [
        world.sees(note) for _, _, note in world.log
    ]


def test_a_dossier_hides_what_another_team_has(location: Location) -> None:
    """Siblings, merged ones and their words, where they are not ours."""
    ledger = Ledger(location, 5.0)
    with ledger.turn() as connection:
        rows = [
            make_incident(1, team="db"),
            make_incident(2, team="web", state="merged", merged_into=1),
            make_incident(3, team="db", state="merged", merged_into=1),
        ]
        save_incidents(connection, rows, [])
        words = [make_word(one, one, text=f"of {one}") for one in (1, 2, 3)]
        add_words(connection, words)
        all_of_it = find_dossier(connection, 1, 0)
        ours = find_dossier(connection, 1, 0, ("db",))
        assert find_dossier(connection, 1, 0, ("web",)) is None
    ledger.close()
    assert all_of_it is not None
    assert ours is not None
    assert list(all_of_it.merged) == [2, 3]
    assert list(ours.merged) == [3]
    assert [word.text for word in ours.words] == ["of 1", "of 3"]
