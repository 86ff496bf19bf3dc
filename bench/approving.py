"""What people wait for: their proposal, their answer, and what follows.

    python -m bench.approving
    python -m bench.approving --questions 50 --postgres

Each incident ends with a question. Each is granted over the API, one after
the other, and waited for until it is closed as fixed; then an action is
proposed for as many other incidents, which only asks a question of its own.
All else is as bench/pipeline.py has it.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec

from bench.acting.field import NAME, Field, Plan, machine
from bench.acting.sending import deliveries, send, storm

WAITS = "stage = 'awaiting_approval'"
CLOSED = "stage = 'closed'"
ASKED = "SELECT id, version FROM approval WHERE state = 'asked' ORDER BY id"
INCIDENTS = (
    "SELECT incident_id, target_name FROM approval JOIN incident"
    " ON incident.id = incident_id WHERE approval.state = 'asked' ORDER BY 1"
)
SECONDS = 30.0


class Answered(msgspec.Struct, frozen=True):
    """What people waited for, in ms, in order.

    Attributes:
        grant: until their answer was taken.
        closed: from their answer until it was done, measured and closed.
        propose: until their proposal was taken.
        cpu_ms: of the service for a grant and what follows.
    """

    grant: list[float]
    closed: list[float]
    propose: list[float]
    cpu_ms: float


def answer(client: httpx.Client, number: int, version: int) -> float:
    """Grant one question and return how many ms that took."""
    began = time.perf_counter()
    client.post(
        f"/api/v1/approvals/{number}/grant",
        json={"author": "ana"},
        headers={"if-match": f'"{version}"'},
    ).raise_for_status()
    return (time.perf_counter() - began) * 1_000


def propose(client: httpx.Client, incident: int, host: str) -> float:
    """Propose an action and return how many ms that took."""
    body = {"author": "ben", "action": NAME, "arguments": {"host": host}}
    began = time.perf_counter()
    path = f"/api/v1/incidents/{incident}/propose"
    client.post(path, json=body).raise_for_status()
    return (time.perf_counter() - began) * 1_000


def grant_all(field: Field, client: httpx.Client) -> Answered:
    """Grant every question, one after the other."""
    grants, closed = [], []
    before = field.cpu()
    for number, version in field.ask(ASKED):
        already, began = field.count("mission", CLOSED), time.perf_counter()
        grants.append(answer(client, number, version))
        field.wait_for(
            lambda: field.count("mission", CLOSED) > already,  # noqa: B023  # it is waited for at once
            0.01,
        )
        closed.append((time.perf_counter() - began) * 1_000)
    used = 1_000 * (field.cpu() - before) / len(grants)
    return Answered(sorted(grants), sorted(closed), [], used)


def measure(questions: int, *, is_postgres: bool) -> Answered:
    """Let so many questions be asked, twice, and answer those."""
    plan = Plan(is_postgres=is_postgres, trust="approve")
    with (
        tempfile.TemporaryDirectory(prefix="smokejumper-ask-") as name,
        Field(Path(name), plan) as field,
    ):
        (node,) = field.nodes
        ask(field, 0, questions)
        options: dict[str, Any] = {"base_url": node.url, "timeout": SECONDS}
        with httpx.Client(**options) as client:
            found = grant_all(field, client)
            ask(field, questions, questions)
            proposed = [
                propose(client, incident, host)
                for incident, host in field.ask(INCIDENTS)
            ]
    return msgspec.structs.replace(found, propose=sorted(proposed))


def ask(field: Field, first: int, count: int) -> None:
    """Let so many further questions be asked."""
    hosts = [(first + host, part) for host, part in storm(count, 1)]
    ports = [node.port for node in field.nodes]
    asyncio.run(send(ports, list(deliveries(hosts, 1)), 0.0))
    field.wait_for(lambda: field.count("mission", WAITS) >= count)


def report(name: str, times: list[float]) -> None:
    """Print the middle and the worst of some times."""
    middle = statistics.median(times)
    print(f"{name}: {middle:.1f} ms, at most {times[-1]:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    print(machine())
    took = measure(asked.questions, is_postgres=asked.postgres)
    report("a grant is taken", took.grant)
    report("granted, done, measured and closed", took.closed)
    report("a proposal is taken", took.propose)
    print(f"{took.cpu_ms:.1f} ms CPU for a grant and what follows")
