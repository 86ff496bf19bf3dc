"""A storm within its limits: nothing lost, drained in time, in little memory.

python -m scripts.soak.storm 100000
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.acting.field import Field, Plan
from bench.storm import Blown, Storm, blow
from tests.chaos.tally import Tally, write

A_MINUTE = 60.0
WHOLE = 100_000
HOSTS = 2_000
# So many alerts of each host come, whatever the scale.
PER_HOST = WHOLE // HOSTS
DRAINED_SECONDS = 600.0
MEMORY_MB = 500.0


def storm_of(alerts: int) -> Storm:
    """Return a storm as fast as the whole one, as long as it takes."""
    hosts = max(1, alerts // PER_HOST)
    seconds = A_MINUTE * hosts * PER_HOST / WHOLE
    return Storm(alerts=hosts * PER_HOST, hosts=hosts, seconds=seconds)


def faults_of(blown: Blown) -> Iterator[str]:
    """Yield which limits were broken."""
    if blown.drained > DRAINED_SECONDS:
        yield f"drained after {blown.drained:.0f} s"
    if blown.peak_mb > MEMORY_MB:
        yield f"it took {blown.peak_mb:.0f} MB"


def play(alerts: int) -> list[str]:
    """Blow, and write down what came of it; return what must not be."""
    wind = storm_of(alerts)
    with (
        tempfile.TemporaryDirectory(prefix="smokejumper-storm-") as name,
        Field(Path(name), Plan()) as field,
    ):
        try:
            faults = list(faults_of(blow(field, wind)))
        except (RuntimeError, TimeoutError) as error:
            faults = [str(error)]
    write(Tally.of("alerts of a storm", wind.alerts, faults))
    return faults


def main() -> int:
    """Blow as hard as the command line says; return the status."""
    faults = play(int(sys.argv[1]))
    print("\n".join(faults) or "nothing lost, within all limits")
    return min(1, len(faults))


if __name__ == "__main__":
    sys.exit(main())
