"""What the console costs: pages in bytes, live tabs in CPU and memory.

Run: python -m bench.console [--seconds N] [--tabs N] [--rate N]

Live: another process writes entries at a steady rate; what it costs the
service is measured without listeners and with them, and the difference is
what the listeners cost. Pages: each screen is opened in a fresh browser, and
what it fetched is counted as it went over the wire.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import msgspec
from playwright.sync_api import Response

from app.console.screens import SCREENS
from app.models.entry import Note
from app.store.ledger import Ledger
from app.store.location import locate
from app.store.log import append
from bench.idle import resident_mb
from bench.ingest.run import cpu_seconds
from tests.service import Service
from tests.ui.browser import Watched, open_browser

MICRO = 1_000_000
PAGES = {
    **{screen.name: f"/console/{screen.name}" for screen in SCREENS},
    "incident": "/console/incidents/1",
    "me": "/console/me",
    "login": "/console/login",
}


def write(ledger: Ledger, rate: int, seconds: float) -> None:
    """Write entries at a steady rate, from this process."""
    began = time.monotonic()
    number = 0
    while time.monotonic() < began + seconds:
        number += 1
        note = Note(
            kind="incident.joined",
            incident=number % 50 + 1,
            target=f"host::web-{number % 50}",
            problem="DiskFull",
            severity="warning",
            status="open",
            actor="source:bench",
            summary=f"web-{number % 50}: disk is 97 % full",
            body={"text": "x" * 250, "number": number},
        )
        with ledger.turn() as connection:
            append(connection, int(time.time() * MICRO), [note])
        # By the clock: what the writing takes does not slow the rate down.
        time.sleep(max(0.0, began + number / rate - time.monotonic()))


@contextmanager
def listening(service: Service, tabs: int) -> Iterator[list[int]]:
    """Lend the count of bytes that each of so many streams has got."""
    counts = [0] * tabs
    over = threading.Event()

    def listen(number: int) -> None:
        """Read a stream until all is over."""
        url = f"{service.url}/api/v1/stream"
        with httpx.stream("GET", url, timeout=60) as answer:
            for chunk in answer.iter_raw():
                counts[number] += len(chunk)
                if over.is_set():
                    return

    threads = [
        threading.Thread(target=listen, args=(number,), daemon=True)
        for number in range(tabs)
    ]
    for thread in threads:
        thread.start()
    while not all(counts):
        time.sleep(0.05)
    yield counts
    over.set()
    for thread in threads:
        thread.join(10)


class Live(msgspec.Struct, frozen=True):
    """What some listeners cost.

    Attributes:
        tabs: how many.
        share: of a core, in percent, of the whole service.
        theirs: how much of it is for them.
        memory_mb: what the service grows by for each of them, beside what
            it grows by meanwhile anyhow; without any: all of it.
        per_second: the bytes that each of them gets.
    """

    tabs: int
    share: float
    theirs: float
    memory_mb: float
    per_second: float = 0.0


def measure_live(
    service: Service, tabs: Sequence[int], rate: int, seconds: float
) -> Iterator[Live]:
    """Yield what so many listeners cost, beside none, who come first."""
    location = locate(f"sqlite:///{service.database}", Path("/"))
    ledger = Ledger(location, 10.0)
    # What the first reader ever needs is no reader's, and is not given back.
    with listening(service, 1):
        write(ledger, rate, seconds)
    none: Live | None = None
    anyhow = 0.0
    for many in tabs:
        grown = resident_mb(service.pid)
        with ExitStack() as stack:
            counts = stack.enter_context(listening(service, many))
            before, began = cpu_seconds(service.pid), time.monotonic()
            write(ledger, rate, seconds)
            took = time.monotonic() - began
            share = (cpu_seconds(service.pid) - before) / took * 100
            memory = resident_mb(service.pid)
        grown = memory - grown
        if none is None:
            anyhow = grown
            none = Live(many, share, 0.0, memory)
            yield none
            continue
        yield Live(
            many,
            share,
            share - none.share,
            (grown - anyhow) / many,
            sum(counts) / many / took,
        )
    ledger.close()


def tell_one(service: Service) -> None:
    """Deliver an alert: there is an incident to look at, number 1."""
    alert = {"status": "firing", "labels": {"alertname": "DiskFull"}}
    httpx.post(
        f"{service.url}/webhooks/alertmanager",
        json={"alerts": [{**alert, "startsAt": "2026-11-21T02:14:02Z"}]},
    ).raise_for_status()
    incident = f"{service.url}/api/v1/incidents/1"
    until = time.monotonic() + 30
    while httpx.get(incident).status_code != 200:
        if time.monotonic() > until:
            raise RuntimeError("the alert did not become an incident")
        time.sleep(0.05)


def measure_pages(service: Service) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield the bytes that each screen fetches, packed, nothing cached."""
    tell_one(service)
    with open_browser() as browser:
        for name, path in PAGES.items():
            watched = Watched(browser, service.url)
            sizes: dict[str, int] = {}

            def add(response: Response, found: dict[str, int] = sizes) -> None:
                """Count what came."""
                length = response.headers.get("content-length", "0")
                kind = response.request.resource_type
                found[kind] = found.get(kind, 0) + int(length)

            watched.context.on("response", add)
            page = watched.context.new_page()
            answer = page.goto(path, wait_until="commit")
            if answer is None or answer.status != 200:
                watched.close()
                continue
            if name == "login":
                # It has no script that says when it is drawn.
                page.wait_for_load_state("load")
            else:
                page.wait_for_selector("html[data-ready='true']")
            yield name, sizes
            watched.close()


def report(one: Live, rate: int) -> None:
    """Print what some listeners cost."""
    if not one.tabs:
        print(
            f"no listener: {one.share:.2f} % of a core, {one.memory_mb:.0f} MB"
        )
        return
    print(
        f"{one.tabs} streams, {rate} entries/s: {one.share:.2f} % of a core,"
        f" {one.theirs:.2f} % of it theirs, {one.memory_mb:.3f} MB each,"
        f" {one.per_second / 1000:.1f} kB/s each"
    )


def main(seconds: float, tabs: int, rate: int) -> None:
    """Measure on a service of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Service(Path(folder)) as service,
    ):
        some = (0, 1, tabs, tabs * 5)
        for one in measure_live(service, some, rate, seconds):
            report(one, rate)
        for name, sizes in measure_pages(service):
            parts = ", ".join(
                f"{kind} {size / 1000:.0f}" for kind, size in sizes.items()
            )
            print(f"{name}: {sum(sizes.values()) / 1000:.0f} kB ({parts})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--tabs", type=int, default=10)
    parser.add_argument("--rate", type=int, default=20)
    given = parser.parse_args()
    main(given.seconds, given.tabs, given.rate)
