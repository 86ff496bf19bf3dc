"""Control groups: the limits that hold a part of this machine back."""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from app.act.local.look.lens import Lens

MOST_GROUPS = 400
MOST_DEPTH = 6
_ROOTS = ("sys/fs/cgroup", "sys/fs/cgroup/unified")


def groups(lens: Lens) -> Iterator[tuple[str, Path]]:
    """Yield control groups of the second version, the outer ones first."""
    for root in _ROOTS:
        top = lens.root / root
        if (top / "cgroup.controllers").exists():
            yield from _below(top)
            return


def _below(top: Path) -> Iterator[tuple[str, Path]]:
    """Yield a bounded number of groups below one, by their paths."""
    waiting = deque([(top, 0)])
    for _ in range(MOST_GROUPS):
        if not waiting:
            return
        folder, depth = waiting.popleft()
        yield f"/{folder.relative_to(top)}".replace("/.", "/"), folder
        if depth >= MOST_DEPTH:
            continue
        with suppress(OSError):
            inner = [one for one in folder.iterdir() if one.is_dir()]
            waiting.extend((one, depth + 1) for one in sorted(inner))


def read_pairs(file: Path) -> dict[str, int]:
    """Return the numbers of a file by name; nothing when there is none."""
    found = {}
    with suppress(OSError, ValueError):
        for line in file.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(" ")
            found[name] = int(value)
    return found


def read_number(file: Path) -> int | None:
    """Return the number of a file; None for none, or for no limit."""
    with suppress(OSError, ValueError):
        return int(file.read_text(encoding="utf-8"))
    return None
