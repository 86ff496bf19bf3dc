"""How long it takes until the kill switch has stopped everything.

    python -m bench.halting
    python -m bench.halting --jobs 40 --rounds 5 --postgres

Jobs that never end by themselves run at a receiver on this machine, and
alerts of further hosts come in without a pause. Then the switch is thrown: by
the API, and by the file. Measured are the last start that the receiver saw,
and until the last of all jobs was told to end; both from the moment before
the switch. All else is as bench/pipeline.py has it.
"""

import argparse
import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import msgspec

from bench.acting.field import Field, Plan, machine
from bench.acting.sending import deliveries, send, storm

NEVER = 1_000_000
SECONDS = 30.0
# For some seconds: longer than it takes until all was told to end.
FURTHER = 120
PACE = 20.0
HALT = {"author": "bench", "reason": "a measurement", "halted": True}


class Halted(msgspec.Struct, frozen=True):
    """What came of throwing the switch once.

    Attributes:
        start: the last start after it, in ms; 0: there was none.
        ended: until every job was told to end, in ms.
        jobs: how many ran.
    """

    start: float
    ended: float
    jobs: int


def by_api(field: Field) -> None:
    """Throw the switch of the API."""
    # A client of its own would read all certificates of the machine first.
    wish = Request(
        f"{field.nodes[0].url}/api/v1/halt",
        data=json.dumps(HALT).encode(),
        headers={"content-type": "application/json"},
        method="PUT",
    )
    with urlopen(wish, timeout=SECONDS):
        pass


def by_file(field: Field) -> None:
    """Make the file."""
    field.halt_file.touch()


WAYS: dict[str, Callable[[Field], None]] = {"api": by_api, "file": by_file}


@contextmanager
def coming(field: Field, first: int) -> Iterator[None]:
    """Let alerts of further hosts come in meanwhile."""
    hosts = [(first + host, part) for host, part in storm(FURTHER, 1)]
    ports = [node.port for node in field.nodes]
    work = send(ports, list(deliveries(hosts, 1)), FURTHER / PACE)
    thread = threading.Thread(target=asyncio.run, args=(work,))
    thread.start()
    yield
    thread.join()


def measure(way: str, jobs: int, *, is_postgres: bool) -> Halted:
    """Throw the switch once, in a service of its own."""
    plan = Plan(is_postgres=is_postgres, polls=NEVER)
    with (
        tempfile.TemporaryDirectory(prefix="smokejumper-halt-") as name,
        Field(Path(name), plan) as field,
        coming(field, 0),
    ):
        field.wait_for(lambda: field.started()["started"] >= jobs, 0.01)
        began = time.monotonic()
        WAYS[way](field)
        field.wait_for(lambda: is_over(field.started()), 0.01)
        ended, counted = time.monotonic(), field.started()
    return Halted(
        max(counted["last"] - began, 0) * 1_000,
        (ended - began) * 1_000,
        int(counted["started"]),
    )


def is_over(counted: dict[str, float]) -> bool:
    """Tell whether every job was told to end."""
    return counted["ended"] >= counted["started"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    print(machine())
    for way in WAYS:
        for _ in range(asked.rounds):
            one = measure(way, asked.jobs, is_postgres=asked.postgres)
            print(
                f"{way}: {one.jobs} jobs ran; the last start {one.start:.0f}"
                f" ms after it, all told to end after {one.ended:.0f} ms"
            )
