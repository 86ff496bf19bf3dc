"""The plan of a sweep: the files that it removes, and no others."""

import hashlib
import os
import stat
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from typing import NamedTuple

import msgspec

from app.act.local.sweep.beneath import Root, closing
from app.act.local.sweep.descent import Descent, Folder, is_file, join
from app.act.local.sweep.openfiles import OpenFiles
from app.act.local.sweep.sweeprules import (
    MARKS,
    Rule,
    find_owners,
    fits,
    is_special,
)

HOUR_NS = 3_600_000_000_000


class Planned(msgspec.Struct, frozen=True, order=True):
    """One file as it was when it was planned; it is removed only as such.

    Attributes:
        mtime: when its content changed, in nanoseconds since 1970.
        ctime: when anything about it changed.
        root: the folder of its rule.
        path: where it is below that.
        device: the file system.
        inode: its number there.
        size: how long it is.
        uid: whose it is.
        room: how much it takes on the disk.
    """

    mtime: int
    ctime: int
    root: str
    path: str
    device: int
    inode: int
    size: int
    uid: int
    room: int

    def is_same(self, found: os.stat_result) -> bool:
        """Tell whether this is still the very file, unchanged."""
        return describe(self.root, self.path, found) == self

    def line(self) -> str:
        """Return all that the hash covers, on one line."""
        where = show(f"{self.root}/{self.path}")
        return (
            f"{self.device} {self.inode} {self.size} {self.mtime}"
            f" {self.ctime} {self.uid} {where}\n"
        )


class Plan(NamedTuple):
    """What is to be removed, the oldest first.

    Attributes:
        files: the files.
        left: why others are none of it, and how many.
    """

    files: tuple[Planned, ...]
    left: Counter[str]

    @property
    def size(self) -> int:
        """Return how much room all of them take."""
        return sum(one.room for one in self.files)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the whole list."""
        found = hashlib.sha256()
        for one in self.files:
            found.update(one.line().encode())
        return found.hexdigest()

    def write(self, most_bytes: int) -> tuple[bytes, int]:
        """Return what the hash covers, as long as it fits, and how many."""
        lines = [one.line().encode() for one in self.files]
        ends = list(accumulate(map(len, lines)))
        count = bisect_right(ends, most_bytes)
        return b"".join(lines[:count]), count


class Planner:
    """Picks what a rule allows."""

    def __init__(
        self, rule: Rule, root: Root, now: int, opened: OpenFiles
    ) -> None:
        """Take the rule, its folder, the time, and what is in use.

        Args:
            rule: what may be removed.
            root: its folder.
            now: the moment, in microseconds since 1970.
            opened: what is open on the file system of that folder.
        """
        self._rule = rule
        self._root = root
        self._before = now * 1_000 - int(rule.min_age_hours * HOUR_NS)
        self._opened = opened.ids
        self._owners = find_owners(rule.owners)
        self._globs = [glob.split("/") for glob in rule.globs]
        self._left: Counter[str] = Counter()

    def plan(self, start: str, descent: Descent) -> Plan:
        """Return the plan.

        Args:
            start: where it begins below the root; "" is the root.
            descent: looks, within its bounds.
        """
        found: list[Planned] = []
        for folder in descent.run(self._root, start, self._enters):
            if any(entry.name in MARKS for entry in folder.entries):
                self._left["its folder says that it is kept"] += 1
                # Nor is anything below it looked at.
                folder.entries.clear()
            found += self._pick(folder)
            if len(found) > 2 * self._rule.max_files:
                found = self._cut(found)
        return Plan(tuple(self._cut(found)), self._left + descent.missed)

    def _enters(self, name: str) -> bool:
        """Tell whether a folder may be entered."""
        return not is_special(name)

    def _pick(self, folder: Folder) -> Iterator[Planned]:
        """Yield what may be removed in one folder."""
        found = [
            one
            for entry in folder.entries
            if self._is_meant(folder.path, entry)
            and (one := self._describe(folder, entry.name)) is not None
        ]
        found.sort(key=lambda one: one.mtime, reverse=True)
        self._left["one of the newest"] += len(found[: self._rule.keep])
        for one in islice(found, self._rule.keep, None):
            why = self._why_not(one)
            if why:
                self._left[why] += 1
            else:
                yield one

    def _is_meant(self, path: str, entry: "os.DirEntry[str]") -> bool:
        """Tell whether a name is one of the rule's, and that of a file."""
        if is_special(entry.name) or not is_file(entry):
            return False
        names = join(path, entry.name).split("/")
        return any(fits(names, glob) for glob in self._globs)

    def _describe(self, folder: Folder, name: str) -> Planned | None:
        """Return a file, None for what only one name of is here."""
        try:
            with closing(self._root.look_at(folder.file, name)) as file:
                found = os.fstat(file)
        except OSError as error:
            self._left[str(error.strerror)] += 1
            return None
        why = why_never(found, self._root.device)
        if why:
            self._left[why] += 1
            return None
        return describe(self._root.path, join(folder.path, name), found)

    def _why_not(self, one: Planned) -> str:
        """Return why a file stays, nothing when it may go."""
        changed = one.mtime
        if self._rule.age == "all":
            changed = max(changed, one.ctime)
        if changed > self._before:
            return "too new"
        if self._rule.owners and one.uid not in self._owners:
            return "somebody else's"
        if (one.device, one.inode) in self._opened:
            return "open"
        return ""

    def _cut(self, found: Sequence[Planned]) -> list[Planned]:
        """Return the oldest of all, as many as the rule allows."""
        kept: list[Planned] = []
        room = self._rule.max_bytes
        for one in sorted(found):
            if len(kept) >= self._rule.max_files:
                self._left["more than max_files"] += 1
            elif _weight(one) > room:
                self._left["more than max_bytes"] += 1
            else:
                room -= _weight(one)
                kept.append(one)
        return kept


def unite(plans: Sequence[Plan]) -> Plan:
    """Return the plans of all rules as one; a file is there once."""
    left: Counter[str] = Counter()
    files: dict[tuple[int, int], Planned] = {}
    for plan in plans:
        left += plan.left
        for one in plan.files:
            files.setdefault((one.device, one.inode), one)
    return Plan(tuple(sorted(files.values())), left)


def describe(root: str, path: str, found: os.stat_result) -> Planned:
    """Return a file as it is now."""
    return Planned(
        mtime=found.st_mtime_ns,
        ctime=found.st_ctime_ns,
        root=root,
        path=path,
        device=found.st_dev,
        inode=found.st_ino,
        size=found.st_size,
        uid=found.st_uid,
        room=512 * found.st_blocks,
    )


def why_never(found: os.stat_result, device: int) -> str:
    """Return why something is never removed, whatever a rule says."""
    if not stat.S_ISREG(found.st_mode):
        return "no file"
    if found.st_nlink != 1:
        return "it has other names"
    if found.st_dev != device:
        return "on another file system"
    return ""


def show(path: str) -> str:
    """Return a path that a name in it cannot make look like another."""
    return "".join(
        sign
        if sign.isprintable() and sign != "\\"
        else sign.encode("unicode_escape").decode("ascii")
        for sign in path
    )


def _weight(one: Planned) -> int:
    """Return what a file counts: its room, or its length if that is more."""
    return max(one.size, one.room)
