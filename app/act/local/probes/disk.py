"""Look at file systems: how full, how fast they fill, and with what."""

import os
import re
import time
from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from app.act.local.look.lens import Lens
from app.act.local.look.probe import (
    FIGURE,
    LEAST_COUNT,
    LONG_SECONDS,
    Notes,
    Probe,
    why,
)
from app.act.local.look.walking import MOST_SECONDS, Weighed, weigh
from app.core.look.amounts import percent, size, span
from app.core.look.past import EVERY_SECONDS, Growth

TITLE = "file systems"
TOPICS = frozenset({"disk", "storage", "backup", "logs", "database", "queue"})
MOST_MOUNTS = 64
STAT_SECONDS = 2.0
# From here on it is looked at what fills one.
FULL, LOOKED_INTO = 90.0, 80.0
BROKEN = 97.0
MOST_WALKED = 2
# A pace of less time than this is none, unless it is a fifth of the disk.
LEAST_SECONDS, HUGE_GROWTH = EVERY_SECONDS * LEAST_COUNT, 20.0
SOON_SECONDS = 86_400.0
# Those of a container and of its disk differ by what is written meanwhile.
SAME_SHARE = 0.001
# File systems that hold no files of ours, or are always full.
UNREAL = frozenset(
    {
        "proc",
        "sysfs",
        "devtmpfs",
        "devpts",
        "cgroup",
        "cgroup2",
        "securityfs",
        "pstore",
        "bpf",
        "tracefs",
        "debugfs",
        "configfs",
        "fusectl",
        "mqueue",
        "hugetlbfs",
        "autofs",
        "binfmt_misc",
        "nsfs",
        "rpc_pipefs",
        "efivarfs",
        "selinuxfs",
        "squashfs",
        "iso9660",
        "ramfs",
        "overlay",
    }
)
HIDDEN = (FileNotFoundError, NotADirectoryError)
_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(msgspec.Struct, frozen=True):
    """One file system where it is mounted."""

    place: str
    kind: str
    source: str
    device: str
    is_read_only: bool


class Filled(msgspec.Struct, frozen=True):
    """How full a file system is."""

    total: int
    free: int
    used: float
    files: float


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look, seconds=12.0)


def _look(lens: Lens, notes: Notes) -> None:
    """Note all file systems, then what fills the fullest."""
    found = fold(_read_all(lens, notes))
    for mount, filled in found:
        _note_mount(lens, notes, mount, filled)
    own = [one for one in found if not one[0].is_read_only]
    own.sort(key=lambda one: -_fullness(one[1]))
    for mount, filled in own[:1]:
        text = f"{percent(filled.used)} of {size(filled.total)} used"
        notes.odd(FIGURE, f"fullest file system: {mount.place} {text}")
    for mount, filled in own[:MOST_WALKED]:
        if _fullness(filled) >= LOOKED_INTO:
            _note_largest(lens, notes, mount)


def _read_all(lens: Lens, notes: Notes) -> list[tuple[Mount, Filled]]:
    """Return how full each one is; note those that do not say it."""
    found: list[tuple[Mount, Filled]] = []
    mounts = {mount.place: mount for mount in find_mounts(lens)}
    writable = _meant_writable(lens)
    calls = {f"mount {at}": partial(_fill, at) for at in mounts}
    for key, said in lens.all_of(calls, STAT_SECONDS):
        mount = mounts[key.removeprefix("mount ")]
        if isinstance(said, Exception):
            text = f"{mount.place} ({mount.kind} {mount.source})"
            notes.say(TITLE, f"{text}: not readable: {why(said)}")
            # What lies below another one cannot be reached, and is well.
            if not isinstance(said, (PermissionError, *HIDDEN)):
                notes.odd(90.0, f"file system {text} hangs: {why(said)}")
            continue
        if said.total:
            found.append((mount, said))
        if mount.is_read_only and mount.place in writable:
            notes.odd(95.0, f"{mount.place} is read-only, fstab says writable")
    return found


def _fullness(filled: Filled) -> float:
    """Return how full it is, of room or of files."""
    return max(filled.used, filled.files)


def fold(found: Sequence[tuple[Mount, Filled]]) -> list[tuple[Mount, Filled]]:
    """Return file systems, each disk once.

    A container's root is of the disk that its other files are on.
    """
    roots = [filled for mount, filled in found if mount.kind == "overlay"]
    return [
        (mount, filled)
        for mount, filled in found
        if mount.kind == "overlay"
        or not any(_is_same(filled, root) for root in roots)
    ]


def _is_same(one: Filled, other: Filled) -> bool:
    """Tell whether two are the same disk, by their figures."""
    apart = abs(one.free - other.free)
    return one.total == other.total and apart <= SAME_SHARE * one.total


def find_mounts(lens: Lens) -> Iterator[Mount]:
    """Yield file systems of files, each once, the root first."""
    seen: set[str] = set()
    count = 0
    for line in lens.text("proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        words, (kind, source, *rest) = before.split(), after.split()
        place = _OCTAL.sub(lambda m: chr(int(m[1], 8)), words[4])
        is_root = place == os.sep
        if kind in UNREAL and not is_root:
            continue
        # Subvolumes have devices of their own, and the room of one disk.
        disk = source if _is_disk(kind, source) else words[2]
        if {words[2], disk} & seen or place.startswith(("/sys", "/proc")):
            continue
        seen |= {words[2], disk}
        # Not the options of the place: a service may be shown all of the
        # machine as read-only, by its own sandbox.
        options = (rest[0] if rest else "").split(",")
        yield Mount(place, kind, source, words[2], "ro" in options)
        count += 1
        if count >= MOST_MOUNTS:
            return


def _is_disk(kind: str, source: str) -> bool:
    """Tell whether a source is a disk, and no door to many things."""
    return source.startswith("/dev/") and not kind.startswith("fuse")


def _fill(place: str) -> Filled:
    """Return how full a file system is; it may hang."""
    found = os.statvfs(place)
    used = found.f_blocks - found.f_bfree
    room = used + found.f_bavail
    files = found.f_files - found.f_ffree
    return Filled(
        found.f_blocks * found.f_frsize,
        found.f_bavail * found.f_frsize,
        100.0 * used / room if room else 0.0,
        100.0 * files / found.f_files if found.f_files else 0.0,
    )


def _meant_writable(lens: Lens) -> set[str]:
    """Return the places that fstab mounts for writing."""
    try:
        lines = lens.text("etc/fstab").splitlines()
    except OSError:
        return set()
    words = [line.split() for line in lines if not line.startswith("#")]
    return {
        one[1]
        for one in words
        if len(one) > 3 and "ro" not in one[3].split(",")
    }


def _note_mount(
    lens: Lens, notes: Notes, mount: Mount, filled: Filled
) -> None:
    """Note how full one is, and how fast it fills."""
    text = (
        f"{mount.place} {percent(filled.used)} of {size(filled.total)} used,"
        f" {size(filled.free)} free"
    )
    grown = lens.past.grown(f"disk_percent:{mount.place}", filled.used)
    weight, words = weigh_filled(filled.used, grown)
    text += words
    state = ", read-only" if mount.is_read_only else ""
    notes.say(
        TITLE,
        f"{text}; {percent(filled.files)} of its files used;"
        f" {mount.kind} on {mount.source}{state}",
    )
    if mount.is_read_only:
        return
    if weight:
        notes.odd(weight, text)
    if filled.files >= FULL:
        notes.odd(
            weigh_filled(filled.files, None)[0],
            f"{mount.place} has {percent(filled.files)} of its files"
            " (inodes) used",
        )


def weigh_filled(used: float, grown: Growth | None) -> tuple[float, str]:
    """Return how bad it is that so much is used, and how it came to it.

    Args:
        used: how much, in percent.
        grown: how much more that is than a while ago.
    """
    words, pace = "", 0.0
    if grown and grown.seconds and abs(grown.more) >= 0.1:
        was = percent(used - grown.more)
        words = f", {was} {span(grown.seconds)} ago"
        left = (100.0 - used) * grown.seconds / grown.more
        is_known = grown.seconds >= LEAST_SECONDS and grown.more >= 1.0
        is_huge = grown.more >= HUGE_GROWTH
        if 0 <= left < SOON_SECONDS and (is_known or is_huge):
            words += f": full in {span(left)} at this pace"
            pace = 78.0 if grown.seconds >= LONG_SECONDS else 60.0
    if used >= BROKEN:
        return 94.0, words
    limit = 78.0 if used >= FULL + 3 else 65.0
    return max(pace, limit if used >= FULL else 0.0), words


def _note_largest(lens: Lens, notes: Notes, mount: Mount) -> None:
    """Note what takes the room of one file system, as far as time allows."""
    title = f"what fills {mount.place}"
    until = time.monotonic() + min(MOST_SECONDS, lens.seconds_left / 2)
    with notes.trying(title):
        found: Weighed = weigh(mount.place, until)
        for path, count in found.folders:
            notes.say(title, f"{size(count)} {path}/")
        for path, count in found.files:
            notes.say(title, f"{size(count)} {path} (one file)")
        if not found.is_all:
            notes.say(title, f"(only {found.seen} entries were looked at)")
        if found.hidden:
            notes.say(
                title, f"({found.hidden} folders need more rights to look in)"
            )
