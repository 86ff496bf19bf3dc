"""What a job costs by each backend: from its start to its end.

Run: python -m bench.jobs [--jobs N] [--plays N]

The jobs do nothing, and everything is on this machine: what is measured is
the way there and back. Each is asked for as the engine does, but without
its pause of 2 s between two questions: a job that is not over at once costs
that on top. CPU is that of our own process.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from app.ports import Backend
from tests.awx import FakeAwx
from tests.receiver import Receiver
from tests.rundeck import FakeRundeck
from tests.unit.act.backends import stands
from tests.unit.act.backends.making import (
    SECRET,
    endpoint,
    further,
    make,
    order,
)

PAUSE_SECONDS = 0.02
Lend = Callable[[Path], Iterator[Backend]]


def scripted(folder: Path) -> Iterator[Backend]:
    """Lend the backend that does nothing."""
    yield make(folder, {"scripted": {"jobs": {"later": {}}}})["scripted"]


def webhook(folder: Path) -> Iterator[Backend]:
    """Lend the webhook with a receiver of ours."""
    with Receiver(folder, secret=SECRET) as receiver:
        endpoints = {"later": endpoint(receiver, "later")}
        yield make(folder, {"webhook": {"endpoints": endpoints}})["webhook"]


def rundeck(folder: Path) -> Iterator[Backend]:
    """Lend Rundeck, as a fake."""
    with FakeRundeck(folder) as machine:
        settings = stands.rundeck_settings(machine)
        yield make(folder, {"rundeck": settings})["rundeck"]


def awx(folder: Path) -> Iterator[Backend]:
    """Lend AWX, as a fake."""
    with FakeAwx(folder) as machine:
        settings = stands.awx_settings(machine)
        yield make(folder, {"awx": settings})["awx"]


def local(folder: Path) -> Iterator[Backend]:
    """Lend this machine, with a deed that waits for 0.2 s."""
    for stand in stands.local(folder):
        yield stand.backend


def ansible(folder: Path) -> Iterator[Backend]:
    """Lend Ansible itself, with a play of three tasks on this machine."""
    private = stands.private_data(folder)
    settings = stands.ansible_settings(private)
    yield make(folder, {"ansible": settings})["ansible"]


LENDS = (scripted, local, webhook, rundeck, awx, ansible)


async def run(backend: Backend, key: str) -> tuple[float, float, int]:
    """Return the seconds, the CPU seconds and the questions of one job."""
    start, used, asked = time.perf_counter(), time.process_time(), 0
    sent = order("later", key)
    said = await backend.start(sent)
    while not said.has_ended:
        await asyncio.sleep(PAUSE_SECONDS)
        sent = further(sent, said)
        said = await backend.watch(sent)
        asked += 1
    if said.state != "succeeded":
        raise RuntimeError(f"{said.state}: {said.reason}")
    wall = time.perf_counter() - start
    return wall, time.process_time() - used, asked


@contextmanager
def lent(lend: Lend) -> Iterator[Backend]:
    """Lend a backend with a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        backends = lend(Path(name))
        yield next(backends)
        for _ in backends:
            raise RuntimeError("one backend is enough")


class Took(msgspec.Struct, frozen=True):
    """What the jobs of one backend took.

    Attributes:
        backend: which.
        jobs: how many there were.
        median: seconds of the middle one.
        worst: seconds of the slowest one.
        cpu_ms: of our own process, for a job.
        asked: how often a job was asked for.
    """

    backend: str
    jobs: int
    median: float
    worst: float
    cpu_ms: float
    asked: float


def measure(lend: Lend, count: int) -> Took:
    """Run so many jobs by one backend, one after the other."""
    with lent(lend) as backend:
        # The first one loads certificates and code.
        asyncio.run(run(backend, "sj-0"))
        keys = [f"sj-{number}" for number in range(1, count + 1)]
        found = [asyncio.run(run(backend, key)) for key in keys]
    walls = [wall for wall, *_ in found]
    return Took(
        backend=lend.__name__,
        jobs=count,
        median=statistics.median(walls),
        worst=max(walls),
        cpu_ms=statistics.median(used for _, used, _ in found) * 1_000,
        asked=statistics.median(number for *_, number in found),
    )


def main(jobs: int, plays: int) -> None:
    """Measure each backend, and print a line of it."""
    print(f"{'backend':10}{'jobs':>6}{'median s':>10}{'worst s':>9}", end="")
    print(f"{'our CPU ms':>12}{'questions':>11}")
    for lend in LENDS:
        one = measure(lend, plays if lend is ansible else jobs)
        print(
            f"{one.backend:10}{one.jobs:6}{one.median:10.3f}"
            f"{one.worst:9.3f}{one.cpu_ms:12.1f}{one.asked:11.0f}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=30)
    parser.add_argument("--plays", type=int, default=5)
    arguments = parser.parse_args()
    main(arguments.jobs, arguments.plays)
