"""F2, F26: ended at any moment while it acts, with kill -9 or politely.

tests/chaos/test_acting_kill.py kills at each point there is; here nobody
chooses the moment, and several incidents are under way at once.
"""

import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.acting import ActingService, Story
from tests.chaos.tally import settle
from tests.receiver import Receiver

pytestmark = pytest.mark.chaos
KILLS, TERMS = 5, 2
HOSTS = 2
LONGEST = 1.5
PATIENCE = 240.0


def end_at_random(story: Story, node: ActingService, sign: int) -> list[str]:
    """Let some incidents begin, and end the service in the middle."""
    node.start()
    number = len(story.hosts)
    for host in range(number, number + HOSTS):
        story.fire(f"web-{host:05}")
    until = time.monotonic() + random.uniform(0, LONGEST)
    while time.monotonic() < until:
        story.help_on()
        time.sleep(0.05)
    if sign == signal.SIGKILL:
        node.kill()
        return []
    status = node.stop()
    return [f"it ended with {status} on SIGTERM"] if status else []


@pytest.mark.parametrize(
    ("sign", "what", "times"),
    [
        (signal.SIGKILL, "kill -9 of the pipeline", KILLS),
        pytest.param(
            signal.SIGTERM,
            "SIGTERM of the pipeline",
            TERMS,
            marks=pytest.mark.long,
        ),
    ],
    ids=["kill", "term"],
)
def test_nothing_is_done_twice_whenever_it_ends(
    receiver: Receiver,
    tmp_path: Path,
    scale: int,
    *,
    sign: int,
    what: str,
    times: int,
) -> None:
    """Each alert is there once, comes to an end, and starts one job."""
    # Long enough that a machine that is busy sends what it has written down.
    act = {"lease_seconds": 6}
    folder = tmp_path / "node"
    node = ActingService(receiver, folder, mode="later-0.5", act=act)
    story = Story(node)
    faults = []
    # Whatever fails, nothing is left running.
    try:
        for _ in range(times * scale):
            faults += end_at_random(story, node, sign)
        node.start()
        try:
            story.wait(PATIENCE)
        except AssertionError as error:
            faults.append(str(error))
        node.stop()
    finally:
        node.kill()
    ends = Counter(story.ends().values())
    told = (receiver.starts(), dict(ends), dict(story.reasons()))
    print("starts, ends, why escalated:", *told)  # noqa: T201 (shown)
    assert receiver.starts() > 0
    faults += [*story.alert_faults(), *story.faults()]
    settle(what, times * scale, faults)
