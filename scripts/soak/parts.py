"""What is soaked: the parts, and how much of each.

A part is a few programs, one after the other. Each writes down itself what
it did and what came of it (tests/chaos/tally.py); what has no ledger of its
own is counted by its tests.
"""

from collections.abc import Mapping, Sequence

import msgspec

CHAOS = "tests/chaos"
MINUTES = 60


class Run(msgspec.Struct, frozen=True):
    """One program of a part.

    Attributes:
        tests: what pytest is given; empty: it is no test.
        module: what is run instead, with its words; ``{amount}`` is how
            much is asked for.
        amount: how much of it, at full scale: the tests' own unit, such as
            five kills, so often; or what ``{amount}`` stands for.
        goals: what has to be done at least, at full scale, by its name.
        counts: what its tests are counted as when they keep no ledger.
    """

    tests: Sequence[str] = ()
    module: Sequence[str] = ()
    amount: int = 1
    goals: Mapping[str, int] = {}
    counts: str = ""

    def amount_at(self, scale: float) -> int:
        """Return how much is asked for at a scale; never nothing."""
        return max(1, round(self.amount * scale))

    def goals_at(self, scale: float) -> dict[str, int]:
        """Return what has to be done at least at a scale."""
        share = self.amount_at(scale) / self.amount
        return {
            what: max(1, int(goal * share))
            for what, goal in self.goals.items()
        }


class Part(msgspec.Struct, frozen=True):
    """A part of the soak.

    Attributes:
        name: what it is asked for by.
        about: what it does, for whoever asks.
        runs: its programs.
    """

    name: str
    about: str
    runs: Sequence[Run]


PARTS = (
    Part(
        "simulation",
        "random histories of one to three nodes, by their seeds",
        (
            Run(
                module=("scripts.simulate", "--seeds", "{amount}"),
                amount=10_000,
                goals={"histories": 10_000},
            ),
        ),
    ),
    Part(
        "plots",
        "stories with a crash at each point that they pass",
        (
            Run(
                module=("scripts.simulate", "--plots"),
                goals={"crashes of plots": 1},
            ),
        ),
    ),
    Part(
        "kills",
        "kill -9 of ingest at random moments, under load",
        (
            Run(
                tests=(f"{CHAOS}/test_kill.py",),
                amount=100,
                goals={"kill -9 of ingest": 500},
            ),
            Run(
                tests=(f"{CHAOS}/test_log_chain.py", "-k", "kills"),
                amount=10,
                goals={"kill -9 of ingest and folding": 50},
            ),
        ),
    ),
    Part(
        "pipeline",
        "kill -9 and SIGTERM of the pipeline while jobs run",
        (
            Run(
                tests=(f"{CHAOS}/test_random_kills.py",),
                amount=100,
                goals={
                    "kill -9 of the pipeline": 500,
                    "SIGTERM of the pipeline": 200,
                },
            ),
            Run(
                tests=(
                    f"{CHAOS}/test_acting_kill.py",
                    f"{CHAOS}/test_acting_edge.py",
                ),
                counts="kills at every point, lost answers, clicks",
            ),
        ),
    ),
    Part(
        "cuts",
        "power cuts at any moment, also after an fsync that failed",
        (
            Run(
                tests=(f"{CHAOS}/test_power_cut.py",),
                amount=10,
                goals={
                    "power cuts": 1_000,
                    "power cuts after a failed fsync of -wal": 250,
                    "power cuts after a failed fsync of .db": 250,
                    "power cuts after a failed fsync of any file": 250,
                },
            ),
            Run(
                tests=(f"{CHAOS}/test_log_chain.py", "-k", "cuts"),
                amount=10,
                goals={"power cuts of the log": 400},
            ),
        ),
    ),
    Part(
        "storm",
        "100,000 alerts in 60 s: drained in 10 minutes, below 500 MB",
        (
            Run(
                module=("scripts.soak.storm", "{amount}"),
                amount=100_000,
                goals={"alerts of a storm": 100_000},
            ),
        ),
    ),
    Part(
        "floods",
        "more senders than there is room for, and hostile bodies",
        (
            Run(
                tests=(f"{CHAOS}/test_floods.py",),
                amount=10,
                goals={"deliveries of a flood": 3_000},
            ),
            Run(
                tests=(f"{CHAOS}/test_hostile.py",),
                counts="hostile requests and bodies",
            ),
        ),
    ),
    Part(
        "slow",
        "200 clients at once that drip, idle or never read",
        (
            Run(
                tests=(f"{CHAOS}/test_slow_clients.py",),
                goals={"slow connections": 1_600},
            ),
        ),
    ),
    Part(
        "disk",
        "full disks, disks that hang, locks of 30 s, long readers",
        (
            Run(
                tests=(
                    f"{CHAOS}/test_full_disk.py",
                    f"{CHAOS}/test_locked.py",
                    f"{CHAOS}/test_long_reader.py",
                ),
                amount=2,
                goals={
                    "full disks": 1,
                    "locks of the database": 1,
                    "disks that hang": 1,
                    "long readers": 1,
                },
            ),
        ),
    ),
    Part(
        "clocks",
        "the clock on the wall jumps, on and back",
        (
            Run(
                tests=(f"{CHAOS}/test_clock.py",),
                amount=20,
                goals={"jumps of the clock": 120},
            ),
            Run(
                tests=(
                    "tests/simulation/test_clocks.py",
                    f"{CHAOS}/test_clock_jumps.py",
                ),
                counts="jumps at every point, and of a question",
            ),
        ),
    ),
    Part(
        "postgres",
        "kill -9, crashes of PostgreSQL, lines cut around a COMMIT",
        (
            Run(
                tests=(f"{CHAOS}/test_postgres.py",),
                amount=10,
                goals={
                    "kill -9 of ingest on PostgreSQL": 30,
                    "crashes of PostgreSQL under ingest": 30,
                    "cuts around a COMMIT of ingest": 300,
                },
            ),
            Run(
                tests=(f"{CHAOS}/test_log_chain.py", "-k", "server"),
                amount=10,
                goals={"crashes of PostgreSQL under folding": 30},
            ),
        ),
    ),
    Part(
        "nodes",
        "two nodes on PostgreSQL: killed, frozen, parted from it",
        (
            Run(
                tests=(f"{CHAOS}/test_partitions.py",),
                amount=50,
                goals={"faults of two nodes": 150},
            ),
            Run(
                tests=(f"{CHAOS}/test_acting_nodes.py",),
                amount=5,
                counts="takeovers, late writers, crashes of PostgreSQL",
            ),
        ),
    ),
    Part(
        "fuzz",
        "parsers, and every route by its schema, for an hour",
        (
            Run(
                module=("scripts.fuzz", "--minutes", "{amount}"),
                amount=MINUTES,
                counts="runs of the fuzzers",
            ),
        ),
    ),
)
BY_NAME = {part.name: part for part in PARTS}
