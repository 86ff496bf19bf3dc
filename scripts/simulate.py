"""Play histories of the simulation: thousands of seeds, or one again.

    python -m scripts.simulate --seeds 5000 --from 0
    python -m scripts.simulate --seed 4711         # with its whole trace
    python -m scripts.simulate --plots             # every crash of each plot

What the seed says happens is the same on every machine and in every run.
"""

import argparse
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from multiprocessing import get_context
from typing import NamedTuple
from unittest.mock import patch

import structlog

from tests.chaos.tally import Tally, write
from tests.simulation import history, plots, vault
from tests.simulation.sim import Simulation, Violation

SHOWN = 40


def quiet() -> None:
    """Say nothing of what the engine itself logs."""
    level = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=level)


class Played(NamedTuple):
    """What came of one history.

    Attributes:
        seed: which one.
        events: how much happened.
        starts: how many jobs were started.
        held: how often which limit held something back.
        broken: what broke a law, or empty.
    """

    seed: int
    events: int = 0
    starts: int = 0
    held: Mapping[str, int] = {}
    broken: str = ""


def play(seed: int) -> Played:
    """Play one history."""
    quiet()
    try:
        sim = history.play(seed)
    except Violation as broken:
        return Played(seed, broken=str(broken))
    starts = sim.stage.audit.count_starts()
    return Played(seed, sim.events, starts, sim.held)


def play_many(first: int, seeds: int, processes: int) -> int:
    """Play many histories; return how many broke a law."""
    began = time.monotonic()
    played = events = starts = 0
    held: Counter[str] = Counter()
    broken: list[str] = []
    todo = range(first, first + seeds)
    usual = vault.FAST if vault.FAST.is_dir() else None
    try:
        with (
            tempfile.TemporaryDirectory(prefix="simulate-", dir=usual) as home,
            patch.dict(os.environ, {vault.FOLDER: home}),
            get_context("spawn").Pool(processes) as pool,
        ):
            for one in pool.imap(play, todo, 8):
                played += 1
                events += one.events
                starts += one.starts
                # In how many histories, not how often: a few hold much back.
                held.update(list(one.held))
                if one.broken:
                    text = one.broken.splitlines()[0]
                    broken.append(text)
                    print(f"seed {one.seed}: {text}", flush=True)
                    print(f"    python -m scripts.simulate --seed {one.seed}")
    finally:
        # Who ends it early learns what was played by then, too.
        seconds = time.monotonic() - began
        print(
            f"{played} histories, {events} events, {starts} starts,"
            f" {len(broken)} broken, {seconds:.0f} s"
        )
        print(f"held back by {say(held) or 'nothing'}")
        write(Tally.of("histories", played, broken))
    return len(broken)


def say(held: Mapping[str, int]) -> str:
    """Return in how many histories which limit held something back."""
    return ", ".join(f"{name} in {n}" for name, n in sorted(held.items()))


def play_one(seed: int) -> int:
    """Play one history and show all of it; return whether it broke a law."""
    try:
        sim: Simulation = history.play(seed)
    except Violation as broken:
        print(broken)
        print(f"seed {seed}: {str(broken).splitlines()[0]}")
        return 1
    print("\n".join(sim.trace))
    print(f"held back in this one: {dict(sim.held)}")
    print(f"seed {seed}: {sim.events} events, no law broken, {sim.digest}")
    return 0


def play_plots() -> int:
    """Play each plot with a crash at each point; return how many broke."""
    crashes = 0
    broken: list[str] = []
    for name, plot in plots.PLOTS.items():
        points = plots.play(plot, undoes=True).passed
        for number in range(points + 1):
            try:
                plots.play(plot, crash_at=number, undoes=True)
            except Violation as what:
                first = str(what).splitlines()[0]
                broken.append(first)
                print(f"{name}, crash {number}: {first}", flush=True)
        crashes += points
        print(f"{name}: {points} crashes", flush=True)
    write(Tally.of("crashes of plots", crashes, broken))
    return len(broken)


def main() -> int:
    """Do what the command line says; return the exit status."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seeds", type=int, default=1_000)
    asked.add_argument("--from", type=int, default=0, dest="first")
    asked.add_argument("--seed", type=int)
    asked.add_argument("--plots", action="store_true")
    asked.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    wish = asked.parse_args()
    quiet()
    if wish.seed is not None:
        return play_one(wish.seed)
    if wish.plots:
        return min(1, play_plots())
    return min(1, play_many(wish.first, wish.seeds, wish.processes))


if __name__ == "__main__":
    sys.exit(main())
