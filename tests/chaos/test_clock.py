"""F17: the clock of a machine is set on and back at any moment.

tests/chaos/test_clock_jumps.py says what a jump does to one question; here
nobody chooses the moment, and several incidents are under way at once.
"""

import random
import time
from pathlib import Path

import pytest

from tests.chaos.acting import ActingService, Story
from tests.chaos.tally import settle
from tests.chaos.test_clock_jumps import Wall
from tests.receiver import Receiver

pytestmark = [pytest.mark.chaos, pytest.mark.long]
# A receiver takes no message that is older than five minutes.
JUMP = 200
JUMPS = 6
PATIENCE = 120.0


def test_nothing_is_done_twice_while_the_clock_jumps(
    receiver: Receiver,
    tmp_path: Path,
    scale: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On and back at random: each alert once, an end each, one start."""
    # It cannot be forked: on a busy machine it takes its time.
    monkeypatch.setattr("tests.service.START_SECONDS", 240.0)
    node = ActingService(receiver, tmp_path / "node", mode="later-0.5")
    wall = Wall(tmp_path, node)
    chance = random.Random()
    with node:
        story = Story(node)
        for number in range(JUMPS * scale):
            story.fire(f"web-{number}")
            until = time.monotonic() + chance.uniform(0.2, 1.0)
            while time.monotonic() < until:
                story.help_on()
                time.sleep(0.05)
            wall.show(chance.choice((-JUMP, 0, JUMP)))
        # Ahead of all that was ever shown, so that nothing waits for it.
        wall.show(JUMP)
        story.wait(PATIENCE)
        assert node.stop() == 0
    told = (receiver.starts(), dict(story.reasons()))
    print("starts, why escalated:", *told)  # noqa: T201 (shown)
    faults = [*story.alert_faults(), *story.faults()]
    settle("jumps of the clock", JUMPS * scale, faults)
