"""Fuzz the parsers, the door of a running service, and every route.

    python -m scripts.fuzz                      a minute of all
    python -m scripts.fuzz --minutes 60 --seed 7
    python -m scripts.fuzz --only parsers --only door
    python -m scripts.fuzz --replay FILE        one case again

Each part prints how many cases it tried and what went wrong: answers of 500
and more, parsers that raise, hangs, growth, and what was acknowledged and is
lost. A case that fails is kept in a file (--out, or var/fuzz). The status is
0 when nothing went wrong, else 1. PostgreSQL is left out, with a word, where
its programs are not installed.
"""

import argparse
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from scripts.fuzz import door, pages, parsers
from scripts.fuzz.cases import LOST, Case, Score
from scripts.fuzz.seeds import HOME
from tests.chaos.tally import Tally, write
from tests.nest import Nest
from tests.programs import find
from tests.service import Service

PARTS = ("parsers", "door", "pages")
REPLAYS: dict[str, Callable[[Case], str]] = {
    "parsers": parsers.replay,
    "door": door.replay,
    "pages": pages.replay,
}


class Leg(NamedTuple):
    """One part on one database, and its share of the time."""

    part: str
    database: str
    share: float


def legs(wanted: list[str]) -> list[Leg]:
    """Return what is to be done, as far as it can be done here."""
    databases = ["sqlite"]
    if find("initdb"):
        databases.append("postgres")
    else:
        print("PostgreSQL is not here, so it is left out: install postgresql")
    every = [Leg("parsers", "", 1.0)]
    every += [Leg("door", one, 1.0 / len(databases)) for one in databases]
    every += [Leg("pages", one, 2.0 / len(databases)) for one in databases]
    return [leg for leg in every if leg.part in wanted]


def play(leg: Leg, seconds: float, seed: int, folder: Path) -> Score:
    """Do one part."""
    if leg.part == "parsers":
        return parsers.fuzz_parsers(seconds, seed, folder)
    if leg.part == "door":
        return door.fuzz_door(seconds, seed, folder, leg.database)
    return pages.fuzz_pages(seconds, seed, folder, leg.database)


def scores(
    wanted: list[str], minutes: float, seed: int, folder: Path
) -> Iterator[Score]:
    """Do all parts, each for its share of the time."""
    todo = legs(wanted)
    whole = sum(leg.share for leg in todo)
    for leg in todo:
        seconds = minutes * 60 * leg.share / whole
        yield play(leg, seconds, seed, folder)


def note(score: Score) -> None:
    """Write a score down where whoever soaks looks for it."""
    lost = score.wrong[LOST]
    write(
        Tally(
            f"fuzzing of {score.name}",
            score.cases,
            lost=lost,
            unexplained=score.wrong.total() - lost,
            at=time.time(),
        )
    )


def _end(sign: int, _: FrameType | None) -> None:
    """Leave neither service nor files behind when somebody ends it."""
    sys.exit(128 + sign)


def main() -> int:
    """Fuzz, or play a case again."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--out", type=Path, default=HOME / "var" / "fuzz")
    parser.add_argument("--replay", type=Path)
    asked = parser.parse_args()
    if asked.replay:
        case = Case.load(asked.replay)
        wrong = REPLAYS[case.part](case)
        print(wrong or "Nothing went wrong this time.")
        return 1 if wrong else 0
    seed = random.SystemRandom().randrange(2**32)
    seed = seed if asked.seed is None else asked.seed
    print(f"seed {seed}", flush=True)
    signal.signal(signal.SIGTERM, _end)
    wanted = asked.only or list(PARTS)
    is_good = True
    with Nest() as nest:
        # All services are forked off one that has imported everything.
        Service.nest = nest
        for score in scores(wanted, asked.minutes, seed, asked.out):
            print(score, flush=True)
            note(score)
            is_good = is_good and score.is_good
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
