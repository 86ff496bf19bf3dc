"""One of many values: it finds them, and by the index."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, select

from app.store.among import among
from app.store.due import LAST
from app.store.incidents import (
    COUNTS,
    EPISODES,
    FIRING,
    INCIDENTS,
    ON_TARGETS,
    STRANDS,
    STRANDS_BY_NAME,
    save_incidents,
)
from app.store.ledger import Ledger
from app.store.listings import INCIDENT
from app.store.location import Location
from app.store.weighing import FREQUENT_OF_SOME, WEIGHTS
from tests.schema import make_sqlite
from tests.unit.store.shelf import make_incident

NAMES = {1: "a", 2: 'b"[', 3: "ü\ue000", 2**60: "d"}
TABLES = ("strand", "episode", "incident")
STATEMENTS: dict[str, Select[Any]] = {
    "strands by name": STRANDS_BY_NAME,
    "strands": STRANDS,
    "episodes": EPISODES,
    "on targets": ON_TARGETS,
    "firing": FIRING,
    "counts": COUNTS,
    "weights": WEIGHTS,
    "frequent": FREQUENT_OF_SOME,
    "last": LAST,
    "incidents": INCIDENTS,
}


@pytest.mark.parametrize("count", [0, 1, 4, 1_500])
def test_each_of_many_values_is_found(location: Location, count: int) -> None:
    """Numbers and texts, none, few and very many of them."""
    ledger = Ledger(location, 5.0)
    some = list(NAMES)[:count]
    with ledger.turn() as turn:
        rows = [make_incident(n, target=name) for n, name in NAMES.items()]
        save_incidents(turn, rows, [])
        ids = {*some, *range(10, 10 + count)}
        names = {NAMES[n] for n in some} | {f"x{n}" for n in range(count)}
        for column, values in (
            (INCIDENT.c.id, ids),
            (INCIDENT.c.target, names),
        ):
            query = select(INCIDENT.c.id).where(among(column, "values"))
            found = turn.execute(query, {"values": values}).scalars()
            assert sorted(found) == sorted(some)
    ledger.close()


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_of_a_turn_reads_a_whole_table(
    tmp_path: Path, name: str
) -> None:
    """SQLite looks up each value by an index, however many rows there are."""
    place = make_sqlite(tmp_path / "plan.db")
    ledger = Ledger(place, 5.0)
    with ledger.turn() as turn:
        written = str(STATEMENTS[name].compile(dialect=turn.dialect))
        values = ("[1]",) * written.count("?")
        plan = turn.exec_driver_sql(f"EXPLAIN QUERY PLAN {written}", values)
        steps = [row.detail for row in plan]
    ledger.close()
    of_ours = [step for step in steps if step.split()[1] in TABLES]
    assert of_ours
    assert [step for step in of_ours if not step.startswith("SEARCH")] == []
