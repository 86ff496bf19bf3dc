"""Fixtures for all tests, and a clean environment around each."""

import os
from collections.abc import Iterator
from pathlib import Path
from ssl import SSLContext

import pytest
from httpx._config import create_ssl_context
from httpx._transports import default
from httpx._types import CertTypes
from hypothesis import HealthCheck, settings

from app.core.line import ONLY_TO
from tests.bounds import Bounds
from tests.docs.counts import Counts
from tests.nest import Nest
from tests.postgres import Postgres
from tests.proofs import Witness
from tests.quick import leave_out
from tests.service import Service

# Where httpx is told to read certificates from.
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")

# No test is timed: on a machine that is new or busy, making examples is slow
# (the first run makes tables of all letters), and that is no fault. A fixture
# that all examples of a test share is meant to be shared.
QUIET = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
settings.register_profile(
    "untimed", deadline=None, suppress_health_check=QUIET
)
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    """See that nothing hangs, and that what our pages name as proofs ran."""
    config.pluginmanager.register(Bounds(config), "bounds")
    config.pluginmanager.register(Witness(config), "witness")
    config.pluginmanager.register(Counts(), "documents")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the long tests to CI, by name, so that a newcomer is quick."""
    leave_out(items)


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
def nest() -> Iterator[Nest]:
    """Return what services are forked off; empty until it is needed."""
    with Nest() as made:
        yield made


@pytest.fixture(scope="session", autouse=True)
def _quick_starts(nest: Nest) -> Iterator[None]:
    """Let services start without importing all of it each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Service, "nest", nest)
        yield


@pytest.fixture(scope="session", autouse=True)
def _certificates_once() -> Iterator[None]:
    """Let all clients share one reading of the certificates that are usual.

    httpx reads those of all authorities for each client, and so for each
    request of a test: that takes far longer than the request.
    """
    read: dict[tuple[str | None, ...], SSLContext] = {}

    def make(
        verify: SSLContext | str | bool = True,
        cert: CertTypes | None = None,
        trust_env: bool = True,
    ) -> SSLContext:
        """Return what was read before, unless something else is asked for."""
        if verify is not True or cert is not None:
            return create_ssl_context(verify, cert, trust_env)
        key = (str(trust_env), *map(os.environ.get, CERTIFICATES))
        if key not in read:
            read[key] = create_ssl_context(verify, cert, trust_env)
        return read[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(default, "create_ssl_context", make)
        yield


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
