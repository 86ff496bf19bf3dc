"""F21: a node is lost while a brain decides for it; another one decides."""

import random
import signal
import time
from pathlib import Path

import pytest

from tests.chaos.acting import ActingService, Story
from tests.chaos.load import wait_until
from tests.postgres import Postgres
from tests.receiver import Receiver

pytestmark = [pytest.mark.chaos, pytest.mark.real]
# What the issue promises, and longer than a node looks for its death.
TAKEN_OVER_SECONDS, THINKING_SECONDS = 15.0, 3.0
LATE = "decide.not_kept"
DECIDED = "SELECT count(*) FROM decision WHERE is_shadow = 0"


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_nodes_decision_is_made_by_another_one(
    receiver: Receiver,
    tmp_path: Path,
    postgres: Postgres,
    sign: signal.Signals,
) -> None:
    """Struck in the brain's call: asked once more, and decided once."""
    url = postgres.make_database(f"thinking_{random.getrandbits(48):x}")
    nodes = [
        ActingService(receiver, tmp_path / name, url=url)
        for name in ("one", "two")
    ]
    for node in nodes:
        node.slow_down(THINKING_SECONDS)
    with nodes[0], nodes[1]:
        story = Story(*nodes)
        story.fire("web-01")
        wait_until(lambda: any(node.calls() for node in nodes), "a call", 60)
        lost, other = sorted(nodes, key=lambda node: not node.calls())
        lost.signal(sign)
        began = time.monotonic()
        assert not other.calls()
        assert other.ask(DECIDED) == [(0,)]
        wait_until(
            lambda: bool(other.calls()),
            "another one to decide",
            TAKEN_OVER_SECONDS,
        )
        seconds = time.monotonic() - began
        print(f"taken over in {seconds:.1f} s")  # noqa: T201 (pytest shows it)
        story.wait()
        if sign == signal.SIGSTOP:
            lost.signal(signal.SIGCONT)
            wait_until(lost.is_ready, "the frozen node to be back")
            wait_until(lambda: LATE in lost.log.read_text(), "its late answer")
        assert lost.goes_on == (sign == signal.SIGSTOP)
        assert other.ask(DECIDED) == [(1,)]
        assert [sum(node.calls().values()) for node in nodes] == [1, 1]
    assert story.ends() == {"web-01": "fixed"}
    assert receiver.starts() == 1
    assert story.faults() == []
