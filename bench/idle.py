"""What the service costs while nothing happens.

Run: python -m bench.idle [--seconds N]
"""

import argparse
import tempfile
import time
from pathlib import Path

from bench.ingest.run import cpu_seconds
from tests.service import HOME, OPEN, Service


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


def main(seconds: int) -> None:
    """Start it, leave it alone, and print what it used."""
    with tempfile.TemporaryDirectory() as name:
        settings = {"sources": every_source()}
        with Service(Path(name), settings) as service:
            time.sleep(2)
            before = cpu_seconds(service.pid)
            time.sleep(seconds)
            used = cpu_seconds(service.pid) - before
            share = used / seconds * 100
            memory = resident_mb(service.pid)
            print(f"{share:.2f} % of a core, {memory:.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    main(parser.parse_args().seconds)
