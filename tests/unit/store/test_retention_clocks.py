"""Clean-up by age where the clock was wrong for a while."""

from app.store.incidents import ALERT, INCIDENT
from app.store.log import ENTRY, verify
from app.store.retention import BATCH, DELIVERY
from tests.unit.store.history import DAY, History
from tests.unit.store.test_retention import clean, count, history

__all__ = ["history"]
YEARS = 20 * 365 * DAY
MONTH = {
    "deliveries_days": 30,
    "alerts_days": 30,
    "incidents_days": 30,
    "log_days": 30,
}


def fill_wrongly(history: History, by: int, hosts: int = 1) -> None:
    """Let problems come and go while the clock is wrong."""
    history.clock.moment += by
    history.fill(hosts)
    history.clock.moment -= by
    history.clock.advance(60)


def test_what_a_clock_dated_ahead_keeps_nothing_else(
    history: History,
) -> None:
    """Else nothing would be cleaned up for years, and the disk fill."""
    history.fill(2)
    fill_wrongly(history, YEARS)
    history.fill(BATCH)
    history.clock.advance(40 * 86_400)
    history.fill(2)
    clean(history, **MONTH)
    assert count(history, DELIVERY) == count(history, ALERT) == 2 + 4
    assert count(history, INCIDENT) == 1 + 2
    with history.ledger.turn() as turn:
        finding = verify(turn)
        assert finding.breach is None
    # Three for each incident that is young, and the cut is an entry, too.
    assert finding.entries == count(history, ENTRY) == 2 * 3 + 1


def test_what_a_clock_dated_back_takes_nothing_along(
    history: History,
) -> None:
    """A machine that wakes in another year costs no young log."""
    history.fill(5)
    fill_wrongly(history, -YEARS)
    history.fill(2)
    assert set(clean(history, **MONTH).values()) == {0}
    history.clock.advance(40 * 86_400)
    history.fill(2)
    gone = clean(history, **MONTH)
    assert gone == {"delivery": 16, "alert": 16, "incident": 8, "entry": 24}


def test_a_newest_entry_that_is_dated_back_takes_no_log_along(
    history: History,
) -> None:
    """The machine woke in another year, and nothing was told since."""
    history.fill(5)
    fill_wrongly(history, -YEARS)
    gone = clean(history, **MONTH)
    assert (gone["entry"], gone["incident"]) == (0, 0)
