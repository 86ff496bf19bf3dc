"""What tests of the simulator share: settings, waiting, looking."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from simulator.mounting import SOURCE
from simulator.settings import Settings, make_settings

HERE = Path(__file__).resolve().parents[3]
DEADLINE_SECONDS = 20.0
MB = 1024 * 1024


def wait_for(is_so: Callable[[], object]) -> None:
    """Wait until something is so, or fail."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to be so"
        time.sleep(0.01)


@contextmanager
def full() -> Iterator[None]:
    """Let no file get longer, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def none_left_to_open() -> Iterator[None]:
    """Let this process open no further file, as one that has too many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def settings_at(home: Path, **values: Any) -> Settings:
    """Return settings with a folder of their own, small and on."""
    most = {"disk_mb": 8, "memory_mb": 64} | values.pop("most", {})
    given = {"enabled": True, "folder": str(home), "most": most}
    return make_settings(given | {"disk": {"kind": "folder"}} | values)


def our_children() -> set[int]:
    """Return what runs below this process: other tests have programs, too."""
    return {one.pid for one in psutil.Process().children()}


def born_since(known: set[int]) -> list[psutil.Process]:
    """Return what was started here since then, and is there still."""
    found = psutil.Process().children()
    return [one for one in found if one.pid not in known]


def processes(name: str) -> list[psutil.Process]:
    """Return those of a name that are below this process."""
    found = psutil.Process().children(recursive=True)
    return [one for one in found if named(one, name)]


def named(one: psutil.Process, name: str) -> bool:
    """Tell whether a process is there and called so."""
    try:
        is_there = one.status() != psutil.STATUS_ZOMBIE
        return is_there and one.name() == name
    except psutil.NoSuchProcess:
        return False


def mounts_below(home: Path) -> list[str]:
    """Return what the simulator mounted below a folder."""
    lines = Path("/proc/mounts").read_text().splitlines()
    return [
        line
        for line in lines
        if line.startswith(SOURCE) and f" {home}/" in line
    ]


def files_below(home: Path) -> set[str]:
    """Return the files of a folder, without those that always stay."""
    stay = {"lock", "journal.jsonl", "truth.jsonl", ".smokejumper-simulator"}
    found = {str(path.relative_to(home)) for path in home.rglob("*")}
    return found - stay - {"disk", "services"}


def can_mount() -> bool:
    """Tell whether a tmpfs can be mounted here, or must be."""
    if sys.platform != "linux" or os.geteuid():
        return False
    if os.environ.get("REAL_SYSTEMS") == "required":
        # What needs it runs then, and fails where it cannot.
        return True
    words = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    try:
        return not subprocess.run(
            words, capture_output=True, timeout=60, check=False
        ).returncode
    except FileNotFoundError:
        return False
