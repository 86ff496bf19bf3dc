"""What one look of the watch costs.

    python -m bench.watch
    python -m bench.watch --processes 720 --rounds 30

CPU is that of this process, the kernel's part of it included; sleeping
children are added until there are so many processes (bench.host).
"""

import argparse
import time

from app.core.clock import SystemClock
from app.core.look.past import Past
from app.core.look.readings import Readings
from app.core.look.snapshot import read_procs
from app.watch.claims import Around, Claimant
from app.watch.places import read_disks, read_files
from app.watch.rules import Rules
from app.watch.sampling import Sample, sample
from app.watch.series import UNITS, to_values
from app.watch.settings import WatchSettings
from bench.host import Look, cpu_ms, crowd


class Round:
    """One round of the watch, as it goes when it runs."""

    def __init__(self) -> None:
        clock = SystemClock()
        self.clock = clock
        self.readings = Readings(clock)
        self.claimant = Claimant(WatchSettings(), Past(clock))
        self.rules = Rules()
        self.last: Sample = sample(None, clock.now())

    def look(self) -> None:
        """Look at the machine."""
        self.last = sample(self.last, self.clock.now())

    def judge(self) -> None:
        """Keep what was measured, and say what is too much."""
        around = Around()
        self.readings.add(to_values(self.last, around), UNITS)
        claims = self.claimant.claims(self.last, around)
        self.rules.step(
            self.last.at, self.last.monotonic, claims, around.known
        )

    def whole(self) -> None:
        """Do both."""
        self.look()
        self.judge()


def measure(processes: int, rounds: int) -> tuple[int, list[Look]]:
    """Return how many processes there were, and what each part took."""
    with crowd(processes):
        count = len(read_procs())
        one = Round()
        time.sleep(1)
        one.look()
        looks = [
            Look(name, *cpu_ms(call, rounds))
            for name, call in (
                ("look", one.look),
                ("judge", one.judge),
                ("one round of both", one.whole),
                ("disks", lambda: read_disks((), {})),
                ("open files", lambda: read_files(one.last.snapshot.procs)),
            )
        ]
        return count, looks


def main(processes: int, rounds: int) -> None:
    """Measure each part, and print what it took."""
    count, looks = measure(processes, rounds)
    print(f"{count} processes; {rounds} rounds")
    print(f"{'':32}  median ms    worst ms")
    for one in looks:
        print(f"{one.name:32} {one.median:10.1f} {one.worst:11.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=720)
    parser.add_argument("--rounds", type=int, default=30)
    said = parser.parse_args()
    main(said.processes, said.rounds)
