"""F17: the clock of a real process jumps an hour, on and back.

A small library stands between the process and the clock on the wall, and
adds what a file says; the clock that never jumps is left alone.
"""

import sys
from pathlib import Path

import httpx
import pytest

from tests.chaos.acting import ASKED, ActingService, Story
from tests.chaos.load import wait_until
from tests.chaos.shim import compile_shim
from tests.receiver import Receiver

pytestmark = pytest.mark.chaos
SOURCE = Path(__file__).with_name("wall.c")
ON, BACK, FAR_BACK, RIGHT = 3_600, -3_600, -7_200, 0
EXPIRED = "SELECT id FROM approval WHERE state = 'expired'"
STATES = "SELECT state FROM approval WHERE id = {}"
LAST_RULE = "SELECT rule FROM ruling ORDER BY id DESC LIMIT 1"
GRANTED = "SELECT id FROM entry WHERE kind = 'approval.granted'"


class Wall:
    """The clock on the wall of one process."""

    def __init__(self, folder: Path, node: ActingService) -> None:
        """Put it up before the process starts."""
        library = folder / "wall.so"
        compile_shim(SOURCE, library)
        self._file = folder / "wrong"
        self._file.write_bytes(bytes(8))
        node._environ |= {
            "LD_PRELOAD": str(library),
            "WALL_FILE": str(self._file),
        }

    def show(self, seconds: int) -> None:
        """Let it be wrong by so much, from now on."""
        with self._file.open("r+b") as file:
            file.write(seconds.to_bytes(8, sys.byteorder, signed=True))


def grant(node: ActingService, number: int) -> int:
    """Grant a question; return the status of the answer."""
    url = f"{node.url}/api/v1/approvals/{number}/grant"
    body = {"author": "ana", "comment": "yes"}
    return httpx.post(url, json=body, timeout=30).status_code


def ask_about(node: ActingService, story: Story, host: str) -> int:
    """Let something be wrong with a host; return the question about it."""
    story.fire(host)
    wait_until(lambda: node.has(ASKED), "the question")
    ((number,),) = node.ask(ASKED)
    return int(number)


def test_no_jump_of_the_clock_revives_a_question(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What expired or was seen long ago starts nothing; the rest goes on."""
    # It cannot be forked: on a busy machine it takes its time.
    monkeypatch.setattr("tests.service.START_SECONDS", 240.0)
    node = ActingService(
        receiver, tmp_path / "node", trust="approve", mode="later-2"
    )
    wall = Wall(tmp_path, node)
    with node:
        story = Story(node)
        number = ask_about(node, story, "web-01")
        wall.show(ON)
        wait_until(lambda: node.has(EXPIRED), "its end")
        assert grant(node, number) == 409
        for wrong in (RIGHT, BACK):
            wall.show(wrong)
            assert grant(node, number) == 409
        assert node.ask(STATES.format(number)) == [("expired",)]
        # What two hours ahead was seen is no younger than two hours.
        wall.show(RIGHT)
        number = ask_about(node, story, "web-02")
        wall.show(FAR_BACK)
        assert grant(node, number) == 200
        wait_until(lambda: "web-02" in story.ends(), "its end")
        assert node.ask(LAST_RULE) == [("stale-evidence",)]
        assert receiver.starts() == 0
        # Set right, it works as on any other day; what runs, runs once.
        wall.show(RIGHT)
        assert grant(node, ask_about(node, story, "web-03")) == 200
        wait_until(lambda: receiver.starts() == 1, "the start")
        wall.show(ON)
        story.wait()
        assert node.stop() == 0
    ends = story.ends()
    assert ends["web-01"] == ends["web-02"] == "escalated"
    assert ends["web-03"] in ("fixed", "escalated")
    assert receiver.starts() == 1
    assert len(node.ask(GRANTED)) == 2
    assert story.faults() == []
