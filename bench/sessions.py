"""What it costs to know who asks: a session, looked up for each request.

    python -m bench.sessions

A person is signed in to a running service. The smallest page that needs an
account is asked for over and over, in turns with the same page before there
was any account, on a second service: the difference is the gate's. Then the
look-up itself, once out of memory, which lasts two seconds, and once out of
the database.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import msgspec

from app.access.secrets import digest_of
from app.models.account import Role
from app.store.location import locate
from app.store.reading import Reader, open_engine
from app.store.sessions import find_pass
from bench.ingest.run import cpu_seconds
from tests.flow.visitors import Visitors
from tests.service import Service

PATH = "/api/v1/status"


class Known(msgspec.Struct, frozen=True):
    """What it costs to know who asks.

    Attributes:
        signed_ms: CPU of the service for a request of who is signed in.
        open_ms: the same where there are no accounts.
        look_us: CPU of one look-up in the database.
    """

    signed_ms: float
    open_ms: float
    look_us: float


def cpu_ms(pid: int, call: Callable[[], object], often: int) -> float:
    """Return the CPU that a service takes for a call."""
    before = cpu_seconds(pid)
    for _ in range(often):
        call()
    return (cpu_seconds(pid) - before) / often * 1_000


def look_us(service: Service, secret: str, often: int) -> float:
    """Return the CPU of one look-up, in microseconds."""
    place = locate(f"sqlite:///{service.database}", Path("/"))
    reader = Reader(open_engine(place, 5.0))
    digest = digest_of(secret)
    reader.ask(lambda connection: find_pass(connection, digest))
    began = time.process_time()
    for _ in range(often):
        reader.ask(lambda connection: find_pass(connection, digest))
    used = time.process_time() - began
    reader.close()
    return used / often * 1e6


def measure(often: int, rounds: int) -> Known:
    """Ask both services in turns."""
    signed, bare = [], []
    with ExitStack() as stack:
        folders = [
            Path(stack.enter_context(tempfile.TemporaryDirectory()))
            for _ in range(2)
        ]
        ours, other = (
            stack.enter_context(Service(folder)) for folder in folders
        )
        visitors = Visitors(ours)
        person = stack.enter_context(visitors.client(Role.VIEWER))
        nobody = stack.enter_context(httpx.Client(base_url=other.url))
        secret = visitors.sign_in(Role.VIEWER)
        for client in (person, nobody):
            client.get(PATH).raise_for_status()
        for _ in range(rounds):
            signed.append(cpu_ms(ours.pid, lambda: person.get(PATH), often))
            bare.append(cpu_ms(other.pid, lambda: nobody.get(PATH), often))
        looked = look_us(ours, secret, often)
        visitors.close()
    return Known(statistics.median(signed), statistics.median(bare), looked)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--often", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    found = measure(asked.often, asked.rounds)
    print(f"signed in: {found.signed_ms:.2f} ms CPU a request")
    print(f"no accounts: {found.open_ms:.2f} ms CPU a request")
    print(f"a look into the database: {found.look_us:.0f} us")
