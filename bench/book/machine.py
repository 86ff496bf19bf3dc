"""The machine that figures were taken on, and how fast it was just then."""

import hashlib
import os
import platform
import time
from pathlib import Path

import msgspec

ROUNDS = 7
PIECES = 20_000


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What figures were taken on."""

    cores: int
    model: str
    memory_gb: float
    python: str
    kernel: str
    load: tuple[float, float, float]

    def __str__(self) -> str:
        """Return it as a line."""
        loads = " ".join(f"{one:.1f}" for one in self.load)
        return (
            f"{self.cores} cores of {self.model}, {self.memory_gb:.0f} GB,"
            f" Linux {self.kernel}, Python {self.python}, load {loads} before"
        )


def look() -> Machine:
    """Return this machine as it is now."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        model=_line(Path("/proc/cpuinfo"), "model name") or "unknown",
        memory_gb=os.sysconf("SC_PHYS_PAGES")
        * os.sysconf("SC_PAGE_SIZE")
        / 1e9,
        python=platform.python_version(),
        kernel=platform.release(),
        load=os.getloadavg(),
    )


def pace_ms() -> float:
    """Return the CPU milliseconds that a fixed piece of work takes now.

    Dictionaries, JSON and hashes, as the service does them. The quickest of
    some rounds: a figure in CPU time is set beside an older one by it.
    """
    return min(_work() for _ in range(ROUNDS))


def _work() -> float:
    """Return what one round took."""
    began = time.process_time()
    digest = hashlib.sha256()
    for number in range(PIECES // 40):
        piece = {f"label_{n}": f"value-{number}-{n}" for n in range(40)}
        text = msgspec.json.encode(piece)
        digest.update(text)
        back: dict[str, str] = msgspec.json.decode(text)
        sorted(back.values(), key=len)
    return (time.process_time() - began) * 1_000


def _line(file: Path, name: str) -> str:
    """Return what the kernel says after a name, or nothing."""
    for line in file.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
