"""What an address names is there for whom it is meant, and for nobody else."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.api.sight import FREE, OWNED, Sight, check_named
from app.bootstrap import open_inbox
from app.core.errors import Refused
from app.fold.muting import add_mute, plan_mute
from app.models.entry import Note
from app.models.matcher import read_matchers
from app.models.mute import Wish
from app.models.timetable import Timetable
from app.store.inbox import SqlInbox
from app.store.incidents import save_incidents
from app.store.ledger import Ledger
from app.store.log import append
from app.store.reading import Reader, open_engine
from tests.schema import make_sqlite
from tests.unit.fold.room import Room
from tests.unit.store.shelf import make_incident

OURS = ("db",)
HOUR = 3_600_000_000


@pytest.fixture
def sight(tmp_path: Path) -> Iterator[Sight]:
    """Return the sight of a store with things of two teams."""
    place = make_sqlite(tmp_path / "sight.db")
    ledger = Ledger(place, 5.0)
    with ledger.turn() as connection:
        rows = [make_incident(1, team="db"), make_incident(2, team="web")]
        save_incidents(connection, [*rows, make_incident(3)], [])
        notes = [
            Note(kind="incident.opened", incident=n, actor="a", summary="s")
            for n in (1, 2, 3)
        ]
        notes += [
            Note(kind=kind, actor="a", summary="s")
            for kind in ("halt.changed", "mute.added")
        ]
        append(connection, 1, notes)
        for matchers in ('team="db"', 'team="web"', 'host="a"'):
            times = Timetable(starts_at=HOUR, ends_at=2 * HOUR)
            wish = Wish(
                matchers=read_matchers(matchers),
                times=times,
                author="ana",
                comment="work",
            )
            add_mute(connection, plan_mute(wish, 1), 1)
    ledger.close()
    reader = Reader(open_engine(place, 5.0))
    yield Sight(reader, "team")
    reader.close()


def answer(
    sight: Sight, path: dict[str, str], teams: tuple[str, ...] = OURS
) -> int:
    """Return 200, or with which status an address is refused."""
    try:
        asyncio.run(sight.check(path, teams))
    except Refused as refused:
        return refused.status
    return 200


@pytest.mark.parametrize(
    ("field", "seen"),
    [
        ("incident_id", [200, 404, 404, 404]),
        ("entry_id", [200, 404, 404, 200, 404, 404]),
        ("mute_id", [200, 404, 404, 404]),
    ],
)
def test_what_is_hidden_is_not_there(
    sight: Sight, field: str, seen: list[int]
) -> None:
    """Of both the answer is the same; who sees all is not asked."""
    numbers = range(1, len(seen) + 1)
    assert seen == [answer(sight, {field: str(one)}) for one in numbers]
    assert answer(sight, {field: "99"}, ()) == 200


@pytest.mark.parametrize("field", sorted({*OWNED, "alert_id", "mute_id"}))
def test_a_number_that_is_nowhere(sight: Sight, field: str) -> None:
    """It is refused as what is hidden is, in the same words."""
    assert answer(sight, {field: "77"}) == 404


@pytest.mark.parametrize("field", ["delivery_id", "thing_id", "number"])
def test_what_nobody_named_here_is_closed(sight: Sight, field: str) -> None:
    """A new kind of route is closed to them until somebody thinks of it."""
    assert answer(sight, {field: "1"}) == 403
    assert answer(sight, {field: "word"}) == 404


@pytest.mark.parametrize("field", sorted(FREE))
def test_names_are_free(sight: Sight, field: str) -> None:
    """Their routes say themselves who may come."""
    assert answer(sight, {field: "anything"}) == 200


@pytest.mark.parametrize(
    "value",
    ["x", "-1", "", "²", "9" * 40, "1.0", "+1", " 1", "1_0", "0x1", "１"],
)
def test_a_number_is_written_plainly(sight: Sight, value: str) -> None:
    """A route may take it for a number that was not looked at here."""
    assert answer(sight, {"incident_id": value}) == 404


def test_every_name_in_an_address_counts(sight: Sight) -> None:
    """What is seen opens nothing that is not."""
    one = {"incident_id": "1"}
    assert answer(sight, one | {"entry_id": "2"}) == 404
    assert answer(sight, {"name": "x", "incident_id": "2"}) == 404
    assert answer(sight, one | {"entry_id": "1"}) == 200


def test_an_alert_is_seen_by_its_label_or_its_incident(
    tmp_path: Path,
) -> None:
    """Of a team it is seen; and as part of what is theirs."""
    place = make_sqlite(tmp_path / "alerts.db")
    ledger, inbox = Ledger(place, 5.0), open_inbox(place, 5.0)
    assert isinstance(inbox, SqlInbox)
    room = Room(inbox, ledger)
    hosts = ("web-01", "web-01", "web-02", "web-01", "web-03")
    named = ("db", "web", "web", "", "")
    for number, (host, team) in enumerate(zip(hosts, named, strict=True)):
        labels = {"instance": host} | ({"team": team} if team else {})
        room.tell(
            f"f{number}",
            name=f"Problem{number}",
            occurrence=str(number),
            labels=labels,
            starts_at=room.clock.now(),
        )
    ledger.close()
    inbox.close()
    reader = Reader(open_engine(place, 5.0))
    sight = Sight(reader, "team")
    seen = {
        teams: [
            answer(sight, {"alert_id": str(n)}, teams) for n in range(1, 6)
        ]
        for teams in (("db",), ("web",))
    }
    reader.close()
    assert seen[("db",)] == [200, 200, 404, 200, 404]
    # The second names them, though it is part of what is another team's.
    assert seen[("web",)] == [404, 200, 200, 404, 404]


@pytest.mark.parametrize(
    ("matchers", "is_ours"),
    [
        ('team="db"', True),
        ('{host="a",team="db"}', True),
        ('team="web"', False),
        ('team=~"db"', False),
        ('team!="web"', False),
        ('owner="db"', False),
    ],
)
def test_conditions_that_reach_beyond_a_team(
    matchers: str, is_ours: bool
) -> None:
    """Only one that says it plainly keeps them to a team."""
    found = read_matchers(matchers)
    check_named(found, "team", ())
    if is_ours:
        check_named(found, "team", OURS)
        return
    with pytest.raises(Refused) as refused:
        check_named(found, "team", OURS)
    assert refused.value.reason == "names_no_team"
    assert 'team="db"' in refused.value.remedy
