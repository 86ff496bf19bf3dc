"""Look for files that are deleted and still open: room that nobody sees."""

import os
from collections import Counter
from contextlib import suppress

from app.act.local.look.lens import MOST_PROCS, Lens
from app.act.local.look.probe import Notes, Probe
from app.core.look.amounts import size

TITLE = "deleted files that are still open"
TOPICS = frozenset({"disk", "storage", "logs", "backup"})
MOST_FILES = 100_000
MOST_SHOWN = 10
LEAST_ODD = 1_000_000_000
BLOCK = 512
# What was never a file of a disk.
UNREAL = ("/memfd:", "/SYSV", "/dev/", "/[aio]", "/anon_hugepage")
MARK = " (deleted)"


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look)


def _look(lens: Lens, notes: Notes) -> None:
    """Note who holds how much of what is deleted."""
    held: Counter[tuple[str, str]] = Counter()
    seen: set[tuple[int, int]] = set()
    looked = hidden = 0
    pids = [name for name in lens.folder("proc", 10_000) if name.isdigit()]
    for pid in pids[:MOST_PROCS]:
        files, is_hidden = _open_files(lens, pid, MOST_FILES - looked)
        looked += len(files)
        hidden += is_hidden
        for file in files:
            _add(lens, pid, file, held, seen)
    for (pid, path), count in held.most_common(MOST_SHOWN):
        text = f"{size(count)} {path}, held by {_name(lens, pid)}[{pid}]"
        notes.say(TITLE, text)
        if count >= LEAST_ODD:
            notes.odd(63.0, f"deleted but still open: {text}")
    if hidden:
        notes.say(TITLE, f"{hidden} processes need more rights to look at")
    notes.say(TITLE, f"{size(sum(held.values()))} in all")


def _open_files(lens: Lens, pid: str, most: int) -> tuple[list[str], bool]:
    """Return a process's open files, and whether they are hidden."""
    try:
        return lens.folder(f"proc/{pid}/fd", most), False
    except PermissionError:
        return [], True
    except OSError:
        return [], False


def _add(
    lens: Lens,
    pid: str,
    file: str,
    held: Counter[tuple[str, str]],
    seen: set[tuple[int, int]],
) -> None:
    """Add one open file if it is deleted; each is counted once."""
    path = lens.root / f"proc/{pid}/fd/{file}"
    with suppress(OSError):
        target = os.readlink(path)  # noqa: PTH115 a Path would cut its end
        if not target.endswith(MARK) or target.startswith(UNREAL):
            return
        found = path.stat()
        inode = found.st_dev, found.st_ino
        if inode not in seen and found.st_blocks:
            seen.add(inode)
            held[pid, target.removesuffix(MARK)] += found.st_blocks * BLOCK


def _name(lens: Lens, pid: str) -> str:
    """Return what the kernel calls a process."""
    with suppress(OSError):
        return lens.text(f"proc/{pid}/comm").strip()
    return "a process"
