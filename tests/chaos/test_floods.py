"""F18, I7: more senders than there is room for, all at once."""

from pathlib import Path

import pytest

from tests.chaos.ledger import read_sqlite
from tests.chaos.load import Load, wait_until
from tests.chaos.sockets import growth
from tests.chaos.tally import settle
from tests.service import Service

pytestmark = pytest.mark.chaos
SENDERS = 48
POSTS = 300
BODY = 100_000
MEGABYTE = 1_048_576
ROOM = {"waiting_deliveries": 8, "waiting_bytes": MEGABYTE}
LIMITS = {"server": {"limits": ROOM}}
# What waits is bounded; so is what is being read, by the connections.
GROWTH = 100 * MEGABYTE


def test_a_flood_is_refused_in_part_and_lost_in_none(
    tmp_path: Path, scale: int
) -> None:
    """Who finds no room is told so, comes again, and all of it is kept."""
    with Service(tmp_path, LIMITS) as service:
        load = Load(service.port, clients=SENDERS, padding=BODY)

        def flood() -> None:
            """Send until enough was taken, and somebody was sent away."""
            with load.running() as ledger:
                wait_until(
                    lambda: (
                        len(ledger.acks) >= POSTS * scale
                        and bool(ledger.refusals)
                    ),
                    "the flood",
                    60.0 * scale,
                )

        grown = growth(service.pid, flood)
        ledger = load.ledger
        service.kill()
    reasons = {(one.status, one.reason) for one in ledger.refusals}
    assert reasons == {(503, "queue_full")}
    found = ledger.compare(read_sqlite(service.database))
    if grown > GROWTH:
        found.append(f"it grew by {grown // MEGABYTE} MB")
    print(f"it grew by {grown / MEGABYTE:.0f} MB")  # noqa: T201 (shown)
    settle("deliveries of a flood", len(ledger.acks), ledger.faults + found)
