"""Pages of a log whose ids lie far apart: through blocks of every width.

Only PostgreSQL walks through blocks of ids; see app/store/walk.py.
"""

import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, text

from app.models.entry import Entry
from app.store.indexing import index_entries
from app.store.ledger import Ledger
from app.store.listings import LOG
from app.store.location import Location
from app.store.reading import Reader, Wish, open_engine
from app.store.words import LEVELS
from tests.postgres import Postgres
from tests.schema import make_postgres

pytestmark = pytest.mark.real
NAME = "far_pages"
HIGHEST = 20_000_000
SCATTERED = 1_200
WORDS = ("disk", "full", "latency", "swap", "zombie")
# Few rows have the last of each, most have the first.
WEIGHTS = (200, 60, 20, 5, 1)
STATUSES = ("open", "resolved", "suppressed", "waiting", "merged")
HOSTS = ("web-01", "web-02", "db-01", "db-02", "dns-01")
LIMIT = 20
ROUNDS = 60


def ids(chance: random.Random) -> list[int]:
    """Return ids: some anywhere, some where blocks meet, some in a row."""
    found = set(chance.sample(range(1, HIGHEST), SCATTERED))
    for level in LEVELS:
        edge = chance.randrange(1, HIGHEST >> level or 2) << level
        found |= {edge - 2, edge - 1, edge, edge + 1}
    found |= set(range(HIGHEST - 300, HIGHEST))
    return sorted(found)


@pytest.fixture
def place(postgres: Postgres) -> Iterator[Location]:
    """Return an empty database, brought to the schema."""
    yield make_postgres(postgres, NAME)
    postgres.drop_database(NAME)


@pytest.fixture
def entries(place: Location) -> list[Entry]:
    """Write a log that never was so sparse; return it, the oldest first."""
    chance = random.Random(8)
    made = [
        Entry(
            id=number,
            at=number,
            kind="incident.opened",
            incident_id=0,
            target=chance.choices(HOSTS, WEIGHTS)[0],
            problem="",
            severity=chance.choice(("critical", "info")),
            status=chance.choices(STATUSES, WEIGHTS)[0],
            actor="rule:folding",
            action="",
            summary=" ".join(set(chance.choices(WORDS, WEIGHTS, k=2))),
            body="{}",
            hash=bytes(32),
        )
        for number in ids(chance)
    ]
    ledger = Ledger(place, 5.0)
    with ledger.turn() as connection:
        rows = [msgspec.structs.asdict(one) for one in made]
        # Past the guard of the log, which lets no id be left out.
        connection.execute(
            text("SET LOCAL session_replication_role = replica")
        )
        connection.execute(insert(LOG.rows), rows)
        index_entries(connection, made)
    ledger.close()
    return made


@pytest.fixture
def reader(place: Location) -> Iterator[Reader]:
    """Return the reading side of the same database."""
    found = Reader(open_engine(place, 20.0), 20.0)
    yield found
    found.close()


def ask(chance: random.Random) -> dict[str, Any]:
    """Return a filter, or several."""
    since = chance.randrange(HIGHEST)
    parts: list[dict[str, Any]] = [
        {"text": chance.choice(WORDS)},
        {"text": " ".join(chance.sample(WORDS, 2))},
        {"text": chance.choice(WORDS)[:3] + "*"},
        {"status": chance.choice(STATUSES)},
        {"status": tuple(chance.sample(STATUSES, 2))},
        {"target": chance.choice(HOSTS)},
        {"severity_not": "info"},
        {"since": since, "until": since + chance.randrange(HIGHEST)},
    ]
    chosen: dict[str, Any] = {}
    for part in chance.sample(parts, chance.randint(1, 3)):
        chosen |= part
    return chosen


def fits(entry: Entry, where: dict[str, Any]) -> bool:
    """Tell whether an entry matches, by reading it."""
    said = entry.summary.split()
    for name, wanted in where.items():
        if name == "text":
            is_met = all(
                any(word.startswith(one[:3]) for word in said)
                if one.endswith("*")
                else one in said
                for one in wanted.split()
            )
        elif name == "since":
            is_met = entry.at >= wanted
        elif name == "until":
            is_met = entry.at < wanted
        elif name == "severity_not":
            is_met = entry.severity != wanted
        else:
            several = wanted if isinstance(wanted, tuple) else (wanted,)
            is_met = getattr(entry, name) in several
        if not is_met:
            return False
    return True


def test_any_page_is_what_reading_every_entry_finds(
    reader: Reader, entries: list[Entry]
) -> None:
    """From anywhere, downwards and upwards, whatever is asked for."""
    chance = random.Random(9)
    for _ in range(ROUNDS):
        where, edge = ask(chance), chance.choice(entries).id
        every = [one.id for one in entries if fits(one, where)]
        below = [number for number in every if number < edge]
        above = [number for number in every if number > edge]
        for wish, wanted in (
            (Wish(where, limit=LIMIT, count="exact"), every[-LIMIT:]),
            (Wish(where, before=edge, limit=LIMIT), below[-LIMIT:]),
            (Wish(where, after=edge, limit=LIMIT), above[:LIMIT]),
        ):
            page = reader.page(LOG, wish)
            assert [row.id for row in page.rows] == wanted[::-1], wish
            if page.count is not None:
                assert page.count.value == len(every), wish
