"""Counters: what the kernel has counted since it began.

Two looks at them make a rate. Names are ``what`` or ``what:device``; those
with ``_s`` at the end are seconds. ``core.`` is told for each core.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

MOST_BYTES = 1_048_576
SECTOR = 512
# Beyond these a machine has something odd; the figures stay few.
MOST_DEVICES = 64
_TICK = os.sysconf("SC_CLK_TCK")
_VMSTAT = ("oom_kill", "pgmajfault", "pswpin", "pswpout")
_TCP = ("RetransSegs", "OutSegs", "ListenOverflows", "ListenDrops")
Pair = tuple[str, float]


def read_counters(root: Path = Path("/")) -> dict[str, float]:
    """Return all that can be read; what cannot is not there."""
    now = time.monotonic()
    found: dict[str, float] = {
        "clock_s": time.time() - now,
        "clock.passed_s": now,
    }
    readers: tuple[tuple[str, Callable[[str], Iterable[Pair]]], ...] = (
        ("proc/stat", _read_stat),
        ("proc/vmstat", _read_vmstat),
        ("proc/net/dev", _read_interfaces),
        ("proc/net/snmp", _read_tcp),
        ("proc/net/netstat", _read_tcp),
    )
    for path, read in readers:
        # A counter that is missing is nothing to compare, and no failure.
        with suppress(OSError, ValueError, LookupError):
            found.update(read(read_text(root / path)))
    with suppress(OSError, ValueError, LookupError):
        blocks = {path.name for path in (root / "sys/block").iterdir()}
        text = read_text(root / "proc/diskstats")
        found.update(_read_disks(text, blocks))
    for kind in ("cpu", "memory", "io"):
        with suppress(OSError, ValueError, LookupError):
            text = read_text(root / "proc/pressure" / kind)
            found.update(_read_pressure(kind, text))
    return found


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """Return the beginning of a file, or raise OSError."""
    with path.open("rb") as file:
        return file.read(most).decode(errors="replace")


def _read_stat(text: str) -> Iterator[Pair]:
    """Yield how all cores, and each, spent their time."""
    for line in text.splitlines():
        name, *said = line.split()
        if name == "processes":
            yield "forks", float(said[0])
        if not name.startswith("cpu"):
            continue
        times = [float(one) / _TICK for one in said[:8]]
        busy = sum(times) - times[3] - times[4]
        if name != "cpu":
            yield f"core.{name[3:]}_s", busy
            continue
        yield from (
            ("cpu.busy_s", busy),
            ("cpu.all_s", sum(times)),
            ("cpu.waits_s", times[4]),
            ("cpu.stolen_s", times[7]),
            ("cpu.kernel_s", times[2] + times[5] + times[6]),
        )


def _read_vmstat(text: str) -> Iterator[Pair]:
    """Yield what the kernel did for want of memory."""
    for line in text.splitlines():
        name, _, count = line.partition(" ")
        if name in _VMSTAT:
            yield name, float(count)


def _read_interfaces(text: str) -> Iterator[Pair]:
    """Yield what went through each interface, and what was lost."""
    for line in text.splitlines()[2 : 2 + MOST_DEVICES]:
        name, _, said = line.partition(":")
        words = [float(one) for one in said.split()]
        yield from (
            (f"net.in:{name.strip()}", words[0]),
            (f"net.out:{name.strip()}", words[8]),
            (f"net.errors:{name.strip()}", words[2] + words[10]),
            (f"net.drops:{name.strip()}", words[3] + words[11]),
        )


def _read_tcp(text: str) -> Iterator[Pair]:
    """Yield what TCP had to say twice, and whom it did not let in."""
    lines = text.splitlines()
    for names, said in zip(lines[::2], lines[1::2], strict=False):
        if names.startswith(("Tcp:", "TcpExt:")):
            pairs = zip(names.split(), said.split(), strict=False)
            yield from ((f"tcp.{n}", float(v)) for n, v in pairs if n in _TCP)


def _read_disks(text: str, blocks: set[str]) -> Iterator[Pair]:
    """Yield what each whole disk did."""
    count = 0
    for line in text.splitlines():
        words = line.split()
        name, said = words[2], [float(one) for one in words[3:14]]
        if name not in blocks or not any(said) or count >= MOST_DEVICES:
            continue
        count += 1
        yield from (
            (f"disk.reads:{name}", said[0]),
            (f"disk.writes:{name}", said[4]),
            (f"disk.read:{name}", said[2] * SECTOR),
            (f"disk.written:{name}", said[6] * SECTOR),
            (f"disk.waited_s:{name}", (said[3] + said[7]) / 1000),
            (f"disk.busy_s:{name}", said[9] / 1000),
            (f"disk.queue_s:{name}", said[10] / 1000),
        )


def _read_pressure(kind: str, text: str) -> Iterator[Pair]:
    """Yield how long some, and all, waited for something."""
    for line in text.splitlines():
        who, *said = line.split()
        total = next(one for one in said if one.startswith("total="))
        yield f"pressure.{kind}.{who}_s", float(total[6:]) / 1e6
