"""The watch, from a real fault to an incident and its end."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.service import HOME, OPEN, Service

SECONDS = 40.0
# Others may be busy on this machine, too: that is no matter here.
THRESHOLDS = {
    "process_cpu": {
        "limit": 60, "for_seconds": 2, "clear_seconds": 1, "most": 20,
    },
    "disk": {"limit": 60, "for_seconds": 1, "clear_seconds": 0},
    "cpu": {"enabled": False},
    "process_memory": {"enabled": False},
}  # fmt: skip
WATCH = {
    "host": "sim-test",
    "every_seconds": 0.5,
    "repeat_seconds": 5,
    "labels": {"environment": "simulator"},
    "thresholds": THRESHOLDS,
}
SOURCE = {"watch": {"type": "alertmanager", **OPEN}}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a size of its own."""
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def watched(
    tmp_path_factory: pytest.TempPathFactory, place: Path
) -> Iterator[Service]:
    """Return a service that watches its own machine."""
    folder = tmp_path_factory.mktemp("watched")
    settings = {
        "sources": SOURCE,
        "watch": {**WATCH, "enabled": True, "textfile": str(folder)},
        "host": {"folders": {str(place): {"mb": 1}}},
    }
    with Service(folder, settings) as service:
        yield service


def alerts(service: Service, name: str, **labels: str) -> list[dict[str, Any]]:
    """Return the alerts of a name that have some labels, newest first."""
    params = {"name": name, "limit": "100"}
    answer = httpx.get(f"{service.url}/api/v1/alerts", params=params)
    items: list[dict[str, Any]] = answer.json()["items"]
    return [one for one in items if labels.items() <= one["labels"].items()]


def until(read: Callable[[], Any], what: str) -> Any:
    """Return what is there after a while."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = read()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {SECONDS:g} s: {what}")


def spin(name: str) -> subprocess.Popen[bytes]:
    """Return a process that takes all of a core that it gets."""
    words = [name, "-c", "while True: pass", "--password=hunter2"]
    return subprocess.Popen(words, executable=sys.executable)


def test_a_runaway_becomes_an_incident_and_ends(watched: Service) -> None:
    """It is told with evidence while it goes on, and resolved after it."""
    child = spin("sj-flow-spin")
    try:
        (alert,) = until(
            lambda: alerts(watched, "ProcessRunaway", process="sj-flow-spin"),
            "the runaway",
        )
    finally:
        child.kill()
        child.wait()
    assert alert["labels"] == {
        "alertname": "ProcessRunaway",
        "host": "sim-test",
        "process": "sj-flow-spin",
        "severity": "warning",
        "environment": "simulator",
    }
    told = alert["annotations"]["description"]
    assert f"process {child.pid} of user" in told
    assert "hunter2" not in told
    assert alert["starts_at"] < alert["received_at"]
    over = until(
        lambda: [
            one
            for one in alerts(
                watched, "ProcessRunaway", process="sj-flow-spin"
            )
            if one["status"] == "resolved"
        ],
        "its end",
    )
    assert over[0]["fingerprint"] == alert["fingerprint"]
    assert over[0]["starts_at"] == alert["starts_at"]
    assert over[0]["ends_at"] > alert["starts_at"]
    number = until(
        lambda: alerts(watched, "ProcessRunaway", process="sj-flow-spin")[0][
            "incident_id"
        ],
        "the incident",
    )
    url = f"{watched.url}/api/v1/incidents/{number}"
    incident = httpx.get(url).json()
    assert incident["target"] == "host:environment=simulator:sim-test"
    assert incident["problem"] == "ProcessRunaway"


def test_a_folder_that_fills_up_is_a_disk(
    watched: Service, place: Path
) -> None:
    """It is told by its path, and is over when there is room."""
    big = place / "big"
    big.write_bytes(b"x" * 900_000)
    labels = {"mountpoint": str(place)}
    (alert,) = until(
        lambda: alerts(watched, "HostOutOfDiskSpace", **labels), "the disk"
    )
    assert alert["severity"] == "critical"
    big.unlink()
    until(
        lambda: (
            alerts(watched, "HostOutOfDiskSpace", **labels)[0]["status"]
            == "resolved"
        ),
        "its end",
    )


def test_readings_are_listed_and_shown(watched: Service, place: Path) -> None:
    """Each series with its newest value; one with its columns."""
    url = f"{watched.url}/api/v1/readings"

    def listed() -> dict[str, dict[str, Any]]:
        """Return what there is, when there is something of a disk."""
        page = httpx.get(url).json()
        assert page["is_watching"] is True
        found = {one["name"]: one for one in page["items"]}
        return found if f"disk_percent:{place}" in found else {}

    found = until(listed, "a reading of a disk")
    assert found["cpu_percent"]["unit"] == "%"
    assert found["cpu_percent"]["columns"] is None
    names = ["cpu_percent", f"disk_percent:{place}"]
    page = httpx.get(url, params={"series": names, "points": 10}).json()
    assert [one["name"] for one in page["items"]] == names
    for one in page["items"]:
        assert 1 <= len(one["columns"]) <= 10
        for column in one["columns"]:
            assert column["low"] <= column["mean"] <= column["high"]
    file = watched.folder / "smokejumper.prom"
    text = until(lambda: file.exists() and file.read_text(), "the textfile")
    assert f'smokejumper_watch_disk_percent{{mountpoint="{place}"}}' in text


@pytest.mark.parametrize(
    ("params", "status", "field"),
    [
        ({"series": "nothing"}, 404, "series"),
        ({"series": "processes", "points": 0}, 422, "points"),
        ({"series": "processes", "since": "x"}, 422, "since"),
        ({"series": "processes", "points": 10_000}, 422, "points"),
        ({"series": ["processes"] * 21}, 422, "series"),
        (
            {"series": "processes", "since": "2099-01-01T00:00:00Z"},
            422,
            "since",
        ),
        ({"serie": "processes"}, 422, "serie"),
    ],
    ids=str,
)
def test_what_cannot_be_shown_is_refused(
    watched: Service, params: dict[str, Any], status: int, field: str
) -> None:
    """With the field, and what to do instead."""
    url = f"{watched.url}/api/v1/readings"
    until(lambda: httpx.get(url).json()["items"], "a reading")
    answer = httpx.get(url, params=params)
    assert answer.status_code == status
    problem = answer.json()
    assert field in problem["field"]
    assert problem["remedy"]


def test_a_watch_of_its_own_tells_a_service_elsewhere(
    tmp_path: Path,
) -> None:
    """It needs no database, and ends politely."""
    with Service(tmp_path, {"sources": SOURCE}) as service:
        page = httpx.get(f"{service.url}/api/v1/readings").json()
        assert page == {
            "is_watching": False, "since": None, "until": None, "items": [],
        }  # fmt: skip
        file = tmp_path / "watch.yaml"
        big = tmp_path / "place" / "big"
        big.parent.mkdir()
        big.write_bytes(b"x" * 900_000)
        host = {"folders": {str(big.parent): {"mb": 1}}}
        file.write_text(yaml.safe_dump({"watch": WATCH, "host": host}))
        words = ["watch", "--to", service.url, "--settings", str(file)]
        watch = subprocess.Popen(
            [sys.executable, "main.py", *words],
            cwd=HOME,
            stderr=subprocess.DEVNULL,
        )
        try:
            until(
                lambda: alerts(
                    service, "HostOutOfDiskSpace", mountpoint=str(big.parent)
                ),
                "the disk",
            )
            watch.send_signal(signal.SIGTERM)
            assert watch.wait(timeout=SECONDS) == 0
        finally:
            watch.kill()
            watch.wait()


def test_what_ended_while_nobody_watched_is_told(tmp_path: Path) -> None:
    """The service was killed; the disk has room when it is there again."""
    place = tmp_path / "place"
    place.mkdir()
    settings = {
        "sources": SOURCE,
        "watch": {**WATCH, "enabled": True},
        "host": {"folders": {str(place): {"mb": 1}}},
    }
    big, labels = place / "big", {"mountpoint": str(place)}
    big.write_bytes(b"x" * 900_000)
    service = Service(tmp_path, settings)

    def told() -> list[dict[str, Any]]:
        """Return the alerts of that disk."""
        return alerts(service, "HostOutOfDiskSpace", **labels)

    with service:
        (begun,) = until(told, "the disk")
        kept = service.folder / "watch.state"
        until(lambda: kept.exists() and kept.stat().st_size > 60, "the file")
        service.kill()
        big.unlink()
        service.start()
        until(lambda: told()[0]["status"] == "resolved", "its end")
        assert told()[0]["starts_at"] == begun["starts_at"]
        assert {one["fingerprint"] for one in told()} == {begun["fingerprint"]}
