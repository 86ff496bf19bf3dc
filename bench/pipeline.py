"""What one incident costs from its alert to its verified end.

    python -m bench.pipeline
    python -m bench.pipeline --incidents 300 --rounds 3 --postgres --nodes 2
    python -m bench.pipeline --polls 0 5 20

No model is asked: a brain that always says the same decides. All else is
the product: the alert is accepted and folded, the incident decided and
ruled on, a job sent by a signed webhook to a receiver on this machine,
measured by a probe, and closed as fixed. With --polls the job is asked for
so often before it is over: what a round of the loop costs, a look at a
running job and the turn that writes it down. CPU is that of the services;
that of PostgreSQL, the receiver and the sender is not in it.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import msgspec

from bench.acting.field import Field, Plan, machine
from bench.acting.sending import Sent, deliveries, send, storm

WARM = 20
OVER = "stage IN ('closed', 'escalated')"


class Cost(msgspec.Struct, frozen=True):
    """What some incidents took.

    Attributes:
        cpu_ms: of all services, for each incident.
        per_second: how many came to their end.
        peak_mb: the most memory of one service.
        asked: how often the brain was asked, for each decision.
    """

    cpu_ms: float
    per_second: float
    peak_mb: float
    asked: float


def sow(field: Field, first: int, count: int) -> Sent:
    """Let something be wrong with so many hosts, an alert each."""
    hosts = [(first + host, part) for host, part in storm(count, 1)]
    ports = [node.port for node in field.nodes]
    return asyncio.run(send(ports, list(deliveries(hosts, 1)), 0.0))


def run(field: Field, count: int) -> Cost:
    """Measure so many incidents, after some that warm it up."""
    sow(field, 0, WARM)
    field.wait_for(lambda: field.count("mission", OVER) == WARM)
    before, began = field.cpu(), time.monotonic()
    sow(field, WARM, count)
    field.wait_for(lambda: field.count("mission", OVER) == WARM + count)
    seconds = time.monotonic() - began
    used = field.cpu() - before
    prove(field, WARM + count)
    return Cost(
        cpu_ms=1000 * used / count,
        per_second=count / seconds,
        peak_mb=max(node.peak_mb() for node in field.nodes),
        asked=field.calls() / (WARM + count),
    )


def prove(field: Field, count: int) -> None:
    """Raise unless each incident was decided, run and closed once.

    Two services on one SQLite file do not know what the other one decides
    on: the brain may be asked twice, and one answer is kept.
    """
    counted = field.started()
    found = {
        "incidents": field.count("incident"),
        "fixed": field.count("mission", "\"end\" = 'fixed'"),
        "decisions": field.count("decision"),
        "jobs": field.count("job", "verdict = 'fixed'"),
        "started": counted["started"],
    }
    twice = counted["twice"]
    if twice or set(found.values()) != {count}:
        reasons = field.ask(
            "SELECT stage, reason, count(*) FROM mission"
            " GROUP BY stage, reason ORDER BY 3 DESC LIMIT 5"
        )
        raise RuntimeError(f"not as it should be: {found} {twice} {reasons}")


def measure(options: argparse.Namespace, polls: int) -> list[Cost]:
    """Measure several times, with an empty database each time."""
    costs = []
    for _ in range(options.rounds):
        plan = Plan(
            is_postgres=options.postgres, nodes=options.nodes, polls=polls
        )
        with (
            tempfile.TemporaryDirectory(prefix="smokejumper-act-") as name,
            Field(Path(name), plan) as field,
        ):
            costs.append(run(field, options.incidents))
    return costs


def main() -> None:
    """Measure, and print a line for each number of polls."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--polls", type=int, nargs="*", default=[0])
    options = parser.parse_args()
    print(f"{machine()}; best of {options.rounds} (median)")
    least: dict[int, float] = {}
    for polls in options.polls:
        costs = measure(options, polls)
        cpu = [one.cpu_ms for one in costs]
        rate = [one.per_second for one in costs]
        least[polls] = min(cpu)
        print(
            f"{polls:3} polls: {min(cpu):.1f} ({statistics.median(cpu):.1f})"
            f" ms CPU an incident, {max(rate):.1f}"
            f" ({statistics.median(rate):.1f}) incidents/s,"
            f" {max(one.peak_mb for one in costs):.0f} MB, asked"
            f" {max(one.asked for one in costs):.2f} times",
            flush=True,
        )
    some, most = min(least), max(least)
    if most > some:
        each = (least[most] - least[some]) / (most - some)
        print(f"a further step: {each:.2f} ms CPU")


if __name__ == "__main__":
    main()
