"""The identity: who exactly a process is, so that no other is taken for it.

Numbers are given anew. With the moment of its start, the file that it runs,
its user and its group it is one process, and the same program as before.
"""

from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec

from app.act.local.hand import Unwilling
from app.act.local.look.aside import Aside
from app.core.brief import brief
from app.core.errors import OutgoingFailed
from app.core.look.details import (
    name_cgroup,
    read_exe,
    read_named,
    read_text,
)
from app.core.look.snapshot import PROC, Key, Proc, read_proc

# It may end, or become another program, while it is read.
TRIES = 3
SHOWN_CHARS = 200
STAT_SECONDS = 1.0


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who a process is.

    Attributes:
        pid: its number.
        start: when it began, in clock ticks since the machine did.
        name: what the kernel calls it; it may change that itself.
        exe: the path of the file that it runs.
        device: the file system of that file.
        inode: its number there.
        uid: its real user.
        effective_uid: as whom it acts.
        cgroup: the control group that says most about it.
        cgroups: all of them, as the kernel writes them.
        inner_pid: its number within its own container.
        is_contained: whether it lives in one.
    """

    pid: int
    start: int
    name: str
    exe: str
    device: int
    inode: int
    uid: int
    effective_uid: int
    cgroup: str
    cgroups: str
    inner_pid: int
    is_contained: bool

    @property
    def key(self) -> Key:
        """Return the number and the start."""
        return self.pid, self.start

    def __str__(self) -> str:
        """Return all of it in a line of an output."""
        exe, cgroup = brief(self.exe), brief(self.cgroup)
        return (
            f"{self.name}[{self.pid}], started at tick {self.start},"
            f" {exe} (device {self.device}, inode {self.inode}),"
            f" uid {self.uid}, cgroup {cgroup or 'none'}"
        )


# What must be the same; a name is a process's own word.
COMPARED = (
    "pid",
    "start",
    "exe",
    "device",
    "inode",
    "uid",
    "effective_uid",
    "cgroups",
)


def identify(pid: int) -> Identity | None:
    """Return who has a number now, None for nobody.

    Raises:
        Unwilling: the system does not show us who it is.
    """
    for _ in range(TRIES):
        before = read_proc(pid)
        if before is None or before.state in "ZX":
            return None
        found = _read(before)
        after = read_proc(pid)
        # All of it is of one process only when it is so around it.
        if after is not None and after.key == before.key and found:
            return found
    if read_proc(pid) is None:
        return None
    raise Unwilling(
        f"we are not shown who {before} is: without its file, its user and"
        " its group it is not touched"
    )


def _read(proc: Proc) -> Identity | None:
    """Return who a process is, None when not all of it is shown."""
    exe = read_exe(proc.pid)
    file = _stat_aside(proc.pid, exe) if exe else None
    status = read_named(proc.pid, "status")
    users = status.get("Uid", "").split()
    cgroups = read_text(proc.pid, "cgroup")
    if not exe or file is None or len(users) < 2:
        return None
    inner = status.get("NSpid", "").split() or [str(proc.pid)]
    return Identity(
        pid=proc.pid,
        start=proc.start,
        # Whatever signs are in it: it is for an output, in one line.
        name=brief(proc.name),
        exe=exe,
        device=file[0],
        inode=file[1],
        uid=int(users[0]),
        effective_uid=int(users[1]),
        cgroup=name_cgroup(cgroups),
        cgroups=cgroups,
        inner_pid=int(inner[-1]),
        is_contained=len(inner) > 1,
    )


def _stat_aside(pid: int, exe: str) -> tuple[int, int] | None:
    """Return device and inode of what a process runs, None if not shown.

    Its file may be on a file system whose server is away: that hangs, and
    costs one thread for each file.
    """
    with suppress(OSError, OutgoingFailed):
        looked = Aside(f"exe:{exe}"[:SHOWN_CHARS], partial(_stat, pid))
        return looked.get(STAT_SECONDS)
    return None


def _stat(pid: int) -> tuple[int, int]:
    """Return device and inode of what a process runs, or raise OSError."""
    found = Path(f"{PROC}/{pid}/exe").stat()
    return found.st_dev, found.st_ino


def differences(known: Identity, found: Identity | None) -> list[str]:
    """Return in what two identities differ; the words are for people."""
    if found is None:
        return ["it is gone"]
    return [
        f"{name} was {_show(known, name)}, is {_show(found, name)}"
        for name in COMPARED
        if getattr(known, name) != getattr(found, name)
    ]


def _show(one: Identity, name: str) -> str:
    """Return a field on one line, cut."""
    return " ".join(str(getattr(one, name)).split())[:SHOWN_CHARS]
