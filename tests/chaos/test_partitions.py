"""F8, F21: two nodes on one PostgreSQL; one is killed, frozen or cut off.

Each node has a wire of its own to the database. Whatever happens to one of
them, the other one works on; when it is back, every alert has come to an
end, and nothing was started twice.
"""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos.acting import ActingService, Story
from tests.chaos.load import wait_until
from tests.chaos.tally import settle
from tests.chaos.wire import Wire
from tests.postgres import Postgres
from tests.receiver import Receiver

pytestmark = [pytest.mark.chaos, pytest.mark.real, pytest.mark.long]
LEASE = 2
# So long it lasts: whoever is away for it has lost what it had.
SECONDS = 2.0 * LEASE
KINDS = ("silence", "freeze", "cut", "kill", "cut_both")
# The first three, or as many more as somebody soaks.
ROUNDS = 3
# Not even a soak has more incidents than it looks at in this time.
PATIENCE = 240.0
FAST = {"limits": {"waiting_seconds": 2}}


class Crew:
    """Two nodes, each behind its own wire, and their incidents."""

    def __init__(
        self, nodes: list[ActingService], wires: list[Wire], seed: int
    ) -> None:
        self.nodes = nodes
        self.story = Story(*nodes)
        self._wires = wires
        self._chance = random.Random(seed)
        self._count = 0

    def meet(self, kind: str) -> None:
        """Let something happen to a node while alerts come in."""
        place = self._chance.randrange(len(self.nodes))
        self._fire()
        time.sleep(self._chance.uniform(0, 0.8))
        mend = self._hurt(kind, place)
        until = time.monotonic() + SECONDS
        self._fire()
        while time.monotonic() < until:
            self.story.is_over()
            time.sleep(0.1)
        mend()
        wait_until(
            lambda: all(node.is_ready() for node in self.nodes),
            f"two nodes that are ready after {kind}",
            60,
        )

    def end(self) -> list[str]:
        """Let all come to its end; return all that must not be."""
        unended = []
        try:
            self.story.wait(PATIENCE)
        except AssertionError as error:
            unended.append(str(error))
        statuses = [node.stop() for node in self.nodes]
        return [
            *unended,
            *self.story.alert_faults(),
            *self.story.faults(),
            *(f"ended with {status}" for status in statuses if status),
        ]

    def _fire(self) -> None:
        """Let something be wrong with two more hosts."""
        for _ in range(2):
            self._count += 1
            self.story.fire(f"web-{self._count:05}")

    def _hurt(self, kind: str, place: int) -> Callable[[], object]:
        """Do something to a node; return what mends it."""
        node, wire = self.nodes[place], self._wires[place]
        if kind == "kill":
            node.kill()
            return node.start
        if kind == "freeze":
            node.signal(signal.SIGSTOP)
            return lambda: node.signal(signal.SIGCONT)
        wires = self._wires if kind == "cut_both" else [wire]
        for one in wires:
            if kind == "silence":
                one.silence()
            else:
                one.cut()

        def mend() -> None:
            """Let all pass again."""
            for one in wires:
                one.mend()

        return mend


@pytest.fixture
def wires(postgres: Postgres) -> Iterator[list[Wire]]:
    """Return a wire for each node."""
    with Wire(postgres.port) as one, Wire(postgres.port) as two:
        yield [one, two]


@contextmanager
def running(nodes: list[ActingService]) -> Iterator[None]:
    """Run both nodes; leave none of them behind."""
    with nodes[0], nodes[1]:
        yield


def test_two_nodes_that_are_killed_frozen_and_parted(
    receiver: Receiver,
    tmp_path: Path,
    postgres: Postgres,
    wires: list[Wire],
    scale: int,
) -> None:
    """Lost 0, doubled 0; each alert comes to an end once all is mended."""
    seed = random.randrange(2**32)
    print(f"the seed of these faults is {seed}")  # noqa: T201 (shown)
    url = postgres.make_database(f"parted_{random.getrandbits(48):x}")
    nodes = [
        ActingService(
            receiver,
            tmp_path / f"node-{number}",
            url=url,
            through=url.replace(str(postgres.port), str(wire.port)),
            mode="later-1",
            act={"lease_seconds": LEASE},
            more={"server": FAST},
        )
        for number, wire in enumerate(wires)
    ]
    crew = Crew(nodes, wires, seed)
    rounds = ROUNDS * scale
    with running(nodes):
        for number in range(rounds):
            crew.meet(KINDS[number % len(KINDS)])
        faults = crew.end()
    ends = Counter(crew.story.ends().values())
    told = (receiver.starts(), dict(ends), dict(crew.story.reasons()))
    print("starts, ends, why escalated:", *told)  # noqa: T201 (shown)
    assert receiver.starts() > 0
    settle("faults of two nodes", rounds, faults)
