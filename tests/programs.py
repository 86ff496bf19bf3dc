"""Programs of others that some tests need: found, or skipped by name.

With REAL_SYSTEMS=required in the environment, as in CI, a missing program
fails its tests instead of skipping them.
"""

import os
import shutil
import socket
from pathlib import Path

import pytest

PLACES = (
    "/usr/sbin",
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/15/bin",
)


def need(program: str, package: str) -> Path:
    """Return where a program is, or skip naming what would add it."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *PLACES])
    found = shutil.which(program, path=path)
    if found:
        return Path(found)
    remedy = f"{program} is not here: apt-get install {package}"
    if os.environ.get("REAL_SYSTEMS") == "required":
        pytest.fail(remedy)
    pytest.skip(remedy)


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
