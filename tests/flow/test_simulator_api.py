"""A real simulator behind the API: begun, ended, written down."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.service import Service
from tests.unit.simulator.running import Simulator

SECONDS = 40.0
TOKEN = "0123456789abcdef-of-a-test"
KEY = {"authorization": f"Bearer {TOKEN}"}
ANA = {"author": "ana"}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Return a running simulator that wants a token."""
    made = Simulator(tmp_path_factory.mktemp("sim"), token=TOKEN, services=[])
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, simulator: Simulator
) -> Iterator[Service]:
    """Return a service that knows it."""
    folder = tmp_path_factory.mktemp("service")
    settings = {"simulator": {"url": simulator.url, "token": TOKEN}}
    with Service(folder, settings) as running:
        yield running


def ask(
    service: Service, method: str, path: str, **more: Any
) -> httpx.Response:
    """Return what the API answers."""
    url = f"{service.url}/api/v1/{path}"
    return httpx.request(method, url, timeout=30, **more)


def wait_for(tells: Callable[[], bool], what: str) -> None:
    """Return once something is so, or fail."""
    deadline = time.monotonic() + SECONDS
    while not tells():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def truths(simulator: Simulator) -> list[dict[str, Any]]:
    """Return all that the simulator knows, oldest first."""
    told = simulator.ask("GET", "/api/truth", headers=KEY).json()
    return list(told["truth"])


def faulty(service: Service) -> list[str]:
    """Return which faults run, as every page is told."""
    return list(ask(service, "GET", "status").json()["faulty"])


def test_its_state_is_passed_on(service: Service) -> None:
    """Kinds with their caps, and scenarios."""
    state = ask(service, "GET", "simulator").json()["state"]
    kinds = {one["kind"] for one in state["faults"]}
    assert {"cpu", "files", "zombies"} <= kinds
    assert state["running"] == []
    assert any(one["name"] == "flapping" for one in state["scenarios"])


def test_a_fault_begins_and_ends_and_is_written_down(
    service: Service, simulator: Simulator
) -> None:
    """Every page knows at once; the log says who, what and how much."""
    order = {**ANA, "level": 20, "seconds": 60}
    begun = ask(service, "POST", "simulator/faults/files", json=order)
    assert begun.status_code == 201
    assert begun.json()["answer"]["level"] == 20
    assert faulty(service) == ["files"]
    assert len(truths(simulator)) == 1
    ended = ask(service, "DELETE", "simulator/faults/files", params=ANA)
    assert ended.json()["answer"]["truth"][0]["ended_by"] == "person"
    assert faulty(service) == []
    log = ask(service, "GET", "log", params={"kind": "simulator.changed"})
    last, first = log.json()["items"][:2]
    assert first["actor"] == last["actor"] == "person:ana"
    assert first["body"]["order"] == {
        "level": 20, "seconds": 60, "options": {},
    }  # fmt: skip
    assert last["body"] == {"asked": "DELETE /api/faults/files"}
    assert TOKEN not in log.text


def test_its_refusals_are_passed_on(service: Service) -> None:
    """What it would not do changes nothing, and is no line of the log."""
    params = {"kind": "simulator.changed", "count": "exact"}

    def lines() -> int:
        """Return how many changes were written down."""
        log = ask(service, "GET", "log", params=params).json()
        return int(log["count"]["value"])

    before = lines()
    for path, body, status in (
        ("faults/files", {"level": 10**9}, 422),
        ("faults/files", {"options": {"what": 1}}, 422),
        ("faults/nothing", {}, 404),
        ("scenarios/nothing", {}, 404),
    ):
        answer = ask(
            service, "POST", f"simulator/{path}", json={**ANA, **body}
        )
        assert answer.status_code == status, answer.text
        assert answer.json()["reason"] == "simulator_refused"
        assert answer.json()["detail"]
    assert lines() == before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults/files", {}),
        ("faults/files", {**ANA, "seconds": -1}),
        ("faults/files", {**ANA, "more": 1}),
        ("faults/..%2Fstate", ANA),
        ("faults/CPU", ANA),
        ("scenarios/flapping", {}),
    ],
)
def test_wrong_orders_never_leave(
    service: Service, simulator: Simulator, path: str, body: dict[str, Any]
) -> None:
    """No name makes another address of it, and somebody must sign."""
    before = len(truths(simulator))
    answer = ask(service, "POST", f"simulator/{path}", json=body)
    assert answer.status_code in (404, 422)
    assert len(truths(simulator)) == before


@pytest.mark.parametrize(
    ("field", "value", "names"),
    [
        ("level", "inf", "body.level"),
        ("level", float("nan"), "body.level"),
        ("seconds", float("inf"), "body.seconds"),
        ("options", {"x": "\ud800"}, "body.options.x"),
        ("options", {"\ud800": 1}, "body.options"),
        ("options", {"x": float("inf")}, "body.options.x"),
        ("options", {"x": 10**400}, "body.options.x"),
        ("options", {"x": ["\ud800"]}, "body.options.x"),
        ("options", {"x": "y" * 201}, "body.options.x"),
    ],
)
def test_what_no_json_can_say_is_refused(
    service: Service, field: str, value: object, names: str
) -> None:
    """With the field and what to do; it was a crash, or left as null."""
    body = json.dumps({**ANA, field: value})
    answer = ask(
        service,
        "POST",
        "simulator/faults/cpu",
        content=body,
        headers={"content-type": "application/json"},
    )
    told = answer.json()
    assert (answer.status_code, told["reason"]) == (422, "wrong_parameter")
    assert told["field"].startswith(names)
    assert told["detail"]
    assert told["remedy"]


def test_a_scenario_is_played_and_ended(
    service: Service, simulator: Simulator
) -> None:
    """With what it began."""
    played = ask(
        service, "POST", "simulator/scenarios/nothing-wrong", json=ANA
    )
    assert played.status_code == 201
    state = ask(service, "GET", "simulator").json()["state"]
    assert state["playing"]["scenario"] == "nothing-wrong"
    wait_for(lambda: bool(faulty(service)), "its first fault is seen")
    again = ask(service, "POST", "simulator/scenarios/flapping", json=ANA)
    assert again.status_code == 409
    ask(service, "DELETE", "simulator/scenarios", params=ANA)
    state = ask(service, "GET", "simulator").json()["state"]
    assert (state["playing"], state["running"]) == (None, [])
    since = {"since": "2026-01-01T00:00:00Z"}
    truth = ask(service, "GET", "simulator/truth", params=since).json()
    assert truth["truth"] == truths(simulator)


def test_what_others_begin_is_seen_too(
    service: Service, simulator: Simulator
) -> None:
    """The frame does not depend on who began it; ALL OFF ends it."""
    httpx.post(
        f"{simulator.url}/api/faults/zombies",
        json={"level": 2, "seconds": 60},
        headers=KEY,
    ).raise_for_status()
    wait_for(lambda: faulty(service) == ["zombies"], "it is seen")
    ask(service, "DELETE", "simulator/faults", params=ANA)
    assert faulty(service) == []


def test_a_wrong_token_stops_the_start(tmp_path: Path) -> None:
    """It says which setting, and never the value."""
    folder = tmp_path / "wrong"
    folder.mkdir()
    service = Service(
        folder, {"simulator": {"url": "http://127.0.0.1:1", "token": "ü"}}
    )
    told = service.run("check-config")
    assert told.returncode != 0
    assert "simulator.token" in told.stdout + told.stderr
