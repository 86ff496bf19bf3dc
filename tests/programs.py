"""What some tests need of the system: found, or skipped by name.

With REAL_SYSTEMS=required in the environment, as in CI, what is missing
fails its tests instead of skipping them: a program, or a small file system
that cannot be mounted.
"""

import os
import random
import shutil
import socket
from pathlib import Path
from typing import NoReturn

import pytest

PLACES = (
    "/usr/sbin",
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/15/bin",
)


def find(program: str) -> Path | None:
    """Return where a program is, None when it is not here."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *PLACES])
    found = shutil.which(program, path=path)
    return Path(found) if found else None


def need(program: str, package: str) -> Path:
    """Return where a program is, or skip naming what would add it."""
    found = find(program)
    if not found:
        lack(f"{program} is not here: apt-get install {package}")
    return found


def lack(what: str) -> NoReturn:
    """Skip a test that lacks something, or fail it where all must run."""
    if os.environ.get("REAL_SYSTEMS") == "required":
        pytest.fail(what)
    pytest.skip(what)


def free_port() -> int:
    """Return a loopback port that no server and no connection has.

    Linux gives those from 32768 on to connections: until a server of the
    test listens there, the next connection could get it. (A Zabbix server
    takes none of those, either.)
    """
    for port in random.sample(range(10_000, 32_768), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("a hundred ports of this machine are taken")
