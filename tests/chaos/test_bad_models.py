"""F9, F10: a model server that is down, slow, cut off, or talks nonsense.

The door stays open meanwhile, and each incident is decided on without it,
or handed to people, with the reason in the log.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.core.line import ONLY_TO
from app.models.action import ESCALATE
from tests.chaos.load import wait_until
from tests.flow.deciding import firing
from tests.models.fake_ollama import FakeOllama, chat, tool_call
from tests.models.server import Reply
from tests.programs import free_port
from tests.service import Service

pytestmark = pytest.mark.chaos
INCIDENTS = 8
FAILURES = 3
VOICE_SECONDS = 1.0
# A decision that waits its turn behind four others, and asks twice.
DEADLINE = 60.0
KILL = {"host": "web-0", "process": "stress-ng"}
TWO = tool_call(("kill_process", KILL), ("no_action", {}))
NAN = '{"action": "kill_process", "arguments": {"host": NaN}}'
OTHER = '{"action": "kill_process", "arguments": {"host": "db-1"}}'
UNKNOWN = '{"action": "rm_rf", "arguments": {}}'
BAD: dict[str, Reply | None] = {
    "down": None,
    "429": Reply({"error": "too many requests"}, 429),
    "503": Reply({"error": "server busy"}, 503),
    "silent": Reply({}, wait=threading.Event(), patience=30),
    "cut in the middle": Reply(chat(NAN).raw, is_cut=True),
}
NONSENSE: dict[str, Reply] = {
    "no json": chat("I would rather not."),
    "half a call": chat('{"action": "kill_pro'),
    "unknown action": chat(UNKNOWN),
    "two calls": TWO,
    "wrong target": chat(OTHER),
    "nan": chat(NAN),
    "ten megabytes": chat("x" * 10_000_000),
    "deep": Reply(b'{"message":' * 50_000),
    "no object": Reply(b"null"),
    "an html page": Reply(b"<html>502</html>"),
}


@contextmanager
def thinking(
    folder: Path, reply: Reply | None, brain: str, failures: int = FAILURES
) -> Iterator[tuple[Service, FakeOllama | None]]:
    """Lend a service whose model server answers this; None: nobody there."""
    with ExitStack() as stack:
        netloc, fake = f"127.0.0.1:{free_port()}", None
        if reply is not None:
            fake = stack.enter_context(FakeOllama(reply))
            netloc = fake.netloc
        ollama = {
            "enabled": True,
            "url": f"http://{netloc}",
            "timeout_seconds": VOICE_SECONDS,
            "failures": failures,
            "pause_seconds": 600,
        }
        settings = {
            "decide": {"brain": brain, "settle_seconds": 0},
            "brains": {
                "ollama": ollama,
                "cascade": {"voice": "ollama", "voice_seconds": 2},
            },
        }
        # Also nobody must be on the list of who may be called.
        running = Service(folder, settings, {ONLY_TO: netloc})
        yield stack.enter_context(running), fake


def runaway(host: str) -> dict[str, Any]:
    """Return an alert about which something can be done."""
    alert = firing(host, alertname="ProcessRunaway", process="stress-ng")
    told = "the process stress-ng takes 100 % of a core"
    return {**alert, "annotations": {"summary": told}}


def send(service: Service, host: str) -> int:
    """Send one alert; return the status of the answer."""
    body = {"version": "4", "alerts": [runaway(host)]}
    url = f"{service.url}/webhooks/alertmanager"
    return httpx.post(url, json=body, timeout=20).status_code


def listed(service: Service, what: str, **query: Any) -> list[dict[str, Any]]:
    """Return the newest of a list of the API."""
    url = f"{service.url}/api/v1/{what}"
    answer = httpx.get(url, params={"limit": 100, **query}, timeout=30)
    found: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    return found


@pytest.mark.parametrize("way", BAD)
def test_without_the_model_each_is_decided_on(
    tmp_path: Path, way: str
) -> None:
    """The gate decides alone, in time; the server is soon left alone."""
    with thinking(tmp_path, BAD[way], "cascade") as (service, fake):
        hosts = [f"web-{number}" for number in range(INCIDENTS)]
        assert {send(service, host) for host in hosts} == {202}

        def are_decided() -> bool:
            """Tell whether each incident has a decision."""
            return len(listed(service, "decisions")) == INCIDENTS

        wait_until(are_decided, "all decisions", DEADLINE)
        decisions = listed(service, "decisions")
        assert {one["brain"] for one in decisions} == {"cascade"}
        whys = {one["why"]: one["reason"] for one in decisions}
        assert whys.keys() <= {"chosen", "not_sure"}, whys
        assert send(service, "web-99") == 202
        if fake is not None:
            # Those that were under way when it opened come on top.
            assert len(fake.chats) <= FAILURES + 4


@pytest.fixture(scope="module")
def babbling(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Service, FakeOllama]]:
    """Return a service with nothing but a model, which is never given up."""
    folder = tmp_path_factory.mktemp("babbling")
    with thinking(folder, chat(""), "ollama", 1_000) as (service, fake):
        assert fake is not None
        yield service, fake


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_of_a_model_runs_nothing(
    babbling: tuple[Service, FakeOllama], what: str
) -> None:
    """Alone it decides nothing: people get it, and the log says why."""
    service, fake = babbling
    fake.replies, asked = [NONSENSE[what]], len(fake.chats)
    host = f"web-{what.replace(' ', '-')}"
    assert send(service, host) == 202
    find = {"target": f"host::{host}"}
    wait_until(lambda: bool(listed(service, "decisions", **find)), "it", 60)
    (decision,) = listed(service, "decisions", **find)
    assert decision["action"] == ESCALATE
    assert decision["reason"]
    assert len(fake.chats) > asked
    about = {"incident": decision["incident"]}

    def kinds() -> set[str]:
        """Return what the log tells of the incident."""
        return {one["kind"] for one in listed(service, "log", **about)}

    wait_until(lambda: "incident.escalated" in kinds(), "people", 60)
    assert "job.started" not in kinds()
    assert listed(service, "jobs", **about) == []


def test_the_answers_are_as_bad_as_they_say() -> None:
    """What is sent as a call that is none would be one, were it right."""
    right = json.dumps({"action": "kill_process", "arguments": KILL})
    assert json.loads(right)["arguments"]["process"] == "stress-ng"
    assert all(json.loads(one)["action"] for one in (OTHER, UNKNOWN, NAN))
