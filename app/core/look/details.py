"""Details of a few processes: what costs too much to read for all."""

import os
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path

import msgspec

from app.core.look.snapshot import PROC, Key, read_proc

MOST_PROCS = 50
MOST_BYTES = 16_384
MOST_WORDS = 200
# All that the system lets one program be told, as it is usually set up.
MOST_COMMAND = 2 * 1_024 * 1_024
MOST_FILES = 100_000
UNKNOWN = -1


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What one process is and does; -1 and "" where it is not shown.

    Attributes:
        command: its command line, the beginning of a long one; it may hold
            secrets.
        exe: the file that it runs.
        uid: whose it is.
        cgroup: the control group that says most about it.
        read_bytes: what it has read from disks so far.
        written_bytes: what it has written to disks so far.
        files: how many files it has open.
        swap_bytes: its memory that is in swap.
    """

    command: tuple[str, ...] = ()
    exe: str = ""
    uid: int = UNKNOWN
    cgroup: str = ""
    read_bytes: int = UNKNOWN
    written_bytes: int = UNKNOWN
    files: int = UNKNOWN
    swap_bytes: int = UNKNOWN


def details(keys: Iterable[Key]) -> dict[Key, Details]:
    """Return details of some processes, of no more than fifty.

    One that is gone, or whose number is another's by now, is left out.
    """
    found = {}
    for key in islice(keys, MOST_PROCS):
        one = _read(key[0])
        now = read_proc(key[0])
        if now is not None and now.key == key:
            found[key] = one
    return found


def _read(pid: int) -> Details:
    """Return what is shown of whoever has a number now."""
    traffic = read_named(pid, "io")
    status = read_named(pid, "status")
    return Details(
        command=read_command(pid),
        exe=read_exe(pid),
        uid=_number(status.get("Uid", "")),
        cgroup=name_cgroup(read_text(pid, "cgroup")),
        read_bytes=_number(traffic.get("read_bytes", "")),
        written_bytes=_number(traffic.get("write_bytes", "")),
        files=_count_files(pid),
        swap_bytes=_kilobytes(status.get("VmSwap", "")),
    )


def read_command(pid: int) -> tuple[str, ...]:
    """Return the command line of a process, bounded; none is empty."""
    words = read_text(pid, "cmdline").split("\0", MOST_WORDS)
    return tuple(words[:MOST_WORDS]) if any(words) else ()


def read_whole_command(pid: int) -> tuple[tuple[str, ...], bool]:
    """Return the command line of a process, and whether it is all of it.

    It is read for the one that shall be ended: what Java runs stands behind
    all that it finds it in.
    """
    found = _read_file(pid, "cmdline", MOST_COMMAND + 1)
    words = tuple(found.decode("utf-8", "replace").split("\0"))
    is_whole = 0 < len(found) <= MOST_COMMAND
    return (words if any(words) else ()), is_whole


def read_users(pid: int) -> tuple[int, ...]:
    """Return the real and the effective user of a process; none if gone."""
    words = read_named(pid, "status").get("Uid", "").split()[:2]
    return tuple(int(word) for word in words if word.isdecimal())


def read_exe(pid: int) -> str:
    """Return the file that a process runs, "" when it is not shown."""
    with suppress(OSError):
        return str(Path(f"{PROC}/{pid}/exe").readlink())
    return ""


def read_named(pid: int, file: str) -> dict[str, str]:
    """Return the lines ``NAME: VALUE`` of a file of a process."""
    found = {}
    for line in read_text(pid, file).splitlines():
        name, _, value = line.partition(":")
        found[name] = value.strip()
    return found


def read_text(pid: int, name: str) -> str:
    """Return a file of a process, bounded; "" when it is not shown."""
    return _read_file(pid, name, MOST_BYTES).decode("utf-8", "replace")


def _read_file(pid: int, name: str, most: int) -> bytes:
    """Return a file of a process, bounded; nothing when it is not shown."""
    with suppress(OSError), Path(f"{PROC}/{pid}/{name}").open("rb") as file:
        return file.read(most)
    return b""


def name_cgroup(text: str) -> str:
    """Return the group of /proc/PID/cgroup that says most.

    The one of cgroup v2 or of systemd, else the longest of the old ones.
    """
    paths = {}
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        paths[names] = path
    for names in ("", "name=systemd"):
        if paths.get(names, "/") != "/":
            return paths[names]
    return max(paths.values(), key=len, default="")


def _count_files(pid: int) -> int:
    """Return how many files a process has open."""
    with suppress(OSError), os.scandir(f"{PROC}/{pid}/fd") as found:
        return sum(1 for _ in islice(found, MOST_FILES))
    return UNKNOWN


def _number(text: str) -> int:
    """Return the first number of a line."""
    word = text.split(maxsplit=1)[0] if text else ""
    return int(word) if word.isdecimal() else UNKNOWN


def _kilobytes(text: str) -> int:
    """Return ``N kB`` in bytes."""
    found = _number(text)
    return found * 1_024 if found != UNKNOWN else UNKNOWN
