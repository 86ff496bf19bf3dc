"""A storm of alerts, and what waiting for people costs.

    python -m bench.storm
    python -m bench.storm --alerts 100000 --seconds 60 --hosts 2000
    python -m bench.storm --postgres --nodes 2
    python -m bench.storm --waiting 10000 --idle 60

So many alerts of so many hosts are sent on the beat, a few of one host in
each delivery, and each host again and again: one incident for each host,
with one alert for each of its devices. No model is asked. What is proved
afterwards: each alert that was acknowledged is in the store, each incident
was decided once, and each mission came to its end; then how long that took,
and the most memory that a service had. All else is as bench/pipeline.py has
it; with --ask each mission ends with a question instead of a run.

With --waiting so many incidents are made that wait for an approval; then
the service is left alone, and what it takes is measured.
"""

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.acting.field import Field, Plan, machine
from bench.acting.sending import deliveries, send, storm

OVER = "stage IN ('closed', 'escalated', 'awaiting_approval')"
WAITING = "stage = 'awaiting_approval'"
LEFT = (
    "SELECT (SELECT max(id) FROM alert)"
    " - (SELECT position FROM mark WHERE name = 'folded')"
)
QUIET_SECONDS = 5.0
BATCH = 10


def is_done(field: Field, hosts: int) -> bool:
    """Tell whether all is folded, and each incident is where it ends."""
    ((left,),) = field.ask(LEFT)
    return not left and field.count("mission", OVER) >= hosts


def blow(field: Field, options: argparse.Namespace, hosts: int) -> None:
    """Send the storm, wait until it is over, and print what came of it."""
    parts = options.alerts // hosts
    alerts = list(storm(hosts, parts, options.batch))
    requests = list(deliveries(alerts, options.batch))
    ports = [node.port for node in field.nodes]
    before, began = field.cpu(), time.monotonic()
    sent = asyncio.run(send(ports, requests, options.seconds))
    print(
        f"sent {len(alerts):,} alerts in {len(requests):,} deliveries in"
        f" {sent.seconds:.1f} s, {sent.again} told to come again, the"
        f" slowest took {sent.slowest:.2f} s",
        flush=True,
    )
    field.wait_for(lambda: is_done(field, hosts), 1.0)
    drained = time.monotonic() - began
    used = field.cpu() - before
    peak = max(node.peak_mb() for node in field.nodes)
    print(
        f"drained {drained:.0f} s after its beginning,"
        f" {1000 * used / hosts:.1f} ms CPU an incident, at most"
        f" {peak:.0f} MB"
    )
    if sent.acknowledged != len(requests):
        raise RuntimeError(f"{sent.acknowledged} of {len(requests)} taken")
    prove(field, len(alerts), hosts)


def prove(field: Field, alerts: int, hosts: int) -> None:
    """Print what is in the store; raise when anything is lost or twice."""
    each = field.ask("SELECT incident_id, count(*) FROM decision GROUP BY 1")
    often = Counter(int(count) for _, count in each)
    found = {
        "alerts": field.count("alert"),
        "incidents": field.count("incident"),
        "decisions": field.count("decision"),
        "brain asked": field.calls(),
        "missions": field.count("mission"),
        "jobs": field.count("job"),
        **field.started(),
    }
    ends = field.ask(
        'SELECT stage, "end", count(*) FROM mission GROUP BY 1, 2'
    )
    print(f"in the store: {found}")
    print(f"missions: {[tuple(row) for row in ends]}")
    lost = alerts - found["alerts"]
    if lost or found["twice"] or often != {1: hosts}:
        raise RuntimeError(f"lost {lost}, decisions each {often}")


def idle(field: Field, options: argparse.Namespace) -> None:
    """Let many wait for people, and print what that costs."""
    count = options.waiting
    began = time.monotonic()
    requests = list(deliveries(list(storm(count, 1)), BATCH))
    ports = [node.port for node in field.nodes]
    asyncio.run(send(ports, requests, 0.0))
    field.wait_for(lambda: field.count("mission", WAITING) >= count, 1.0)
    took = time.monotonic() - began
    print(f"{count:,} wait for an approval after {took:.0f} s", flush=True)
    time.sleep(QUIET_SECONDS)
    before = field.cpu()
    time.sleep(options.idle)
    share = 100 * (field.cpu() - before) / options.idle
    (node, *_) = field.nodes
    print(
        f"idle: {share:.2f} % of a core, {node.resident_mb():.0f} MB (at"
        f" most {node.peak_mb():.0f} MB while they came)"
    )


def main() -> None:
    """Blow, or wait."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--hosts", type=int, default=2_000)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--ask", action="store_true")
    parser.add_argument("--waiting", type=int, default=0)
    parser.add_argument("--idle", type=int, default=60)
    options = parser.parse_args()
    print(machine())
    plan = Plan(
        is_postgres=options.postgres,
        nodes=options.nodes,
        trust="approve" if options.ask or options.waiting else "auto",
    )
    with (
        tempfile.TemporaryDirectory(prefix="smokejumper-act-") as name,
        Field(Path(name), plan) as field,
    ):
        if options.waiting:
            idle(field, options)
        else:
            blow(field, options, options.hosts)


if __name__ == "__main__":
    main()
