"""The simulator's server: REST, lock and page."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.answers import MOST_BYTES
from simulator.house import House
from simulator.server import make_app
from simulator.settings import make_settings
from tests.unit.simulator.running import Simulator, wait_for

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def simulator(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Simulator]:
    """Share one running simulator."""
    running = Simulator(tmp_path_factory.mktemp("server"))
    try:
        yield running.start()
    finally:
        assert running.stop() == 0


def order(simulator: Simulator, kind: str, **body: Any) -> httpx.Response:
    """Order a fault."""
    return simulator.ask("POST", f"/api/faults/{kind}", json=body)


def test_a_fault_begins_is_told_and_ends(simulator: Simulator) -> None:
    """Its truth comes back, stands in the state, and says how it ended."""
    began = order(simulator, "clock", level=60, seconds=60)
    assert began.status_code == 201
    truth = began.json()
    assert truth["target"] == {"host": "simulator", "service": "shop"}
    state = simulator.ask("GET", "/api/state").json()
    assert [one["id"] for one in state["running"]] == [truth["id"]]
    assert (state["enabled"], state["host"]) == (True, "simulator")
    assert {"cpu", "memory", "disk", "service"} <= {
        one["kind"] for one in state["faults"]
    }
    assert state["services"][0]["state"] == "running"
    assert len(state["scenarios"]) >= 8
    ended = simulator.ask("DELETE", "/api/faults/clock").json()["truth"]
    assert [one["ended_by"] for one in ended] == ["person"]
    assert simulator.ask("DELETE", "/api/faults/clock").json() == {"truth": []}


def test_all_faults_end_at_once(simulator: Simulator) -> None:
    """One call ends whatever runs."""
    order(simulator, "clock", level=60, seconds=60)
    order(simulator, "service", options={"shape": "errors"}, seconds=60)
    ended = simulator.ask("DELETE", "/api/faults").json()["truth"]
    assert {one["fault"] for one in ended} == {"clock", "service"}
    assert simulator.ask("GET", "/api/state").json()["running"] == []


def test_the_truth_is_asked_from_a_moment_on(simulator: Simulator) -> None:
    """What ended before is left out; a plus that is a space is understood."""
    order(simulator, "clock", level=60, seconds=60)
    simulator.ask("DELETE", "/api/faults")
    assert simulator.ask("GET", "/api/truth").json()["truth"]
    late = "/api/truth?since=2999-01-01T00:00:00+00:00"
    assert simulator.ask("GET", late).json() == {"truth": []}
    wrong = simulator.ask("GET", "/api/truth?since=soon")
    assert (wrong.status_code, wrong.json()["field"]) == (422, "since")


def test_a_truth_that_cannot_be_read_is_not_an_empty_one(
    simulator: Simulator,
) -> None:
    """Whoever scores would believe that nothing happened."""
    earlier = simulator.home / "truth.jsonl.1"
    earlier.mkdir()
    try:
        answer = simulator.ask("GET", "/api/truth")
    finally:
        earlier.rmdir()
    assert answer.status_code == 503
    assert "cannot be read now" in answer.json()["detail"]
    assert simulator.ask("GET", "/api/truth").status_code == 200


def test_a_scenario_is_played_and_stopped(simulator: Simulator) -> None:
    """It stands in the state while it is played; its faults end with it."""
    path = "/api/scenarios/self-healing"
    began = simulator.ask("POST", path)
    assert began.status_code == 201
    assert began.json()["playing"]["scenario"] == "self-healing"
    wait_for(
        lambda: bool(simulator.ask("GET", "/api/state").json()["running"]),
        "its first fault runs",
    )
    again = simulator.ask("POST", path)
    assert again.status_code == 409
    ended = simulator.ask("DELETE", "/api/scenarios").json()["truth"]
    assert {one["scenario"] for one in ended} == {"self-healing"}
    said = simulator.ask("GET", "/api/scenarios").json()
    assert said["playing"] is None


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("POST", "/api/faults/flood", b"{}"), (404, "kind")),
        (("POST", "/api/faults/clock", b'{"level": "much"}'), (422, "level")),
        (
            ("POST", "/api/faults/clock", b'{"seconds": 9999}'),
            (422, "seconds"),
        ),
        (("POST", "/api/faults/clock", b'{"options": [1]}'), (422, "options")),
        (("POST", "/api/faults/clock", b'{"force": 1}'), (422, "force")),
        (
            ("POST", "/api/faults/service", b'{"options": {"shape": "odd"}}'),
            (422, "options.shape"),
        ),
        (("POST", "/api/faults/clock", b'{"\\ud800": 1}'), (422, "?")),
        (("POST", "/api/faults/clock", b"[" * 9000), (422, "body")),
        (("POST", "/api/faults/clock", b"[]"), (422, "body")),
        (
            ("POST", "/api/faults/clock", b" " * MOST_BYTES + b"{}"),
            (413, "body"),
        ),
        (("POST", "/api/scenarios/none-such", b""), (404, "name")),
        (("DELETE", "/api/faults/flood", b""), (404, "kind")),
        (("GET", "/api/services/till", b""), (404, "service")),
        (("GET", "/api/nothing", b""), (404, "path")),
        (("PUT", "/api/faults", b""), (405, "method")),
    ],
)
def test_what_is_wrong_is_a_problem(
    simulator: Simulator,
    asked: tuple[str, str, bytes],
    told: tuple[int, str],
) -> None:
    """Every refusal is problem JSON with field and remedy; nothing runs."""
    method, path, body = asked
    answer = simulator.ask(method, path, content=body)
    said = answer.json()
    assert (answer.status_code, said["field"]) == told
    assert answer.headers["content-type"] == PROBLEM
    assert said["title"]
    assert said["detail"]
    assert said["remedy"]
    assert simulator.ask("GET", "/api/state").json()["running"] == []


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"host": "evil.example"}, "host"),
        ({"host": "127.0.0.1.evil.example:8099"}, "host"),
        ({"host": "["}, "host"),
        ({"origin": "http://evil.example"}, "origin"),
        ({"origin": "null"}, "origin"),
        ({"sec-fetch-site": "cross-site"}, "sec-fetch-site"),
        ({"x-forwarded-for": "192.0.2.1"}, "x-forwarded-for"),
    ],
)
def test_pages_of_others_cause_nothing(
    simulator: Simulator, headers: dict[str, str], field: str
) -> None:
    """No other page, and no other name, may read or begin anything."""
    for method, path in (("POST", "/api/faults/clock"), ("GET", "/api/state")):
        answer = simulator.ask(method, path, headers=headers)
        said = answer.json()
        assert (answer.status_code, said["field"]) == (403, field)
        assert "access-control-allow-origin" not in answer.headers


def test_its_own_page_may_ask(simulator: Simulator) -> None:
    """What a browser sends for a page of ours is taken."""
    headers = {"origin": simulator.url, "sec-fetch-site": "same-origin"}
    answer = simulator.ask("DELETE", "/api/faults", headers=headers)
    assert answer.status_code == 200


def test_the_page_brings_all_of_its_own(simulator: Simulator) -> None:
    """It loads nothing from elsewhere, and nobody may frame it."""
    page = simulator.ask("GET", "/")
    script = simulator.ask("GET", "/page.js")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "SIMULATOR ON" in page.text
    assert "http" not in page.text.replace("http-equiv", "")
    assert "http" not in script.text
    # Texts of the API go in as text.
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval("):
        assert way not in script.text


def test_a_service_that_cannot_start_is_not_broken_once_more(
    tmp_path: Path,
) -> None:
    """Its port is another's: that is said, and nobody can mend a fault."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        simulator = Simulator(tmp_path, service_port=taken.getsockname()[1])
        try:
            simulator.start()
            answer = order(simulator, "service", seconds=60)
            assert answer.status_code == 503
            assert "Address already in use" in answer.json()["detail"]
            assert simulator.ask("GET", "/api/state").json()["running"] == []
        finally:
            simulator.stop()


def ask_unopened(
    path: str, headers: dict[str, str], **settings: Any
) -> httpx.Response:
    """Ask a server that was not opened: its lock comes before that."""
    house = House(make_settings({"enabled": True, **settings}))

    async def ask() -> httpx.Response:
        """Ask it."""
        transport = httpx.ASGITransport(make_app(house))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://sim.example:8099"
        ) as client:
            return await client.get(path, headers=headers)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("", 401),
        ("Bearer wrong", 401),
        ("secret-of-this-test", 401),
        ("bearer secret-of-this-test", 200),
    ],
)
def test_with_a_token_whoever_shows_it_may_ask(
    tmp_path: Path, said: str, status: int
) -> None:
    """By any name, but not without it."""
    headers = {"authorization": said} if said else {}
    answer = ask_unopened(
        "/api/truth",
        headers,
        token="secret-of-this-test",
        listen="0.0.0.0",
        folder=str(tmp_path),
    )
    assert answer.status_code == status
    if status == 401:
        assert "Bearer" in answer.headers["www-authenticate"]
        assert answer.json()["field"] == "authorization"


def test_with_a_token_the_page_still_opens(tmp_path: Path) -> None:
    """The page itself holds nothing; it asks for the token."""
    answer = ask_unopened(
        "/", {}, token="secret-of-this-test", folder=str(tmp_path)
    )
    assert answer.status_code == 200


def test_there_may_be_no_page(tmp_path: Path) -> None:
    """Settings can leave it out; it says which."""
    headers = {"host": "localhost:8099"}
    answer = ask_unopened("/", headers, page=False, folder=str(tmp_path))
    assert (answer.status_code, answer.json()["field"]) == (404, "page")
