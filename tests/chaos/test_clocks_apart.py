"""F17, F21: two nodes on one PostgreSQL whose clocks are minutes apart."""

import random
import signal
from pathlib import Path

import pytest

from tests.chaos.acting import ActingService, Story
from tests.chaos.load import wait_until
from tests.chaos.test_clock_jumps import Wall
from tests.postgres import Postgres
from tests.receiver import Receiver

pytestmark = [pytest.mark.chaos, pytest.mark.real]
# More than a lease, more than a job may take; a seal still counts.
APART = 120
HOSTS = 8
# So often what waits for a clock is looked for, and a few looks more.
TAKEN_OVER_SECONDS = 60.0


@pytest.fixture
def nodes(
    receiver: Receiver,
    tmp_path: Path,
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
) -> list[ActingService]:
    """Return two nodes, with the lease as it is shipped."""
    # They cannot be forked: on a busy machine that takes its time.
    monkeypatch.setattr("tests.service.START_SECONDS", 240.0)
    url = postgres.make_database(f"apart_{random.getrandbits(48):x}")
    return [
        ActingService(
            receiver,
            tmp_path / name,
            url=url,
            mode="later-2",
            act={"lease_seconds": 9, "poll_seconds": 0.2},
        )
        for name in ("one", "two")
    ]


@pytest.mark.parametrize("wrong", [APART, -APART], ids=["ahead", "behind"])
def test_two_nodes_whose_clocks_are_apart(
    nodes: list[ActingService], receiver: Receiver, tmp_path: Path, wrong: int
) -> None:
    """They take from each other what they have; each job starts once."""
    Wall(tmp_path, nodes[1]).show(wrong)
    story = Story(*nodes)
    with nodes[0], nodes[1]:
        for number in range(HOSTS):
            story.fire(f"web-{number}")
        story.wait(180)
        assert [node.stop() for node in nodes] == [0, 0]
    assert receiver.starts() > 0
    assert story.alert_faults() == []
    assert story.faults() == []


def test_what_a_node_that_was_ahead_had_is_taken_over(
    nodes: list[ActingService], receiver: Receiver, tmp_path: Path
) -> None:
    """It is dead; nobody waits until the clock is where its own one was."""
    right, wrong = nodes
    Wall(tmp_path, wrong).show(2 * APART)
    wrong.crash_at("backend.watch 1 before", signal.SIGKILL)
    story = Story(right)
    with wrong:
        story.hosts.add("web-1")
        Story(wrong).fire("web-1")
        wait_until(lambda: wrong.has_ended, "its death", 60)
    with right:
        story.wait(TAKEN_OVER_SECONDS)
        assert right.stop() == 0
    assert story.ends() == {"web-1": "fixed"}
    assert receiver.starts() == 1
    assert story.faults() == []
