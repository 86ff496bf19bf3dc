"""F8: killed at every stage of a whole incident, and nothing runs twice.

One run without a crash says which points there are: before and after each
commit, before and after each call to the backend. Then the service is killed
at each of them. Started anew it ends what it finds, and goes on to the next.
"""

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.acting import SECRET, ActingService, Story
from tests.chaos.load import wait_until
from tests.receiver import Receiver

pytestmark = pytest.mark.chaos
# What others do besides is killed by other tests.
ASIDE = ("Cleaner", "expire", "Lending")
# What is only passed after a crash at a point.
THEN = {
    "Starting.start 1 after": "Jobs.end 1",
    "backend.start 1 after": "backend.find 1",
}
STAGES = {
    *("keep", "claim_due", "Rulings.rule", "Starting.claim"),
    *("Starting.start", "backend.start", "Jobs.note", "backend.watch"),
    "Measuring.take",
}
# Where it is written down that a job starts, and where it does start.
AROUND_A_START = (
    "Starting.start 1 before",
    "Starting.start 1 after",
    "backend.start 1 before",
    "backend.start 1 after",
    "backend.find 1 after",
)


class Victim:
    """A service that is killed, its receiver, and its incidents."""

    def __init__(self, folder: Path, **more: Any) -> None:
        folder.mkdir()
        self.receiver = Receiver(folder, secret=SECRET)
        self.node = ActingService(self.receiver, folder, **more)
        self.story = Story(self.node)

    def find_points(self) -> list[str]:
        """Return the points of one incident that nothing happens to."""
        self.node.crash_at("")
        with self.receiver, self.node:
            self.story.fire("calm")
            self.story.wait()
            self.node.stop()
        points = []
        for point in dict.fromkeys(self.node.passed()):
            name, number, _ = point.split()
            if int(number) > 2 or name.startswith(ASIDE):
                continue
            points.append(point)
            if point in THEN:
                points += [f"{THEN[point]} before", f"{THEN[point]} after"]
        return points

    def crash_at_all(self, points: Sequence[str]) -> list[str]:
        """Be killed at each point; return what is wrong afterwards."""
        with self.receiver:
            for point in points:
                self._crash_at(point)
            self.node.crash_at("")
            with self.node:
                self.story.wait()
                assert self.node.stop() == 0
        return self.story.faults()

    def _crash_at(self, point: str) -> None:
        """Work until the kill at a point."""
        numbers = itertools.count()
        mark = point.replace(" ", "-").replace("_", "-").replace(".", "-")

        def has_crashed() -> bool:
            """Tell whether it is dead; give it more when it has nothing."""
            if self.node.has_ended:
                return True
            if self.story.is_over():
                self.story.fire(f"{mark.lower()}-{next(numbers)}")
            return False

        self.node.crash_at(point)
        self.node.launch()
        wait_until(has_crashed, f"the crash at {point}", 90)
        assert self.node.stop() == -9


def test_killed_around_a_start(tmp_path: Path) -> None:
    """A receiver that cannot look up keys: nothing is sent by guess."""
    victim = Victim(tmp_path / "one", endpoint={"find_url": ""})
    assert victim.crash_at_all(AROUND_A_START) == []
    assert victim.receiver.starts() > 0


@pytest.mark.long
def test_killed_at_every_stage(tmp_path: Path) -> None:
    """At all points there are, also with people who are asked."""
    auto = Victim(tmp_path / "auto")
    asks = Victim(tmp_path / "asks", trust="approve")
    with ThreadPoolExecutor(2) as pool:
        found, more = pool.map(Victim.find_points, (auto, asks))
        assert {name.partition(" ")[0] for name in found} >= STAGES
        mine = [point for point in more if point not in found]
        assert {"in_time.done 1 before", "in_time.done 1 after"} <= set(mine)
        # What both have is shared between them.
        half = (len(found) + len(mine)) // 2
        # What is only passed after a crash stays with that crash.
        while found[half].rpartition(" ")[0] in THEN.values():
            half += 1
        shares = (found[:half], [*mine, *found[half:]])
        faults = pool.map(Victim.crash_at_all, (auto, asks), shares)
        assert list(faults) == [[], []]
    print(f"killed at {len(found) + len(mine)} points")  # noqa: T201 (shown)
