"""F12, F13, F26: lost answers, the kill switch, many clicks, and SIGTERM."""

import random
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.chaos.acting import ASKED, ActingService, Story
from tests.chaos.load import wait_until
from tests.chaos.wire import Wire
from tests.postgres import Postgres
from tests.receiver import Receiver

pytestmark = pytest.mark.chaos
CLICKS = 20
SILENT_SECONDS = 2.0
DRAIN_SECONDS = 10.0
RUNS = "SELECT id FROM job WHERE state = 'started' AND reference <> ''"
SENT = "SELECT id FROM job WHERE state = 'started'"
STATE = "SELECT state, reason FROM job ORDER BY id"
HELD = "SELECT id FROM mission WHERE holder <> '' OR lease_until > 0"
RESUMED = {"author": "ana", "reason": "it is over", "halted": False}
HALTED = {"author": "ana", "reason": "stop it all", "halted": True}


@pytest.fixture
def make(receiver: Receiver, tmp_path: Path) -> Any:
    """Return what makes a service that acts."""

    def made(**more: Any) -> ActingService:
        """Return one, not started."""
        return ActingService(receiver, tmp_path / "node", **more)

    return made


@pytest.mark.parametrize(
    ("endpoint", "end"),
    [({}, "fixed"), ({"find_url": ""}, "escalated")],
    ids=["found_by_its_key", "unknown"],
)
def test_a_lost_answer_starts_nothing_twice(
    make: Any, receiver: Receiver, endpoint: dict[str, str], end: str
) -> None:
    """The job was begun and nobody heard it: it is looked up, not sent."""
    with make(mode="lose", endpoint=endpoint) as node:
        story = Story(node)
        story.fire("web-01")
        story.wait()
        assert receiver.starts() == 1
        ((state, reason),) = node.ask(STATE)
    assert story.ends() == {"web-01": end}
    assert story.faults() == []
    if end == "escalated":
        assert state == "unknown"
        assert "nobody knows whether it ran" in reason


@pytest.mark.long
def test_what_does_no_harm_twice_is_sent_again(
    make: Any, receiver: Receiver
) -> None:
    """Declared idempotent, with no way to look it up: the same key again."""
    more = {"run": {"is_idempotent": True}, "endpoint": {"find_url": ""}}
    with make(mode="later", **more) as node:
        node.stop()
        node.crash_at("backend.start 1 after")
        story = Story(node)
        node.launch()
        wait_until(node.is_ready, "the service")
        story.fire("web-01")
        wait_until(lambda: node.has_ended, "the crash")
        node.stop()
        node.crash_at("")
        node.start()
        story.wait()
    assert story.ends() == {"web-01": "fixed"}
    assert (receiver.starts(), receiver.noted("again")) == (1, 1)
    assert story.faults() == []


@pytest.mark.parametrize(
    "mode", ["hang", pytest.param("later-5", marks=pytest.mark.long)]
)
def test_sigterm_gives_back_what_is_under_way(
    make: Any, receiver: Receiver, mode: str
) -> None:
    """It ends within 10 s with nothing in hand, and goes on after that."""
    with make(mode=mode) as node:
        story = Story(node)
        story.fire("web-01")
        wait_until(lambda: receiver.starts() == 1, "the start")
        began = time.monotonic()
        assert node.stop() == 0
        assert time.monotonic() - began <= DRAIN_SECONDS
        assert node.ask(HELD) == []
        assert node.has(SENT)
        node.start()
        story.wait()
    assert story.ends() == {"web-01": "fixed"}
    assert receiver.starts() == 1
    assert story.faults() == []


@pytest.mark.parametrize("way", ["switch", "file"])
def test_the_kill_switch_ends_what_runs_and_starts_nothing(
    make: Any, receiver: Receiver, way: str
) -> None:
    """A job that runs is aborted where it runs; no other one starts."""
    with make(mode="endless") as node:
        story = Story(node)
        story.fire("web-01")
        wait_until(lambda: node.has(RUNS), "a job that runs")
        began = time.monotonic()
        halt(node, way, is_halted=True)
        wait_until(lambda: receiver.noted("abort") > 0, "the abort", 10)
        seconds = time.monotonic() - began
        print(f"aborted in {seconds:.2f} s")  # noqa: T201 (pytest shows it)
        story.fire("web-02")
        story.wait()
        assert receiver.starts() == 1
        assert [state for state, _ in node.ask(STATE)] == ["aborted"]
        assert set(story.ends().values()) == {"escalated"}
        halt(node, way, is_halted=False)
        story.fire("web-03")
        wait_until(lambda: receiver.starts() == 2, "a start again")


@contextmanager
def written_by_another(node: ActingService, _wire: Wire) -> Iterator[None]:
    """Hold the database, so that nothing can be written into it."""
    with closing(sqlite3.connect(node.database, isolation_level=None)) as one:
        one.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def away(_node: ActingService, wire: Wire) -> Iterator[None]:
    """Hang up on whoever speaks with the database."""
    wire.cut()
    yield
    wire.mend()


@contextmanager
def silent(_node: ActingService, wire: Wire) -> Iterator[None]:
    """Let the database say nothing any more."""
    wire.silence()
    yield
    wire.mend()


@pytest.mark.parametrize(
    ("trouble", "is_far"),
    [(written_by_another, False), (away, True), (silent, True)],
)
def test_the_file_ends_what_runs_though_the_database_is_away(
    make: Any,
    receiver: Receiver,
    postgres: Postgres,
    trouble: Any,
    *,
    is_far: bool,
) -> None:
    """Nothing can be written down; what runs is told to end all the same."""
    url = postgres.make_database(f"edge_{random.getrandbits(48):x}")
    with Wire(postgres.port) as wire:
        through = url.replace(str(postgres.port), str(wire.port))
        far = {"url": url, "through": through}
        with make(mode="endless", **(far if is_far else {})) as node:
            story = Story(node)
            story.fire("web-01")
            wait_until(lambda: node.has(RUNS), "a job that runs")
            with trouble(node, wire):
                # Whoever looks at the database has asked it by now.
                time.sleep(SILENT_SECONDS)
                began = time.monotonic()
                halt(node, "file", is_halted=True)
                wait_until(
                    lambda: receiver.noted("abort") > 0, "the abort", 10
                )
                seconds = time.monotonic() - began
                print(f"aborted in {seconds:.2f} s")  # noqa: T201 (shown)
            story.wait()
            assert [state for state, _ in node.ask(STATE)] == ["aborted"]
            assert receiver.starts() == 1


def test_a_budget_is_spent_whatever_dies(
    make: Any, receiver: Receiver
) -> None:
    """One run an hour: killed while it runs, and after it, it is one."""
    made = make(mode="later")
    policy = yaml.safe_load(made.policy.read_text())
    policy["budgets"] = [{"name": "one", "runs": 1, "window": "1h"}]
    made.policy.write_text(yaml.safe_dump(policy))
    with made as node:
        story = Story(node)
        story.fire("web-01")
        wait_until(lambda: receiver.starts() == 1, "the start")
        for host in ("web-02", "web-03"):
            node.kill()
            node.start()
            story.fire(host)
            story.wait()
        assert story.ends() == {
            "web-01": "fixed",
            "web-02": "escalated",
            "web-03": "escalated",
        }
        assert receiver.starts() == 1
        assert all("one:" in why for why in story.reasons())
        assert story.faults() == []


def halt(node: ActingService, way: str, *, is_halted: bool) -> None:
    """Set the kill switch by the API, or as a file."""
    if way == "switch":
        body = HALTED if is_halted else RESUMED
        answer = httpx.put(f"{node.url}/api/v1/halt", json=body, timeout=30)
        answer.raise_for_status()
    elif is_halted:
        node.halt_file.touch()
    else:
        node.halt_file.unlink()


def test_many_clicks_grant_once(make: Any, receiver: Receiver) -> None:
    """Of twenty people who grant at once one is first; it starts once."""
    with make(trust="approve") as node:
        story = Story(node)
        story.fire("web-01")
        wait_until(lambda: node.has(ASKED), "the question")
        ((number,),) = node.ask(ASKED)
        url = f"{node.url}/api/v1/approvals/{number}/grant"

        def click(name: int) -> httpx.Response:
            """Grant it as one of many."""
            body = {"author": f"person-{name}", "comment": "yes"}
            return httpx.post(url, json=body, timeout=60)

        with ThreadPoolExecutor(CLICKS) as pool:
            answers = list(pool.map(click, range(CLICKS)))
        statuses = sorted(one.status_code for one in answers)
        assert statuses == [200] + [409] * (CLICKS - 1)
        told = {a.json()["reason"] for a in answers if a.status_code == 409}
        assert "" not in told
        story.wait()
        granted = node.ask(
            "SELECT count(*) FROM entry WHERE kind = 'approval.granted'"
        )
        assert granted == [(1,)]
    assert story.ends() == {"web-01": "fixed"}
    assert receiver.starts() == 1
    assert story.faults() == []
