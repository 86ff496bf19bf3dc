"""Which index leads, where it looks, and what a filter means."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from app.models.tables import CutRow
from app.store.filters import read_filters, sort_out
from app.store.incidents import save_incidents
from app.store.indexing import STRETCH, note_spans
from app.store.listings import (
    ALERTS,
    DELIVERIES,
    DELIVERY,
    INCIDENT,
    INCIDENTS,
    LOG,
    Listing,
)
from app.store.marks import get_mark, put_mark
from app.store.pages import (
    END_OF_IDS,
    SPAN,
    Facts,
    Stretch,
    Turn,
    _is_led_by_words,
    _values_by_index,
    find_stretches,
    look_up,
)
from app.store.tally import estimate
from tests.unit.store.shelf import make_incident, open_memory

WIDE = 1 << STRETCH


@pytest.fixture
def store() -> Iterator[Connection]:
    """Return a connection to empty tables in memory."""
    engine = open_memory()
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.mark.parametrize(
    ("listing", "where", "is_led"),
    [
        (LOG, {}, False),
        (LOG, {"since": 1, "until": 9}, False),
        (LOG, {"target": "a"}, False),
        (LOG, {"target": ("a", "b")}, False),
        (LOG, {"severity": "info"}, True),
        (LOG, {"actor": "person:ana"}, True),
        (LOG, {"target": "a", "status": "open"}, True),
        (LOG, {"target": "a", "at_min": 5}, False),
        (LOG, {"problem_not": "p"}, False),
        (LOG, {"problem_not": "p", "text": "disk"}, True),
        (LOG, {"target": "a", "text": "disk"}, True),
        (LOG, {"text": "disk"}, True),
        (ALERTS, {}, False),
        (ALERTS, {"status": "firing"}, True),
        (ALERTS, {"fingerprint": "f"}, False),
        (ALERTS, {"fingerprint": "f", "text": "disk"}, False),
        (ALERTS, {"fingerprint": "f", "status": "firing"}, False),
        (ALERTS, {"id": (1, 2), "status": "firing"}, False),
        (DELIVERIES, {"outcome": "unparsed"}, False),
        (DELIVERIES, {"outcome": "unparsed", "text": "disk"}, True),
        (INCIDENTS, {"state": "open"}, False),
        (INCIDENTS, {"state": "open", "text": "disk"}, False),
        (INCIDENTS, {"state": ("open", "waiting"), "text": "a"}, False),
        (INCIDENTS, {"state": "resolved", "text": "disk"}, True),
        (INCIDENTS, {"state": ("open", "resolved"), "text": "a"}, True),
        (INCIDENTS, {"target_name": "a", "text": "disk"}, False),
        (INCIDENTS, {"severity": "info"}, False),
        (INCIDENTS, {"severity": "info", "state": "resolved"}, False),
    ],
)
def test_the_index_that_leads(
    listing: Listing, where: dict[str, Any], is_led: bool
) -> None:
    """Words, unless a column has few rows or is all that is asked."""
    filters = sort_out(listing, where)
    assert _is_led_by_words(filters, Stretch(1, 9)) is is_led
    assert not _is_led_by_words(filters, Stretch(1, 9, is_read=False))


@pytest.mark.parametrize(
    ("where", "values"),
    [
        ({"target": ("a", "b")}, ("a", "b")),
        ({"target": ["a", "b"], "since": 3}, ("a", "b")),
        ({"target": ("a",)}, None),
        ({"target": "ab"}, None),
        ({"severity": ("a", "b")}, None),
        ({"target": ("a", "b"), "status": "open"}, None),
        ({}, None),
    ],
)
def test_several_values_of_one_indexed_column_are_asked_one_by_one(
    where: dict[str, Any], values: tuple[str, ...] | None
) -> None:
    """Only those; one value, or two columns, is one question."""
    filters = sort_out(LOG, where)
    assert _values_by_index(filters) == values
    if values:
        alone = filters.with_value("target", "b")
        assert alone.equal == {"target": ("b",)}
        assert alone.since == filters.since


ALL_READ = Facts(seq=0, first=10, last=90, unread=END_OF_IDS)
HALF_READ = Facts(seq=0, first=10, last=90, unread=61)


@pytest.mark.parametrize(
    ("facts", "turn", "stretches"),
    [
        (ALL_READ, Turn(None, None, 1), [(10, 91, True)]),
        (ALL_READ, Turn(50, None, 1), [(10, 50, True)]),
        (ALL_READ, Turn(91, None, 1), [(10, 91, True)]),
        (ALL_READ, Turn(10, None, 1), []),
        (ALL_READ, Turn(11, None, 1), [(10, 11, True)]),
        (ALL_READ, Turn(None, 0, 1), [(10, 91, True)]),
        (ALL_READ, Turn(None, 9, 1), [(10, 91, True)]),
        (ALL_READ, Turn(None, 10, 1), [(11, 91, True)]),
        (ALL_READ, Turn(None, 90, 1), []),
        (ALL_READ, Turn(31, 30, 1), []),
        (ALL_READ, Turn(32, 30, 1), [(31, 32, True)]),
        (ALL_READ, Turn(5, 60, 1), []),
        (
            HALF_READ,
            Turn(None, None, 1),
            [(61, END_OF_IDS, False), (10, 61, True)],
        ),
        (HALF_READ, Turn(61, None, 1), [(10, 61, True)]),
        (HALF_READ, Turn(62, None, 1), [(61, 62, False), (10, 61, True)]),
        (HALF_READ, Turn(None, 60, 1), [(61, END_OF_IDS, False)]),
        (
            HALF_READ,
            Turn(None, 59, 1),
            [(61, END_OF_IDS, False), (60, 61, True)],
        ),
        # Nothing of the list is in a range of time but what is unread.
        (
            Facts(0, 61, 90, 61),
            Turn(None, None, 1),
            [(61, END_OF_IDS, False)],
        ),
        (Facts(0, 10, -1, 61), Turn(61, None, 1), []),
    ],
)
def test_where_a_page_is_looked_for(
    facts: Facts, turn: Turn, stretches: list[tuple[int, int, bool]]
) -> None:
    """The newest stretch first; no id twice, and no empty one."""
    found = find_stretches(sort_out(ALERTS, {}), turn, facts)
    assert [(one.low, one.high, one.is_read) for one in found] == stretches


@pytest.mark.parametrize(
    ("text", "stretches"),
    [("disk", [Stretch(10, 61)]), ("", []), ("!?", []), ("*", [])],
)
def test_words_are_looked_for_where_they_were_read(
    text: str, stretches: list[Stretch]
) -> None:
    """And a text without any word finds nothing, not everything."""
    filters = sort_out(ALERTS, {"text": text})
    everything = Turn(None, None, 1)
    assert find_stretches(filters, everything, HALF_READ) == stretches


@pytest.mark.parametrize(
    ("before", "after", "is_up"),
    [
        (None, None, False),
        (9, None, False),
        (None, 9, True),
        (None, 0, True),
        (9, 5, False),
        (0, 0, False),
    ],
)
def test_a_page_turns_upwards_from_an_id_alone(
    before: int | None, after: int | None, is_up: bool
) -> None:
    """With both ends it is newest first; 0 is an id as others are."""
    assert Turn(before, after, 1).is_up is is_up


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"opened_at_min": 20}, [2, 3]),
        ({"opened_at_max": 20}, [1, 2]),
        ({"opened_at_since": 20}, [2, 3]),
        ({"opened_at_until": 20}, [1]),
        ({"since": 20, "until": 30}, [2]),
        ({"since": 20, "until": 20}, []),
        ({"since": 0}, [1, 2, 3]),
        ({"until": 0}, []),
        ({"opened_at_min": 11, "opened_at_max": 29}, [2]),
        # A column's own name comes before any ending.
        ({"held_until": 7}, [3]),
        ({"held_until_min": 7}, [2, 3]),
        ({"held_until_until": 7}, []),
        ({"state": "open"}, [1]),
        ({"state": ("open", "merged")}, [1, 3]),
        ({"state": ()}, []),
        ({"merged_into": 0, "state": ["resolved", "open"]}, [1, 2]),
        ({"merged_into": 1}, [3]),
    ],
)
def test_what_a_filter_by_name_means(
    store: Connection, where: dict[str, Any], found: list[int]
) -> None:
    """A lower bound is in it; an upper one is only as ``_max``."""
    more: list[dict[str, Any]] = [
        {"state": "open"},
        {"state": "resolved", "held_until": 8},
        {"state": "merged", "held_until": 7, "merged_into": 1},
    ]
    rows = [
        make_incident(number, opened_at=10 * number, **one)
        for number, one in enumerate(more, 1)
    ]
    save_incidents(store, rows, [])
    conditions = sort_out(INCIDENTS, where).conditions()
    query = select(INCIDENT.c.id).where(*conditions).order_by(INCIDENT.c.id)
    assert list(store.execute(query).scalars()) == found


@pytest.mark.parametrize(
    ("told", "ids"), [("[]", ()), ("[3]", (3,)), ("[9, 2]", (9, 2))]
)
def test_the_alerts_of_a_delivery_are_those_that_it_names(
    store: Connection, told: str, ids: tuple[int, ...]
) -> None:
    """Of one that names none, or is not there, there are none."""
    numbers = "received_at accepted repeated rejected unparsed truncated"
    row: dict[str, Any] = dict.fromkeys(numbers.split(), 0)
    row |= dict.fromkeys(("source", "peer", "headers", "reason"), "")
    row |= {"id": 7, "key": b"", "body": b"", "outcome": "ok", "field": ""}
    row |= {"alerts": told, "repeats": 0, "last_seen_at": 0}
    store.execute(insert(DELIVERY), row)
    assert read_filters(store, ALERTS, {"delivery_id": 7}).equal == {"id": ids}
    gone = read_filters(store, ALERTS, {"delivery_id": 8, "text": "disk"})
    assert gone.equal == {"id": ()}
    assert [word.text for word in gone.words] == ["disk"]


@pytest.mark.parametrize(
    ("where", "first", "last"),
    [
        ({}, 5, 3 * WIDE),
        ({"since": 0}, 5, 3 * WIDE),
        ({"since": 199}, WIDE, 3 * WIDE),
        ({"since": 100}, 5, 3 * WIDE),
        ({"since": 101}, WIDE, 3 * WIDE),
        ({"since": 901}, END_OF_IDS, 3 * WIDE),
        ({"until": 50}, 5, -1),
        ({"until": 51}, 5, WIDE - 1),
        ({"until": 60}, 5, WIDE - 1),
        ({"until": 901}, 5, 3 * WIDE),
        ({"until": 900}, 5, 2 * WIDE - 1),
        ({"since": 101, "until": 200}, WIDE, 2 * WIDE - 1),
    ],
)
def test_a_range_of_time_is_a_range_of_ids(
    store: Connection, where: dict[str, int], first: int, last: int
) -> None:
    """By stretches that have a row of that time; their edges are exact."""
    # When each came; the clock stepped back once.
    came = {5: 50, WIDE - 1: 100, WIDE: 90, WIDE + 1: 200, 3 * WIDE: 900}
    rows = [make_incident(number) for number in came]
    save_incidents(store, rows, [])
    for number, at in came.items():
        note_spans(store, INCIDENTS, [(number, at)])
    facts = look_up(store, sort_out(INCIDENTS, where))
    assert (facts.first, facts.last) == (first, last)
    assert facts.unread == END_OF_IDS


def test_a_list_without_rows_is_known_to_have_none(store: Connection) -> None:
    """No id is in it; and a log that was cut off has its last entry."""
    facts = look_up(store, sort_out(ALERTS, {"since": 5, "until": 9}))
    assert facts == Facts(seq=0, first=1, last=-1, unread=1)
    cut = {"id": 41, "hash": b"", "at": 0}
    store.execute(insert(CutRow.__table__), cut)  # type: ignore[attr-defined]  # SQLModel's
    facts = look_up(store, sort_out(LOG, {}))
    assert facts == Facts(seq=41, first=1, last=0, unread=END_OF_IDS)


def test_a_span_only_grows(store: Connection) -> None:
    """It takes the earliest and the latest, in whatever order they come."""
    note_spans(store, ALERTS, [(1, 50), (WIDE - 1, 30), (WIDE, 40)])
    note_spans(store, ALERTS, [(2, 35)])
    note_spans(store, ALERTS, [(3, 70), (4, 10), (WIDE + 1, 20)])
    note_spans(store, DELIVERIES, [(1, 99)])
    rows = store.execute(select(SPAN).order_by(SPAN.c.list, SPAN.c.bucket))
    assert [tuple(row) for row in rows] == [
        ("alert", 0, 10, 70),
        ("alert", 1, 20, 40),
        ("delivery", 0, 99, 99),
    ]


def test_a_mark_is_a_position_by_name(store: Connection) -> None:
    """It is 0 before there is one, may be wide, and may go back."""
    assert get_mark(store, "a") == 0
    put_mark(store, "a", 2**40)
    put_mark(store, "b", 5)
    assert (get_mark(store, "a"), get_mark(store, "b")) == (2**40, 5)
    put_mark(store, "a", 0)
    put_mark(store, "a", 0)
    assert (get_mark(store, "a"), get_mark(store, "b")) == (0, 5)


def test_what_is_read_late_is_unread_behind_its_mark(
    store: Connection,
) -> None:
    """Each list has a mark of its own."""
    put_mark(store, ALERTS.mark, 60)
    assert look_up(store, sort_out(ALERTS, {})).unread == 61
    assert look_up(store, sort_out(DELIVERIES, {})).unread == 1
    late = look_up(store, sort_out(ALERTS, {"since": 5}))
    assert late.first == 61


@pytest.mark.parametrize(
    ("ids", "bounds", "has_more", "value"),
    [
        ([], (1, 0), False, 0),
        ([], (1, 1_000), True, 0),
        ([9, 5], (1, 1_000), False, 2),
        ([100, 99], (1, 100), True, 100),
        ([100, 91], (1, 100), True, 20),
        ([91, 100], (1, 100), True, 20),
        ([100], (1, 100), True, 100),
        ([100, 1], (1, 100), True, 2),
        # Newer rows than the list's last, and a list that is known empty.
        ([900, 801], (1, 50), True, 2),
        ([900, 801], (1, -1), True, 2),
        ([50, 41], (41, 60), True, 4),
    ],
)
def test_an_estimate_is_as_dense_as_the_page(
    ids: list[int], bounds: tuple[int, int], has_more: bool, value: int
) -> None:
    """In either order, never below what the page itself shows."""
    found = estimate(ids, bounds, has_more=has_more)
    assert (found.value, found.kind) == (value, "estimated")


def test_a_page_of_deliveries_has_no_bodies() -> None:
    """Nor headers, nor keys; all else is shown."""
    shown = {column.name for column in DELIVERIES.columns()}
    assert shown.isdisjoint({"body", "headers", "key"})
    assert shown | DELIVERIES.hidden == set(DELIVERY.c.keys())
