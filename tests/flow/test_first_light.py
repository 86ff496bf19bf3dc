"""The shortest way through: one alert in, one alert listed."""

from pathlib import Path

import httpx
import pytest

from app.ingest.sources.alertmanager import EXAMPLE
from tests.postgres import Postgres
from tests.service import OPEN, Service


class Fresh(Service):
    """A service that is started as a user starts it, with nothing at hand."""

    forks = False


def deliver_and_list(url: str) -> None:
    """Send the example twice and look at what is listed."""
    first = httpx.post(f"{url}/webhooks/alertmanager", content=EXAMPLE)
    again = httpx.post(f"{url}/webhooks/alertmanager", content=EXAMPLE)
    assert first.status_code == again.status_code == 202
    assert first.json()["accepted"] == 1
    assert again.json()["repeat"] is True
    assert again.json()["delivery"] == first.json()["delivery"]
    alerts = httpx.get(f"{url}/api/v1/alerts").json()["items"]
    assert [alert["name"] for alert in alerts] == ["DiskAlmostFull"]
    body = httpx.get(
        f"{url}/api/v1/deliveries/{first.json()['delivery']}/body"
    )
    assert body.content == EXAMPLE


def test_an_alert_is_accepted_once_and_listed(tmp_path: Path) -> None:
    """A delivery is kept byte for byte; its repeat is only counted."""
    with Fresh(tmp_path) as service:
        deliver_and_list(service.url)
        assert service.stop() == 0


@pytest.mark.real
def test_the_same_on_postgresql(tmp_path: Path, postgres: Postgres) -> None:
    """PostgreSQL by URL behaves as SQLite does."""
    url = postgres.make_database("first_light")
    settings = {"database": {"url": url}, "sources": {"alertmanager": OPEN}}
    with Fresh(tmp_path, settings) as service:
        deliver_and_list(service.url)
        assert service.stop() == 0
