"""Both databases, as for the tests of the store, and a log of their own."""

from collections.abc import Iterator

import pytest
import structlog

from app.core.log import get_log
from app.decide import calibration, stock
from app.decide.gate import place
from tests.unit.store.conftest import location

__all__ = ["location"]


@pytest.fixture(autouse=True)
def fresh_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let each part log as if nobody had set up a log before.

    A service that another test started in this process may have set a level,
    and a log keeps what held when it was first used.
    """
    before = structlog.get_config() if structlog.is_configured() else None
    structlog.reset_defaults()
    for part in (calibration, place, stock):
        monkeypatch.setattr(part, "log", get_log(part.__name__))
    yield
    if before is not None:
        structlog.configure(**before)
