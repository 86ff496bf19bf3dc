"""Accepting deliveries, side by side with echoes, in alternating slices.

Run: python -m bench.ingest.run [--alerts N] [--postgres] [--fsync-ms N]
Needs wrk (apt-get install wrk). Trust the ratios and the CPU time per
request; the requests per second move with what else the machine does.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec

from tests.postgres import Postgres
from tests.programs import free_port
from tests.service import HOME, Service

TOKEN = "bench-token"
START_SECONDS = 60.0
TICKS = os.sysconf("SC_CLK_TCK")
FOLDER = Path(__file__).parent
ECHOES = {"FastAPI echo": "fastapi", "raw echo": "raw"}


class Slice(msgspec.Struct, frozen=True):
    """What one slice of load measured."""

    per_second: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    errors: int


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent.

    Attributes:
        alerts: so many in each delivery.
        connections: over so many connections at once.
        seconds: how long a slice is.
        rounds: how many slices each server gets.
        fsync_ms: so much longer takes each fsync of ours.
        postgres: whether ours is on PostgreSQL.
    """

    alerts: int = 1
    connections: int = 64
    seconds: int = 5
    rounds: int = 5
    fsync_ms: int = 0
    postgres: bool = False


class Beside(msgspec.Struct, frozen=True):
    """Our requests per second beside those of an echo, in pairs of slices.

    Attributes:
        ours: the median of ours.
        theirs: the median of the echo's.
        ratios: of each pair, in ascending order.
        cpu: the echo's CPU for a request, as a share of ours.
    """

    ours: float
    theirs: float
    ratios: list[float]
    cpu: float

    @property
    def ratio(self) -> float:
        """Return the median of the ratios."""
        return statistics.median(self.ratios)


class Echo:
    """A reference server as a process."""

    def __init__(self, kind: str) -> None:
        self.port = free_port()
        self._kind = kind
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return its process id."""
        if self._process is None:
            raise RuntimeError("it does not run")
        return self._process.pid

    def start(self) -> None:
        """Start it and return when it answers the first connection."""
        command = [sys.executable, "-m", "bench.ingest.echo"]
        self._process = subprocess.Popen(
            [*command, self._kind, str(self.port)], cwd=HOME
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"the {self._kind} echo does not answer")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used, threads and all."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def load(port: int, pid: int, options: Load, seed: int) -> Slice:
    """Send one slice of load and measure it."""
    before = cpu_seconds(pid)
    done = subprocess.run(
        [
            "wrk", "-t", "1", "-c", str(options.connections),
            "-d", f"{options.seconds}s", "-s", str(FOLDER / "alerts.lua"),
            f"http://127.0.0.1:{port}/webhooks/alertmanager",
            "--", str(options.alerts), str(seed), TOKEN,
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=options.seconds + 60,
    )  # fmt: skip
    used = cpu_seconds(pid) - before
    line = next(x for x in done.stdout.splitlines() if x.startswith("RESULT"))
    requests, duration, p50, p99, errors = line.split()[1:]
    count = max(1, int(requests))
    return Slice(
        per_second=count / (int(duration) / 1e6),
        cpu_us=used / count * 1e6,
        p50_ms=float(p50),
        p99_ms=float(p99),
        errors=int(errors),
    )


def settings(url: str) -> dict[str, object]:
    """Return the service's settings: authentication on, limits as shipped."""
    auth = {"kind": "bearer", "secrets": [TOKEN]}
    tree: dict[str, object] = {"sources": {"alertmanager": {"auth": auth}}}
    if url:
        tree["database"] = {"url": url}
    return tree


def slow_disk(folder: Path, milliseconds: int) -> dict[str, str]:
    """Return the environment that adds time to every fsync."""
    if not milliseconds:
        return {}
    library = folder / "slow_fsync.so"
    source = FOLDER / "slow_fsync.c"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True
    )
    return {
        "LD_PRELOAD": str(library),
        "SLOW_FSYNC_US": str(milliseconds * 1000),
    }


def measure(options: Load) -> dict[str, list[Slice]]:
    """Return the slices of all three, taken in turns."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = ""
        if options.postgres:
            url = stack.enter_context(Postgres()).make_database("bench")
        environ = slow_disk(folder, options.fsync_ms)
        echoes = {label: Echo(kind) for label, kind in ECHOES.items()}
        with Service(folder, settings(url), environ) as service:
            ports = {"Smokejumper": (service.port, service.pid)}
            for label, echo in echoes.items():
                stack.callback(echo.stop)
                echo.start()
                ports[label] = (echo.port, echo.pid)
            slices: dict[str, list[Slice]] = {label: [] for label in ports}
            seed = int(time.time()) % 100_000 * 100
            for port, pid in ports.values():
                load(port, pid, options, seed := seed + 1)
            for _ in range(options.rounds):
                for label, (port, pid) in ports.items():
                    seed += 1
                    slices[label].append(load(port, pid, options, seed))
    return slices


def set_beside(slices: dict[str, list[Slice]], label: str) -> Beside:
    """Return ours beside one of the echoes."""
    pairs = list(zip(slices["Smokejumper"], slices[label], strict=True))
    return Beside(
        ours=statistics.median(a.per_second for a, _ in pairs),
        theirs=statistics.median(b.per_second for _, b in pairs),
        ratios=sorted(a.per_second / b.per_second for a, b in pairs),
        cpu=statistics.median(b.cpu_us / a.cpu_us for a, b in pairs),
    )


def cpu_per_alert(slices: dict[str, list[Slice]], alerts: int) -> float:
    """Return our CPU for an alert, in milliseconds."""
    ours = slices["Smokejumper"]
    return statistics.median(s.cpu_us for s in ours) / alerts / 1000


def report(slices: dict[str, list[Slice]], alerts: int) -> None:
    """Print the table and the ratios."""
    print(f"{'':14}{'req/s':>9}{'CPU us':>9}{'p50 ms':>9}{'p99 ms':>9} errors")
    for label, some in slices.items():
        columns = zip(*(msgspec.structs.astuple(s) for s in some), strict=True)
        rate, cpu, p50, p99, _ = map(statistics.median, columns)
        errors = sum(s.errors for s in some)
        print(f"{label:14}{rate:9.0f}{cpu:9.1f}{p50:9.1f}{p99:9.1f} {errors}")
    for label in ECHOES:
        found = set_beside(slices, label)
        low, high = found.ratios[0], found.ratios[-1]
        print(
            f"to {label}: {found.ratio:.2f} of its req/s"
            f" ({low:.2f}-{high:.2f}), {found.cpu:.2f} by CPU"
        )
    print(f"CPU per alert: {cpu_per_alert(slices, alerts):.3f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=1)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fsync-ms", type=int, default=0)
    parser.add_argument("--postgres", action="store_true")
    arguments = parser.parse_args()
    report(measure(Load(**vars(arguments))), arguments.alerts)
