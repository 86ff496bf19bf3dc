"""Both databases, as for the tests of the store."""

from tests.unit.store.conftest import inbox, location, reader

__all__ = ["inbox", "location", "reader"]
