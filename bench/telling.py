"""What telling people costs: routes, letters, a turn, and Apprise.

    python -m bench.telling

A message becomes dispatches to three channels, one of which is paged later;
a dispatch becomes a letter. Then lines of the log are told and sent on a
SQLite file of its own, to a channel that takes every letter at once. Last a
bare Python imports Apprise, as a channel of that kind does.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from app.models.message import Kind
from app.report.composing import Composer
from app.report.routing import Standing, plan
from app.report.templates import Templates
from app.store.location import locate
from app.store.migrate import migrate
from tests.unit.engine.postroom import Box, PostRoom
from tests.unit.report.making import NOW, dispatch, message, settings

CHANNELS = ("chat", "mail", "pager")
LEVELS = [
    {"channels": ["chat", "mail"]},
    {"channels": ["pager"], "after_seconds": 900},
]
# Not one of them is put off into a digest.
MANY = {"digest": {"most": 10_000}}
IMPORT = """
import time
def resident():
    with open("/proc/self/status") as file:
        lines = [one.split() for one in file if one.startswith("VmRSS:")]
    return int(lines[0][1]) / 1024
before = resident()
import apprise
print(time.process_time(), resident() - before)
"""


class Told(msgspec.Struct, frozen=True):
    """What telling costs.

    Attributes:
        route_us: CPU from a message to its dispatches.
        letter_us: CPU from a dispatch to its letter.
        turn_ms: CPU to tell and send what a turn of the log asks for.
    """

    route_us: float
    letter_us: float
    turn_ms: float


def each_us(call: Callable[[], object], often: int) -> float:
    """Return the CPU microseconds of one call, of so many."""
    call()
    began = time.process_time()
    for _ in range(often):
        call()
    return (time.process_time() - began) / often * 1e6


async def tell(folder: Path, messages: int, rounds: int) -> float:
    """Return the CPU ms until so many messages are sent; the least of some."""
    place = locate(f"sqlite:///{folder}/post.db", folder)
    migrate(place)
    box = Box()
    took = []
    async with PostRoom(place, {"ops": box}, folder, **MANY) as room:
        for number in range(rounds):
            first = number * messages + 1
            began, had = time.process_time(), len(box.letters)
            some = range(first, first + messages)
            await room.note("incident.escalated", *some)
            await room.wait_for(lambda: len(box.letters) >= had + messages)  # noqa: B023  # it is waited for at once
            took.append((time.process_time() - began) * 1_000)
    return min(took)


def measure(often: int, messages: int, rounds: int) -> Told:
    """Measure all of it."""
    report = settings(routes=[{"levels": LEVELS}])
    what = message(Kind.ESCALATED)
    composer = Composer(report, Templates())
    with tempfile.TemporaryDirectory(prefix="smokejumper-tell-") as name:
        turn = asyncio.run(tell(Path(name), messages, rounds))
    return Told(
        each_us(lambda: plan(report, CHANNELS, what, NOW, Standing()), often),
        each_us(lambda: composer.letter(dispatch(), what), often),
        turn,
    )


def import_apprise() -> tuple[float, float]:
    """Return the CPU seconds and the MB that a bare Python needs for it."""
    words = [sys.executable, "-c", IMPORT]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, done.stdout.split())
    return seconds, megabytes


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--often", type=int, default=2_000)
    parser.add_argument("--messages", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    found = measure(asked.often, asked.messages, asked.rounds)
    print(f"dispatches of a message {found.route_us:.0f} us")
    print(f"a letter {found.letter_us:.0f} us")
    print(f"{asked.messages} messages of a turn {found.turn_ms:.0f} ms")
    took, memory = import_apprise()
    print(f"Apprise: {took:.2f} s, {memory:.0f} MB")
