"""Fixtures for all tests, and a clean environment around each."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.line import ONLY_TO
from tests.postgres import Postgres
from tests.service import Service

# What takes half a minute and more, and only soaks what shorter tests show.
LONG = "TESTS=all runs it, and so does CI"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the long tests to CI, by name, so that a newcomer is quick."""
    required = os.environ.get("REAL_SYSTEMS") == "required"
    if required or os.environ.get("TESTS") == "all":
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason=LONG))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of the developer's shell out of the tests."""
    for name in list(os.environ):
        if name.startswith("SMOKEJUMPER_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_real_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every call to a model an error, except to a fake that is listed.

    The fakes of tests/models list themselves; tests/real allows all.
    """
    monkeypatch.setenv(ONLY_TO, "")


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
