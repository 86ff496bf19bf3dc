"""Alerts over HTTP become incidents, in whatever order they come."""

import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, create_engine, text

from tests.postgres import Postgres
from tests.service import OPEN, Service

DEFAULT = Path(__file__).parents[2].parent / "shared" / "data"
DATA = Path(os.environ.get("TEST_DATA", DEFAULT))
PATIENCE = 60.0
SENDERS = 3
SOURCES = {"sources": {"alertmanager": OPEN, "zabbix": OPEN}}
Call = tuple[str, bytes, str]


def webhook(*alerts: dict[str, Any]) -> bytes:
    """Return a notification of Alertmanager."""
    return json.dumps({"version": "4", "alerts": alerts}).encode()


def firing(name: str, host: str, second: int) -> dict[str, Any]:
    """Return one alert about a host."""
    return {
        "status": "firing",
        "labels": {"alertname": name, "instance": f"{host}:9100"},
        "annotations": {"summary": f"{name} on {host}"},
        "startsAt": f"2026-11-21T02:14:{second:02}Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": f"{name}-{host}",
    }


def wait_for(condition: Callable[[], bool]) -> None:
    """Return when something has come true, or fail."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def send(service: Service, calls: Sequence[Call]) -> None:
    """Send notifications one after the other, on one connection."""
    with httpx.Client(base_url=service.url, timeout=30.0) as client:
        for source, body, kind in calls:
            answer = client.post(
                f"/webhooks/{source}",
                content=body,
                headers={"content-type": kind},
            )
            assert answer.status_code in {200, 202}, answer.text


def rows(engine: Engine, query: str) -> list[Any]:
    """Return what the database says."""
    with engine.connect() as connection:
        return list(connection.execute(text(query)).all())


def is_folded(engine: Engine) -> bool:
    """Tell whether every alert has had its turn."""
    (row,) = rows(
        engine,
        "SELECT (SELECT max(id) FROM alert),"
        " (SELECT position FROM mark WHERE name = 'folded')",
    )
    newest, folded = row
    return bool(newest is not None and newest == folded)


def picture(engine: Engine) -> list[Any]:
    """Return how episodes are parted, and where each incident stands."""
    parts: dict[int, list[Any]] = {}
    query = (
        "SELECT incident_id, source, fingerprint, begins_at, until, ended,"
        " severity FROM episode"
    )
    for number, *episode in rows(engine, query):
        parts.setdefault(number, []).append(tuple(episode))
    query = (
        "SELECT id, state, target, firing, episodes FROM incident"
        " WHERE state <> 'merged'"
    )
    return sorted(
        (*standing, *sorted(parts[number]))
        for number, *standing in rows(engine, query)
    )


def test_symptoms_and_siblings(service: Service) -> None:
    """One host with five symptoms is one; two hosts with one are two."""
    names = ("HostDown", "DiskSlow", "NginxDown", "LoadHigh", "SwapFull")
    bodies = [
        webhook(firing(name, "web-01", number))
        for number, name in enumerate(names)
    ]
    bodies.append(
        webhook(
            firing("DiskFull", "db-01", 20), firing("DiskFull", "db-02", 25)
        )
    )
    send(
        service, [("alertmanager", one, "application/json") for one in bodies]
    )
    found: list[dict[str, Any]] = []

    def are_there() -> bool:
        """Look for seven episodes in incidents."""
        answer = httpx.get(f"{service.url}/api/v1/incidents")
        found[:] = answer.json()["items"]
        return bool(sum(one["episodes"] for one in found) == 7)

    wait_for(are_there)
    parted = {one["target_name"]: one["episodes"] for one in found}
    assert parted == {"web-01": 5, "db-01": 1, "db-02": 1}
    numbers = {one["target_name"]: one["id"] for one in found}
    for name, expected in (
        ("web-01", []),
        ("db-01", [numbers["db-02"]]),
        ("db-02", [numbers["db-01"]]),
    ):
        url = f"{service.url}/api/v1/incidents/{numbers[name]}"
        assert httpx.get(url).json()["siblings"] == expected


def load() -> list[Call]:
    """Return the corpus, an end for every third, and the captures."""
    calls: list[Call] = []
    lines = (DATA / "notifications400.jsonl").read_text(encoding="utf-8")
    for number, row in enumerate(map(json.loads, lines.splitlines())):
        payload = row["payload"]
        bodies = [payload]
        if number % 3 == 0 and row["source"] == "alertmanager":
            alerts = [
                {**one, "status": "resolved", "endsAt": "2026-11-21T04:00:00Z"}
                for one in payload["alerts"]
            ]
            bodies.append({**payload, "status": "resolved", "alerts": alerts})
        calls += [
            (row["source"], json.dumps(body).encode(), "application/json")
            for body in bodies
        ]
    for file in sorted((DATA / "captured").glob("*.json")):
        source = file.name.partition("_")[0]
        request = json.loads(file.read_text(encoding="utf-8"))
        # The others are answers of an API, not notifications.
        if source not in SOURCES["sources"] or "headers" not in request:
            continue
        heads = {name.lower(): text for name, text in request["headers"]}
        kind = heads.get("content-type", "application/json")
        calls.append((source, request["body"].encode(), kind))
    return calls


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.real)]
)
def make_service(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[str], tuple[Service, Engine]]]:
    """Return what starts a service on an empty database."""
    started: list[tuple[Service, Engine]] = []

    def start(name: str) -> tuple[Service, Engine]:
        """Start one more."""
        folder = tmp_path / name
        folder.mkdir()
        settings: dict[str, Any] = dict(SOURCES)
        url = f"sqlite:///{folder}/smokejumper.db"
        if request.param == "postgres":
            server: Postgres = request.getfixturevalue("postgres")
            url = server.make_database(f"incidents_{name}")
        settings["database"] = {"url": url}
        engine = create_engine(
            url.replace("postgresql://", "postgresql+psycopg://")
        )
        service = Service(folder, settings)
        started.append((service, engine))
        return service.start(), engine

    yield start
    for service, engine in started:
        service.stop()
        engine.dispose()


@pytest.mark.skipif(
    not (DATA / "notifications400.jsonl").is_file(),
    reason="corpus: set TEST_DATA to the folder that holds it",
)
@pytest.mark.long
def test_three_senders_in_any_order(
    make_service: Callable[[str], tuple[Service, Engine]],
) -> None:
    """Each says all of it, shuffled, at once: the same incidents."""
    calls = load()
    plain, engine = make_service("plain")
    send(plain, calls)
    wait_for(lambda: is_folded(engine))
    expected = picture(engine)
    assert len(expected) > 100
    stormy, other = make_service("stormy")
    threads = []
    for sender in range(SENDERS):
        mine = list(calls)
        random.Random(sender).shuffle(mine)
        thread = threading.Thread(target=send, args=(stormy, mine))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    wait_for(lambda: is_folded(other))
    assert picture(other) == expected
