"""What the policy protects goes with each order that changes something."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.models.action import Risk
from app.models.job import UNBOUND, Bounds
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.engine.theatre import POLICY, Theatre

PROTECTS = f"""{POLICY}
protected:
  processes: [Java, "pay*"]
  services: [vault.service]
"""
SPARED = Bounds(processes=("java", "pay*"), services=("vault",))


@pytest.fixture
def theatre(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Theatre]:
    """Return a theatre whose policy protects something."""
    ledger = Ledger(location, 2.0)
    yield Theatre(inbox, ledger, tmp_path, PROTECTS)
    ledger.close()


@pytest.mark.parametrize(
    ("action", "risk", "bounds"),
    [
        ("mend", Risk.REVERSIBLE, SPARED),
        ("look", Risk.OBSERVE, UNBOUND),
    ],
)
def test_the_order_has_what_is_protected(
    theatre: Theatre, action: str, risk: Risk, bounds: Bounds
) -> None:
    """And that nothing may be ended, as it was not ruled on as that."""
    theatre.decide(theatre.fire("web-01"), action)
    theatre.play(1)
    (sent,) = theatre.robot.orders
    assert theatre.job().risk == risk
    assert sent.bounds == bounds
