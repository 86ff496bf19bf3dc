"""F1, F26: ended without a word, or politely, and started again."""

import random

import pytest

from tests.chaos.ledger import Ledger, read_sqlite
from tests.chaos.load import Load
from tests.chaos.tally import settle
from tests.service import Service

pytestmark = pytest.mark.chaos
KILLS = 5


def kill_under_load(service: Service, kills: int) -> Ledger:
    """Kill and start again at random moments; send all of it again."""
    load = Load(service.port)
    chance = random.Random()
    with load.running() as ledger:
        for _ in range(kills):
            load.wait_for(chance.randint(1, 250))
            service.kill()
            service.start()
        load.wait_for(50)
    load.send_all_again()
    return ledger


def test_nothing_is_lost_by_kills(service: Service, scale: int) -> None:
    """A kill -9 at random: 0 lost, 0 twice; the same bytes, the same id."""
    ledger = kill_under_load(service, KILLS * scale)
    service.kill()
    found = ledger.compare(read_sqlite(service.database))
    settle("kill -9 of ingest", KILLS * scale, [*ledger.faults, *found])


def test_everything_acknowledged_is_there_after_sigterm(
    service: Service,
) -> None:
    """SIGTERM under load: exit status 0, and nothing is lost."""
    load = Load(service.port)
    with load.running() as ledger:
        load.wait_for(300)
        status = service.stop()
        found = read_sqlite(service.database)
        seen = list(ledger.acks)
        service.start()
    assert status == 0
    assert Ledger(acks=seen, sent=ledger.sent).compare(found) == []
    assert ledger.faults == []
    assert ledger.compare(read_sqlite(service.database)) == []
