"""Clean-up takes what is old and over, and nothing else."""

import asyncio
from collections.abc import Iterator

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import func, select

from app.engine.cleaner import Cleaner, Meters, RetentionSettings
from app.engine.keeper import Keeper
from app.engine.keeper import Meters as KeeperMeters
from app.models.alert import Status
from app.models.delivery import Flaw, Parsed
from app.store import retention
from app.store.inbox import SqlInbox
from app.store.incidents import ALERT, EPISODE, INCIDENT, STRAND
from app.store.ledger import Ledger
from app.store.location import Location
from app.store.log import ENTRY, verify
from app.store.retention import DELIVERY
from tests.fakes import make_filing
from tests.unit.store.history import History


@pytest.fixture
def history(inbox: SqlInbox, location: Location) -> Iterator[History]:
    """Return a database that can be told what happened."""
    ledger = Ledger(location, 2.0)
    yield History(inbox, ledger)
    ledger.close()


def count(history: History, table: object) -> int:
    """Return how many rows a table has."""
    with history.ledger.turn() as turn:
        query = select(func.count()).select_from(table)  # type: ignore[arg-type]
        return int(turn.execute(query).scalar_one())


def clean(history: History, **settings: float) -> dict[str, int]:
    """Clean up as the service does, with these settings."""
    registry = CollectorRegistry()
    keeper = Keeper(
        history.ledger,
        history.folder,
        history.clock,
        KeeperMeters(registry),
    )
    everything = {
        "deliveries_days": 0,
        "alerts_days": 0,
        "incidents_days": 0,
        **settings,
    }
    cleaner = Cleaner(
        keeper,
        RetentionSettings.model_validate(everything),
        history.clock,
        Meters(registry),
    )
    keeper.start()
    try:
        return asyncio.run(cleaner.clean())
    finally:
        keeper.stop()


def test_what_is_old_goes_and_what_is_young_stays(history: History) -> None:
    """Rows older than their age are removed, table by table."""
    history.fill(30)
    history.clock.advance(40 * 86_400)
    history.fill(5)
    gone = clean(
        history, deliveries_days=30, alerts_days=30, incidents_days=30
    )
    assert gone == {"delivery": 60, "alert": 60, "incident": 30, "entry": 0}
    assert count(history, DELIVERY) == count(history, ALERT) == 10
    assert count(history, INCIDENT) == count(history, EPISODE) == 5
    assert count(history, STRAND) == 5


def test_what_lives_stays_however_old(history: History) -> None:
    """An incident that goes on keeps its alerts, its strand and its log."""
    history.fill(3)
    history.say("db-01", Status.FIRING, history.clock.now())
    history.fold()
    history.clock.advance(1_000 * 86_400)
    history.fill(1)
    clean(history, alerts_days=1, incidents_days=1, log_days=1)
    with history.ledger.turn() as turn:
        hosts = turn.execute(select(STRAND.c.target_name)).scalars().all()
        states = turn.execute(select(INCIDENT.c.state)).scalars().all()
        told = turn.execute(
            select(ENTRY.c.kind).where(ENTRY.c.target == "db-01")
        ).scalars()
        kinds = list(told)
        alerts = turn.execute(
            select(func.count())
            .select_from(ALERT)
            .where(ALERT.c.fingerprint == "f-db-01")
        ).scalar_one()
    assert "db-01" in hosts
    assert list(states).count("open") == 1
    assert kinds == ["incident.opened"]
    assert alerts == 1


def test_quarantine_and_unread_alerts_stay(
    history: History, inbox: SqlInbox
) -> None:
    """What was not understood or not folded yet is never removed."""
    flaw = Flaw("no_json", "$", "is none")
    broken = msgspec.structs.replace(
        make_filing(body=b"?", received_at=history.clock.now()),
        parsed=Parsed(unparsed=(flaw,)),
    )
    inbox.write([broken])
    history.say("db-01", Status.FIRING, history.clock.now())
    history.clock.advance(100 * 86_400)
    with history.ledger.turn() as turn:
        before = history.clock.now()
        swept = retention.sweep_alerts(turn, before, 0)
        retention.sweep_deliveries(turn, before, 0)
        left = turn.execute(select(DELIVERY.c.outcome)).scalars().all()
    assert swept.deleted == 0
    assert "unparsed" in left


def test_the_log_is_cut_at_its_beginning_and_says_so(
    history: History,
) -> None:
    """After a cut the chain is whole from the cut on, and goes on."""
    history.fill(20)
    before = count(history, ENTRY)
    history.clock.advance(100 * 86_400)
    history.fill(2)
    gone = clean(history, log_days=30)
    with history.ledger.turn() as turn:
        finding = verify(turn)
        kinds = set(turn.execute(select(ENTRY.c.kind)).scalars())
    assert gone["entry"] == before
    assert finding.breach is None
    assert finding.entries == count(history, ENTRY)
    assert "log.cut" in kinds
    history.fill(1)
    with history.ledger.turn() as turn:
        assert verify(turn).breach is None


def test_a_second_clean_up_finds_nothing(history: History) -> None:
    """Cleaning twice is the same as cleaning once."""
    history.fill(3)
    history.clock.advance(100 * 86_400)
    history.fill(1)
    clean(history, deliveries_days=30, log_days=30)
    again = clean(history, deliveries_days=30, log_days=30)
    assert set(again.values()) == {0}


def test_numbers_are_never_given_twice(history: History) -> None:
    """After everything old is gone the next rows get new numbers."""
    history.fill(4)
    with history.ledger.turn() as turn:
        before = turn.execute(select(func.max(INCIDENT.c.id))).scalar_one()
    history.clock.advance(100 * 86_400)
    clean(history, deliveries_days=1, alerts_days=1, incidents_days=1)
    history.fill(1)
    with history.ledger.turn() as turn:
        after = turn.execute(select(func.max(INCIDENT.c.id))).scalar_one()
    assert after == before + 1


def test_over_its_size_the_oldest_goes_first(history: History) -> None:
    """A database that is too large gives up deliveries before the rest."""
    history.fill(20)
    history.clock.advance(10 * 86_400)
    gone = clean(history, max_bytes=1)
    assert gone["delivery"] == 39
    assert gone["incident"] == 19
    assert count(history, DELIVERY) == 1


def test_within_its_size_nothing_goes(history: History) -> None:
    """A database that is small enough keeps everything."""
    history.fill(5)
    history.clock.advance(10 * 86_400)
    gone = clean(history, max_bytes=10_000_000_000)
    assert set(gone.values()) == {0}
