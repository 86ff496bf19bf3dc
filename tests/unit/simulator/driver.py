"""A simulator in a process of its own, to be killed by a test.

    python -m tests.unit.simulator.driver FOLDER KIND,KIND... [DISK]

Says "pid pid ..." of its children once all kinds run, its guard's first.
"""

import sys
import time
from pathlib import Path

import psutil

from simulator.fault import Order
from simulator.stage import Stage
from tests.unit.simulator.scene import settings_at

LEVELS = {"memory": 20, "cpu": 10, "zombies": 5, "files": 50, "io": 1}


def main() -> None:
    """Start the kinds, say so, and do nothing more."""
    home, kinds, disk = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    stage = Stage(settings_at(home, disk={"kind": disk}))
    stage.open()
    for kind in kinds.split(","):
        stage.start(Order(kind, level=LEVELS.get(kind), seconds=60))
    found = psutil.Process().children(recursive=True)
    pids = [str(one.pid) for one in found]
    sys.stdout.write(" ".join(pids) + "\n")
    sys.stdout.flush()
    time.sleep(60)


if __name__ == "__main__":
    main()
