"""Both databases, as for the tests of the store."""

from collections.abc import Iterator

import pytest

from tests.oidc import FakeProvider
from tests.unit.store.conftest import inbox, location, reader

__all__ = ["inbox", "location", "reader"]


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    """Return a provider that runs."""
    with FakeProvider() as made:
        yield made
