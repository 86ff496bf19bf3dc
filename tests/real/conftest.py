"""One running service for all the real systems, open in several ways."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.listing import Listing
from tests.service import OPEN, Service

TOKEN = "first-token"
NEXT_TOKEN = "token-that-replaces-it"
PAIR = ("pager", "pässword: with colon")
SOURCES = {
    "alertmanager": OPEN,
    "guarded": {
        "type": "alertmanager",
        "auth": {"kind": "bearer", "secrets": [TOKEN, NEXT_TOKEN]},
    },
    "basic": {
        "type": "alertmanager",
        "auth": {"kind": "basic", "secrets": [":".join(PAIR)]},
    },
    "tokens": {"type": "alertmanager", "auth": {"kind": "token"}},
    "prometheus": OPEN,
}


@pytest.fixture(scope="session")
def smokejumper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a running service that all tests of a run share."""
    folder = tmp_path_factory.mktemp("smokejumper")
    with Service(folder, {"sources": SOURCES}) as service:
        yield service


@pytest.fixture
def listing(smokejumper: Service) -> Listing:
    """Return what the shared service says."""
    return Listing(smokejumper.url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder for one program."""
    return tmp_path / "program"
