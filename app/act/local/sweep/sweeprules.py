"""The rules of a sweep: which files may be removed at all."""

import fnmatch
import os
import pwd
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, field_validator

from app.core.configfile import Section

GIB = 1_073_741_824
DAY_HOURS = 24.0
WEEK_HOURS = 7 * DAY_HOURS
# Nothing that changed within the last hour is ever removed.
LEAST_HOURS = 1.0
# More of them would make the comparison of one name long.
MOST_STARS = 3
# Neither these nor anything below them is a root.
SYSTEM = (
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc",
    "/run", "/sbin", "/sys", "/usr", "/var/run", "/var/lib/dpkg",
    "/var/lib/rpm", "/var/spool/cron",
)  # fmt: skip
# These are none, but what is below them may be.
HIGH = (
    "/", "/home", "/media", "/mnt", "/opt", "/root", "/srv", "/var",
    "/var/lib", "/var/spool",
)  # fmt: skip
# What has such a name is never removed, and never entered, under any rule.
SPECIAL = (
    "lost+found", "systemd-private-*", "snap-private-tmp", "snap.*",
    "tmux-*", "ssh-*", "hsperfdata_*", "audit", "journal", "*.pid",
    "*.lock", "lock", "*.sock", "*.socket", "*.swp", "wtmp", "btmp",
    "lastlog", "faillog", "utmp", "aquota.*", "swapfile*", "ibdata*",
    "*.ibd", "*.sqlite*", "*.db", "*.db-*", "*.mdb", "*.wal", "*-wal",
    "*-shm", "*.key", "*.pem",
)  # fmt: skip
# A folder that holds one of these is never touched: it is somebody's data,
# somebody's work, or it is said so.
MARKS = frozenset(
    (
        "PG_VERSION", "ibdata1", "WiredTiger", "mongod.lock", ".git", ".hg",
        ".svn", ".nocleanup",
    )
)  # fmt: skip
OURSELVES = "self"

Glob = Annotated[str, Field(min_length=1, max_length=200)]
Owner = (
    Annotated[int, Field(ge=0)]
    | Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_.-]{0,31}\$?$")]
)


class Rule(Section):
    """Which files below one folder may be removed.

    Attributes:
        root: the folder; no part of its path may be a link.
        globs: which names below it: * and ? stay within one name, and leave
            out hidden ones; ** stands for any number of folders.
        min_age_hours: neither their content nor anything else about them
            changed for so long.
        age: what of them must be so old: all, or only their content: for
            logs that are renamed or given away as they are rotated.
        max_files: so many at most, in one sweep.
        max_bytes: so much at most, in one sweep.
        owners: whose they must be, names or numbers; "self" is whoever we
            run as; empty: anybody's.
        keep: so many of them, the newest, stay in each folder.
    """

    root: str = Field(max_length=255)
    globs: tuple[Glob, ...] = Field(min_length=1, max_length=100)
    min_age_hours: float = Field(WEEK_HOURS, ge=LEAST_HOURS, le=87_600)
    age: Literal["all", "content"] = "all"
    max_files: int = Field(10_000, ge=1, le=100_000)
    max_bytes: int = Field(50 * GIB, ge=1)
    owners: tuple[Owner, ...] = Field((), max_length=100)
    keep: int = Field(0, ge=0, le=10_000)

    @field_validator("root")
    @classmethod
    def _is_allowed(cls, root: str) -> str:
        """Refuse a folder that no sweep may begin at."""
        names = root.split("/")
        if names[0] or ".." in names or "\0" in root:
            raise ValueError("write the whole path of a folder")
        text = "/" + "/".join(one for one in names if one not in ("", "."))
        path = PurePosixPath(text)
        if text in HIGH or any(path.is_relative_to(one) for one in SYSTEM):
            raise ValueError(f"{text} is never cleaned up as a whole")
        return text

    @field_validator("globs")
    @classmethod
    def _lead_down(cls, globs: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse patterns that cannot fit, or take long to compare."""
        for glob in globs:
            names = glob.split("/")
            if any(name in ("", ".", "..") for name in names):
                raise ValueError(f"{glob!r}: write it as it is below the root")
            is_glued = any("**" in name and name != "**" for name in names)
            if is_glued or names.count("**") > MOST_STARS:
                raise ValueError(
                    f"{glob!r}: ** stands alone between slashes, and three"
                    " times at most"
                )
        return globs


class JournalRule(Section):
    """What journalctl is told to keep; 0 of both: it is not called.

    Attributes:
        keep_mb: so many MiB of archived journals.
        keep_days: journals of so many days.
    """

    keep_mb: int = Field(0, ge=0, le=1_000_000)
    keep_days: int = Field(0, ge=0, le=3_650)

    @property
    def words(self) -> tuple[str, ...]:
        """Return what journalctl is told, nothing when it is not called."""
        found = []
        if self.keep_mb:
            found.append(f"--vacuum-size={self.keep_mb}M")
        if self.keep_days:
            found.append(f"--vacuum-time={self.keep_days}d")
        return tuple(found)


# Names that are compared and opened beneath; nothing is written there.
TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 # as above
USUAL = (
    *(
        Rule(root=root, globs=("**",), owners=(OURSELVES,))
        for root in TEMPORARY
    ),
    Rule(root="/var/log", globs=("**/*.gz", "**/*.[1-9]", "**/*.old")),
    Rule(
        root="/var/cache/apt/archives",
        globs=("*.deb",),
        min_age_hours=DAY_HOURS,
    ),
)


class SweepSettings(Section):
    """What may be removed when a file system fills up.

    Attributes:
        rules: which files, of which folders.
        journal: what of the system's journal.
        until_percent: it ends when no more than this is used.
    """

    rules: tuple[Rule, ...] = Field(USUAL, max_length=200)
    journal: JournalRule = JournalRule()
    until_percent: float = Field(80.0, ge=1, le=99)


def fits(names: Sequence[str], glob: Sequence[str]) -> bool:
    """Tell whether the names of a path fit a pattern, split at slashes."""
    if not glob:
        return not names
    if glob[0] == "**":
        return _fits_below(names, glob[1:])
    return (
        bool(names)
        and fits_name(names[0], glob[0])
        and fits(names[1:], glob[1:])
    )


def fits_name(name: str, glob: str) -> bool:
    """Tell whether one name fits; a hidden one must be meant."""
    if name.startswith(".") and not glob.startswith("."):
        return False
    return fnmatch.fnmatchcase(name, glob)


def is_special(name: str) -> bool:
    """Tell whether something with this name is never touched."""
    return any(fnmatch.fnmatchcase(name, one) for one in SPECIAL)


def find_owners(owners: Sequence[int | str]) -> frozenset[int]:
    """Return the numbers of users; a name that nobody has is nobody."""
    found = set()
    for owner in owners:
        if isinstance(owner, int):
            found.add(owner)
        elif owner == OURSELVES:
            found.add(os.geteuid())
        else:
            found |= {one.pw_uid for one in _named(owner)}
    return frozenset(found)


def _named(name: str) -> tuple[pwd.struct_passwd, ...]:
    """Return the user who has a name, if any."""
    try:
        return (pwd.getpwnam(name),)
    except KeyError:
        return ()


def _fits_below(names: Sequence[str], glob: Sequence[str]) -> bool:
    """Tell whether what is left fits, at this depth or at any below."""
    left = list(names)
    if not glob:
        return bool(left) and not any(name.startswith(".") for name in left)
    while True:
        if fits(left, glob):
            return True
        if not left or left.pop(0).startswith("."):
            return False
