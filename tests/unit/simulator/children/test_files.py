"""A child that may not hold so many files open says so."""

import json
import os
import resource
import subprocess
import sys

from tests.unit.simulator.scene import HERE


def test_its_limit_is_told_in_its_own_words() -> None:
    """However it was checked before."""
    told = {"parent": os.getpid(), "name": "sim-files", "seconds": 60}
    done = subprocess.run(
        [sys.executable, "-S", "-m", "simulator.children.files"],
        cwd=HERE,
        input=json.dumps(told | {"level": 200}).encode() + b"\n",
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (100, 100)
        ),
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith(b"it may not hold 200 files open")
