"""A storm of alerts, and what waiting for people costs.

    python -m bench.storm
    python -m bench.storm --alerts 100000 --seconds 60 --hosts 2000
    python -m bench.storm --postgres --nodes 2
    python -m bench.storm --waiting 10000 --idle 60
    python -m bench.storm --waiting 10000 --idle 1 --due --postgres --nodes 2

So many alerts of so many hosts are sent on the beat, a few of one host in
each delivery, and each host again and again: one incident for each host,
with one alert for each of its devices. No model is asked. What is proved
afterwards: each alert that was acknowledged is in the store, each incident
was decided once, and each mission came to its end; then how long that took,
and the most memory that a service had. All else is as bench/pipeline.py has
it; with --ask each mission ends with a question instead of a run.

With --waiting so many incidents wait for an approval: some that came through
the whole pipe, and the others as copies of these (bench/acting/waiting.py).
The service is started on them and left alone, and what it takes is measured;
then they are still there, and nothing else was done. With --due the time of
all of them is over at the same moment afterwards: each must be handed over to
people once, whoever takes it, and how long that takes is told.
"""

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
import msgspec
from sqlalchemy import text

from bench.acting.field import Field, Plan, machine
from bench.acting.sending import Sent, deliveries, send, storm
from bench.acting.waiting import multiply

OVER = "stage IN ('closed', 'escalated', 'awaiting_approval')"
ASKED = "awaiting_approval"
WAITING = f"stage = '{ASKED}'"
# So many come through the whole pipe.
PIPED = 20
LEFT = (
    "SELECT (SELECT max(id) FROM alert)"
    " - (SELECT position FROM mark WHERE name = 'folded')"
)
DUE = (
    "UPDATE approval SET expires_at = :now WHERE state = 'asked'",
    f"UPDATE mission SET due_at = :now WHERE {WAITING}",
)
ENDED = (
    "SELECT count(*), count(DISTINCT incident_id) FROM entry"
    " WHERE kind = 'incident.escalated'"
)
QUIET_SECONDS = 5.0
BATCH = 10


def is_done(field: Field, hosts: int) -> bool:
    """Tell whether all is folded, and each incident is where it ends."""
    ((left,),) = field.ask(LEFT)
    return not left and field.count("mission", OVER) >= hosts


class Storm(msgspec.Struct, frozen=True, kw_only=True):
    """What a storm is.

    Attributes:
        alerts: so many.
        hosts: of so many hosts.
        seconds: sent within.
        batch: so many in each delivery.
    """

    alerts: int = 100_000
    hosts: int = 2_000
    seconds: float = 60.0
    batch: int = BATCH


class Blown(msgspec.Struct, frozen=True):
    """What came of a storm.

    Attributes:
        sent: how its deliveries went.
        drained: seconds from its beginning until all was over.
        cpu_ms: of the services, for an incident.
        peak_mb: the most memory of one service.
    """

    sent: Sent
    drained: float
    cpu_ms: float
    peak_mb: float


def blow(field: Field, wind: Storm) -> Blown:
    """Send the storm, wait until it is over, and prove that it is whole."""
    hosts = wind.hosts
    alerts = list(storm(hosts, wind.alerts // hosts, wind.batch))
    requests = list(deliveries(alerts, wind.batch))
    ports = [node.port for node in field.nodes]
    before, began = field.cpu(), time.monotonic()
    sent = asyncio.run(send(ports, requests, wind.seconds))
    print(
        f"sent {len(alerts):,} alerts in {len(requests):,} deliveries in"
        f" {sent.seconds:.1f} s, {sent.again} told to come again, the"
        f" slowest took {sent.slowest:.2f} s",
        flush=True,
    )
    field.wait_for(lambda: is_done(field, hosts), 1.0)
    blown = Blown(
        sent,
        time.monotonic() - began,
        1000 * (field.cpu() - before) / hosts,
        max(node.peak_mb() for node in field.nodes),
    )
    print(
        f"drained {blown.drained:.0f} s after its beginning,"
        f" {blown.cpu_ms:.1f} ms CPU an incident, at most"
        f" {blown.peak_mb:.0f} MB"
    )
    if sent.acknowledged != len(requests):
        raise RuntimeError(f"{sent.acknowledged} of {len(requests)} taken")
    prove(field, len(alerts), hosts)
    return blown


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


class Idle(msgspec.Struct, frozen=True):
    """What a service costs while many wait for people.

    Attributes:
        share: of a core, in percent.
        memory_mb: that it has.
        peak_mb: the most that it had since its start.
    """

    share: float
    memory_mb: float
    peak_mb: float


def let_wait(field: Field, count: int) -> None:
    """Let so many incidents wait for people."""
    began, piped = time.monotonic(), min(count, PIPED)
    requests = list(deliveries(list(storm(piped, 1)), BATCH))
    ports = [node.port for node in field.nodes]
    asyncio.run(send(ports, requests, 0.0))
    field.wait_for(lambda: field.count("mission", WAITING) >= piped, 1.0)
    with field.writing() as connection:
        multiply(connection, ASKED, count - piped)
    took = time.monotonic() - began
    print(f"{count:,} wait for an approval after {took:.0f} s", flush=True)


def idle(field: Field, count: int, seconds: float) -> Idle:
    """Let many wait for people, and print what that costs."""
    let_wait(field, count)
    time.sleep(QUIET_SECONDS)
    entries, before = field.count("entry"), field.cpu()
    time.sleep(seconds)
    share = 100 * (field.cpu() - before) / seconds
    (node, *_) = field.nodes
    found = Idle(share, node.resident_mb(), node.peak_mb())
    print(
        f"idle: {share:.2f} % of a core, {found.memory_mb:.0f} MB (at"
        f" most {found.peak_mb:.0f} MB since its start)"
    )
    prove_idle(field, count, entries)
    return found


def prove_idle(field: Field, count: int, entries: int) -> None:
    """Raise when the service does not see all that wait, or did anything."""
    told = httpx.get(f"{field.nodes[0].url}/metrics", timeout=30.0).text
    line = f'smokejumper_missions{{stage="{ASKED}"}} {float(count)}\n'
    waiting = field.count("mission", WAITING)
    decisions = field.count("decision")
    if line not in told or waiting != count or decisions != count:
        raise RuntimeError(f"{waiting} wait, {decisions} were decided on")
    if field.count("entry") != entries:
        raise RuntimeError("it was not idle: the log has grown")


class Woken(msgspec.Struct, frozen=True):
    """What it costs that the time of many is over at once.

    Attributes:
        seconds: until the last one was handed over.
        cpu_ms: of the services, for each.
        peak_mb: the most memory of one service.
    """

    seconds: float
    cpu_ms: float
    peak_mb: float


def wake(field: Field, count: int) -> Woken:
    """Let the time of all that wait be over now; prove that each ends once."""
    before, began = field.cpu(), time.monotonic()
    make_due(field)
    field.wait_for(lambda: not field.count("mission", WAITING), 1.0)
    woken = Woken(
        time.monotonic() - began,
        1000 * (field.cpu() - before) / count,
        max(node.peak_mb() for node in field.nodes),
    )
    print(
        f"due at once: {count:,} handed over after {woken.seconds:.0f} s,"
        f" {woken.cpu_ms:.1f} ms CPU each, at most {woken.peak_mb:.0f} MB"
    )
    prove_ended(field, count)
    return woken


def make_due(field: Field) -> None:
    """Let the time of all questions be over now."""
    with field.writing() as connection:
        for statement in DUE:
            now = time.time_ns() // 1_000
            connection.execute(text(statement), {"now": now})


def prove_ended(field: Field, count: int) -> None:
    """Raise unless each of so many was handed over to people, and once."""
    told = [tuple(row) for row in field.ask(ENDED)]
    if told != [(count, count)]:
        raise RuntimeError(f"of {count}, told and once: {told}")


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
    parser.add_argument("--due", action="store_true")
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
            idle(field, options.waiting, options.idle)
            if options.due:
                wake(field, options.waiting)
            return
        wind = Storm(
            alerts=options.alerts,
            hosts=options.hosts,
            seconds=options.seconds,
            batch=options.batch,
        )
        blow(field, wind)


if __name__ == "__main__":
    main()
