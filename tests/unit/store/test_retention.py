"""Clean-up takes what is old and over, and nothing else."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future

import msgspec
import psycopg
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import event, func, select

from app.engine.cleaner import Cleaner, Meters, RetentionSettings
from app.engine.keeper import Bug, Keeper
from app.engine.keeper import Meters as KeeperMeters
from app.models.alert import Status
from app.models.delivery import Flaw, Parsed
from app.models.word import Kind, Word
from app.store import retention
from app.store.inbox import SqlInbox
from app.store.incidents import ALERT, EPISODE, INCIDENT, STRAND
from app.store.ledger import Ledger
from app.store.location import Location
from app.store.log import ENTRY, verify
from app.store.people import add_words, next_word
from app.store.retention import DELIVERY
from app.store.room import measure_room
from tests.fakes import FakeClock, make_filing
from tests.unit.store.history import START, History


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


class CrashingKeeper:
    """Stands for a keeper whose every turn meets a bug."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_enough = asyncio.Event()

    def ask(self, _work: object) -> Future[object]:
        """Answer as the keeper does when a turn crashed."""
        self.asked += 1
        if self.asked == 3:
            self.is_enough.set()
        future: Future[object] = Future()
        future.set_exception(Bug("KeyError"))
        return future


def used(history: History) -> int:
    """Return how many bytes hold rows."""
    with history.ledger.turn() as turn:
        return measure_room(turn).used


def vacuum(history: History) -> None:
    """Let PostgreSQL find out what is free, as it does now and then."""
    if not history.ledger.is_sqlite:
        with history.ledger.turn() as turn:
            turn.commit()
            driver = turn.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            driver.autocommit = True
            driver.execute("VACUUM ANALYZE")
            driver.autocommit = False


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


def test_the_number_of_a_word_is_never_given_twice(history: History) -> None:
    """The log names words by number, and is there longer than they are."""
    history.fill(2)
    with history.ledger.turn() as turn:
        said = next_word(turn)
        word = Word(
            id=said,
            incident_id=1,
            at=history.clock.now(),
            author="ana",
            kind=Kind.NOTE.value,
            text="a disk",
            version=1,
        )
        add_words(turn, [word])
    history.clock.advance(100 * 86_400)
    history.fill(1)
    assert clean(history, incidents_days=1)["incident"] == 2
    with history.ledger.turn() as turn:
        assert next_word(turn) == said + 1


def test_over_its_size_the_oldest_goes_first(history: History) -> None:
    """A database that is too large gives up deliveries before the rest."""
    history.fill(20)
    history.clock.advance(10 * 86_400)
    gone = clean(history, max_bytes=1)
    assert gone["delivery"] == 39
    assert gone["incident"] == 19
    assert count(history, DELIVERY) == 1


def test_by_size_the_log_goes_only_where_it_has_an_age(
    history: History,
) -> None:
    """A log that is kept for ever is never cut, however large it is."""
    history.fill(20)
    before = count(history, ENTRY)
    history.clock.advance(10 * 86_400)
    assert clean(history, max_bytes=1)["entry"] == 0
    assert count(history, ENTRY) == before
    # Within its age, but there is no room for it.
    assert clean(history, max_bytes=1, log_days=400)["entry"] == before
    with history.ledger.turn() as turn:
        assert verify(turn).breach is None


def test_slightly_over_its_size_only_the_oldest_goes(
    history: History,
) -> None:
    """It gives up about as much as is too much, and then no more."""
    for _day in range(10):
        history.fill(60)
        history.clock.advance(86_400)
    limit = int(used(history) * 0.97)
    gone = clean(history, max_bytes=limit)
    assert 0 < gone["delivery"] <= 600
    assert gone["alert"] == gone["incident"] == gone["entry"] == 0
    assert used(history) <= limit
    with history.ledger.turn() as turn:
        oldest = turn.execute(select(func.min(DELIVERY.c.id))).scalar_one()
    assert oldest == gone["delivery"] + 1
    assert set(clean(history, max_bytes=limit).values()) == {0}
    vacuum(history)
    assert set(clean(history, max_bytes=limit).values()) == {0}


def test_a_cut_reads_one_entry_not_the_whole_past(history: History) -> None:
    """However long the log is, its cut asks for a single row."""
    history.fill(30)
    fetched: list[int] = []
    with history.ledger.turn() as turn:

        def look(*told: object) -> None:
            """Note how many rows the driver took in."""
            fetched.append(told[1].rowcount)  # type: ignore[attr-defined]

        event.listen(turn, "after_cursor_execute", look)
        assert retention.cut_log(turn, history.clock.now() + 1, START) > 30
    assert fetched
    assert max(fetched) <= 1


def test_cleaning_goes_on_after_a_bug() -> None:
    """A turn that crashes costs one round, not the cleaner."""
    keeper = CrashingKeeper()
    registry = CollectorRegistry()
    cleaner = Cleaner(
        keeper,  # type: ignore[arg-type]  # it is asked, and no more
        RetentionSettings.model_construct(every_seconds=0.001),
        FakeClock(START),
        Meters(registry),
    )

    async def scene() -> None:
        """Let it run until it has come back often enough."""
        running = asyncio.create_task(cleaner.run())
        enough = asyncio.create_task(keeper.is_enough.wait())
        either = (running, enough)
        await asyncio.wait(
            either, timeout=10, return_when=asyncio.FIRST_COMPLETED
        )
        for task in either:
            task.cancel()
        await asyncio.gather(*either, return_exceptions=True)

    asyncio.run(scene())
    assert keeper.asked >= 3


def test_within_its_size_nothing_goes(history: History) -> None:
    """A database that is small enough keeps everything."""
    history.fill(5)
    history.clock.advance(10 * 86_400)
    gone = clean(history, max_bytes=10_000_000_000)
    assert set(gone.values()) == {0}
