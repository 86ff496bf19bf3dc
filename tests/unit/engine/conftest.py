"""Both databases, as for the tests of the store, and what plays on them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.engine.theatre import Theatre
from tests.unit.store.conftest import inbox, location, reader

__all__ = ["inbox", "location", "reader"]


@pytest.fixture
def theatre(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Theatre]:
    """Return a theatre in which everything may run by itself."""
    ledger = Ledger(location, 2.0)
    yield Theatre(inbox, ledger, tmp_path)
    ledger.close()
