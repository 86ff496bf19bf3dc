"""Fixtures for all tests, and a clean environment around each."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Postgres
from tests.service import Service


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of the developer's shell out of the tests."""
    for name in list(os.environ):
        if name.startswith("SMOKEJUMPER_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Return a running PostgreSQL server, shared by the whole run."""
    with Postgres() as server:
        yield server


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Return a running service with an open Alertmanager source."""
    with Service(tmp_path) as running:
        yield running
