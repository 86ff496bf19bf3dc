"""Pages of the log: any filter, either way, the same on both databases."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text as sql

from app.core.errors import TooBusy
from app.models.entry import Note
from app.store.ledger import Ledger
from app.store.listings import LOG
from app.store.location import Location
from app.store.log import append
from app.store.reading import Reader, Wish, open_engine

HOSTS = ("web-01", "web-02", "datenbank-ärger")
WORDS = ("disk", "full", "Ärger", "web-01", "latency", "p99", "x" * 300)
STATUSES = ("open", "resolved", "merged")
SECOND = 1_000_000
TOTAL = 1_500
TEXTS = (
    "!!!",
    "🔥",
    '" OR rowid > 0 --',
    "'; DROP TABLE entry; --",
    "NEAR(disk full)",
    "words:disk",
    "disk AND NOT full",
    "^disk",
    "'disk':A & !full | (",
    "\\",
    "\x00disk",
    "\ue000t7765622d3031",
    "𐐀𞤀ꭰ",
    "क्षि",
    "xyz*" * 20,
    "a" * 5_000,
)


@pytest.fixture
def notes(location: Location) -> list[tuple[int, Note]]:
    """Write a log whose clock now and then steps back; return it by id."""
    chance = random.Random(3)
    written: list[tuple[int, Note]] = []
    ledger = Ledger(location, 5.0)
    for turn in range(TOTAL // 50):
        # Some turns seem to be long before the one before them.
        at = (turn - (9 if turn % 7 == 3 else 0)) * SECOND
        batch = [
            Note(
                kind="incident.opened",
                incident=chance.randrange(40),
                target=chance.choice(HOSTS),
                severity=chance.choice(("critical", "info")),
                status=chance.choice(STATUSES),
                actor="rule:folding",
                summary=" ".join(chance.choices(WORDS, k=3)),
            )
            for _ in range(50)
        ]
        written += [(at, note) for note in batch]
        with ledger.turn() as connection:
            append(connection, at, batch)
    ledger.close()
    return written


@pytest.fixture
def reader(location: Location) -> Iterator[Reader]:
    """Return the reading side of the same database."""
    made = Reader(open_engine(location, 20.0), 20.0)
    yield made
    made.close()


PARTS: list[dict[str, Any]] = [
    {"target": "web-01"},
    {"status": "merged"},
    {"severity": ("critical", "info")},
    {"status": ("open", "merged")},
    {"incident_id": 7},
    {"since": 5 * SECOND, "until": 20 * SECOND},
    {"text": "disk"},
    {"text": "ärger FULL"},
    {"text": "lat*"},
    {"text": "web-01"},
]


def fits(at: int, note: Note, where: dict[str, Any]) -> bool:
    """Tell whether an entry matches, by reading it."""
    values = {
        "target": note.target,
        "status": note.status,
        "severity": note.severity,
        "incident_id": note.incident,
    }
    for name, wanted in where.items():
        if name == "since" and at < wanted:
            return False
        if name == "until" and at >= wanted:
            return False
        if name in values:
            several = wanted if isinstance(wanted, tuple) else (wanted,)
            if values[name] not in several:
                return False
    plain = f"{note.summary} {note.target}".lower().replace("ä", "a")
    words = plain.replace("-", " ").split()
    asked = where.get("text", "").lower().replace("ä", "a")
    return all(
        any(
            word == one or (one[-1] == "*" and word.startswith(one[:-1]))
            for word in words
        )
        for one in asked.replace("-", " ").split()
    )


def test_any_pair_of_filters_finds_what_reading_finds(
    reader: Reader, notes: list[tuple[int, Note]]
) -> None:
    """First pages, deep ones and upwards ones, and the exact count."""
    pairs = [*itertools.combinations(PARTS, 2), *((one, {}) for one in PARTS)]
    for first, second in pairs:
        where = {**first, **second}
        every = [
            number
            for number, (at, note) in enumerate(notes, 1)
            if fits(at, note, where)
        ]
        first_page = reader.page(LOG, Wish(where, limit=9, count="exact"))
        assert [row.id for row in first_page.rows] == every[::-1][:9], where
        assert first_page.count is not None
        assert first_page.count.value == len(every)
        assert first_page.seq == TOTAL
        deep = reader.page(LOG, Wish(where, before=700, limit=9))
        below = [number for number in every if number < 700]
        assert [row.id for row in deep.rows] == below[::-1][:9], where
        assert deep.has_more == (len(below) > 9)
        up = reader.page(LOG, Wish(where, after=700, limit=9))
        above = [number for number in every if number > 700]
        assert [row.id for row in up.rows] == above[:9][::-1], where
        between = Wish(where, before=720, after=700, limit=500)
        rows = reader.page(LOG, between).rows
        kept = [number for number in above if number < 720]
        assert [row.id for row in rows] == kept[::-1], where


def test_a_text_is_only_words(
    reader: Reader, notes: list[tuple[int, Note]]
) -> None:
    """The languages of the databases have no say; nothing is in error."""
    for text in TEXTS:
        found = reader.page(LOG, Wish({"text": text}, limit=500))
        for row in found.rows:
            assert "disk" in row.summary, text
        assert len(found.rows) < len(notes), text


def test_a_mark_is_no_word(
    reader: Reader, location: Location, notes: list[tuple[int, Note]]
) -> None:
    """A text that looks like a mark is not found as the column's value."""
    del notes
    forged = "\ue000t" + b"web-02".hex()
    ledger = Ledger(location, 5.0)
    with ledger.turn() as connection:
        note = Note(kind="x.y", actor="a", summary=f"{forged} forged")
        append(connection, 0, [note])
    ledger.close()
    where = {"target": "web-02", "text": "forged"}
    assert reader.page(LOG, Wish(where)).rows == []
    assert len(reader.page(LOG, Wish({"text": "forged"})).rows) == 1


def test_what_is_cut_off_is_found_no_more(
    reader: Reader, location: Location, notes: list[tuple[int, Note]]
) -> None:
    """Retention takes entries off; the words of the others stay."""
    ledger = Ledger(location, 5.0)
    with ledger.turn() as connection:
        connection.execute(
            sql(
                "INSERT INTO cut (id, hash, at)"
                " SELECT id, hash, 0 FROM entry WHERE id = 1000"
            )
        )
        connection.execute(sql("DELETE FROM entry WHERE id <= 1000"))
    ledger.close()
    where = {"text": "disk"}
    left = [
        number
        for number, (at, note) in enumerate(notes, 1)
        if number > 1_000 and fits(at, note, where)
    ]
    found = reader.page(LOG, Wish(where, limit=500, count="exact"))
    assert [row.id for row in found.rows] == left[::-1]
    assert found.count is not None
    assert found.count.value == len(left)


def test_what_takes_too_long_is_given_up(
    location: Location, notes: list[tuple[int, Note]]
) -> None:
    """503 with a remedy, and the next question is answered again."""
    del notes
    engine = open_engine(location, 0.2)
    reader = Reader(engine, 0.2)
    endless = sql(
        "WITH RECURSIVE n (i) AS"
        " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i > 0)"
        " SELECT max(i % 7) FROM n"
    )
    with pytest.raises(TooBusy, match="in time") as caught:
        reader.ask(lambda connection: connection.execute(endless).all())
    assert "Narrow" in caught.value.remedy
    assert reader.page(LOG, Wish(limit=1)).rows[0].id == TOTAL
    reader.close()
