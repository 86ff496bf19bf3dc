"""F24: one cause makes hundreds of hosts fail at once, in a real service."""

from pathlib import Path

import pytest
import yaml

from tests.chaos.acting import ASKED, GOING, ActingService, Story
from tests.chaos.load import wait_until
from tests.flow.deciding import firing
from tests.receiver import Receiver

pytestmark = pytest.mark.chaos
HOSTS = 500
BATCH = 50
TARGETS = 3
SIBLINGS = 20
ASKED_EVER = "SELECT id FROM approval"
MISSIONS = "SELECT id FROM mission"


def test_hundreds_of_one_cause_are_asked_about_once(
    receiver: Receiver, tmp_path: Path
) -> None:
    """Few are touched before it is known; then there is one question."""
    node = ActingService(receiver, tmp_path / "node")
    policy = yaml.safe_load(node.policy.read_text())
    policy["blast"] = {"targets": TARGETS, "siblings": SIBLINGS}
    node.policy.write_text(yaml.safe_dump(policy))
    hosts = [f"web-{number:05}" for number in range(HOSTS)]
    with node:
        for first in range(0, HOSTS, BATCH):
            assert node.deliver(*map(firing, hosts[first : first + BATCH]))

        def is_settled() -> bool:
            """Tell whether all is over but what people are asked about."""
            all_there = len(node.ask(MISSIONS)) == HOSTS
            return all_there and len(node.ask(GOING)) <= len(node.ask(ASKED))

        wait_until(is_settled, "an end of all but the question", 240)
        assert receiver.starts() <= TARGETS
        assert len(node.ask(ASKED)) == len(node.ask(ASKED_EVER)) == 1
        story = Story(node)
        ends = story.ends()
        assert len(ends) == HOSTS - 1
        handed = [host for host, end in ends.items() if end == "escalated"]
        assert len(handed) >= HOSTS - 1 - TARGETS
        told = [why for why in story.reasons() if "have this problem" in why]
        assert told

        def is_over() -> bool:
            """Grant what is asked; tell whether it has come to its end."""
            story.help_on()
            return not node.has(GOING)

        wait_until(is_over, "the end of what was asked about", 60)
        assert receiver.starts() <= TARGETS + 1
        assert story.faults() == []
