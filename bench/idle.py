"""What the service costs while nothing happens.

Run: python -m bench.idle [--seconds N]

As it is shipped, with every source switched on; then what a passage of the
canary adds.
"""

import argparse
import tempfile
import time
from pathlib import Path

from bench.ingest.run import cpu_seconds
from tests.service import HOME, OPEN, Service

# Tests leave these out; a service as it is shipped has them.
SHIPPED = {"decide": {"enabled": True}}
# What is loaded with the first canary is not what a minute costs.
WARM_SECONDS = 15
# Seconds from one canary to the next: longer than it takes.
EVERY = 8


def every_source() -> dict[str, object]:
    """Return settings with every source that there is."""
    files = sorted((HOME / "app/ingest/sources").glob("[a-z]*.py"))
    return {f.stem.replace("_", "-"): OPEN for f in files}


def resident_mb(pid: int) -> float:
    """Return the memory of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def measure(seconds: int) -> tuple[float, float]:
    """Start it, leave it alone; return its share of a core, and its MB."""
    with tempfile.TemporaryDirectory() as name:
        settings = {"sources": every_source(), **SHIPPED}
        environ = {"SMOKEJUMPER_CANARY__ENABLED": "true"}
        with Service(Path(name), settings, environ) as service:
            time.sleep(WARM_SECONDS)
            before = cpu_seconds(service.pid)
            time.sleep(seconds)
            used = cpu_seconds(service.pid) - before
            return used / seconds * 100, resident_mb(service.pid)


def measure_canary(seconds: int) -> float:
    """Return the CPU milliseconds of one passage of the canary.

    One service has it each few seconds, another not at all; both decide.
    """
    used = []
    for is_there in (False, True):
        canary = {
            "canary": {"every_seconds": EVERY},
            **SHIPPED,
        }
        environ = {"SMOKEJUMPER_CANARY__ENABLED": str(is_there).lower()}
        with (
            tempfile.TemporaryDirectory() as name,
            Service(Path(name), canary, environ) as service,
        ):
            time.sleep(2)
            before = cpu_seconds(service.pid)
            time.sleep(seconds)
            used.append(cpu_seconds(service.pid) - before)
    without, with_it = used
    return (with_it - without) / seconds * EVERY * 1_000


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    share, memory = measure(parser.parse_args().seconds)
    print(f"{share:.2f} % of a core, {memory:.0f} MB")
    print(f"a beat of the canary: {measure_canary(96):.0f} ms CPU")
