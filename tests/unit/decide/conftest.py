"""Both databases, as for the tests of the store."""

from tests.unit.store.conftest import location

__all__ = ["location"]
