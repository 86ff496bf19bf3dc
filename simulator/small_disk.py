"""The small file system that a disk fault fills.

It is there as long as the simulator runs, so that its monitors have
something to look at, before and after a fault too.
"""

import os
from pathlib import Path
from typing import NoReturn

from simulator.journal import FILES, MOUNT, Journal, Made
from simulator.mounting import NotMounted, mount_small, unmount
from simulator.problem import Unable
from simulator.removing import remove_files
from simulator.settings import Settings

MB = 1024 * 1024
BLOCK = 512
# What a fault writes, and all that is ever removed here.
PATTERN = "app.log*"
# A file system that somebody mounted for us may be so much larger.
MOST_TIMES = 2


class SmallDisk:
    """A tmpfs, a file system that is there already, or a folder.

    Attributes:
        path: where it is.
        kind: ``tmpfs``, ``given`` or ``folder``; empty before prepare.
    """

    def __init__(self, settings: Settings, journal: Journal) -> None:
        """Take the settings, and the journal that knows what is made."""
        self.path = settings.disk_path
        self.kind = ""
        self._settings = settings
        self._journal = journal
        self._notes: list[int] = []
        self._device: int | None = None

    def prepare(self) -> None:
        """Make it, or raise Unable."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if self.path.is_symlink():
                self._refuse("is a link", "disk.path")
            kind = self._choose()
            names = os.listdir(self.path)  # noqa: PTH208  their names only
            self._device = self.path.stat().st_dev
        except OSError as error:
            self._refuse(f"cannot be used: {error.strerror}", "disk.path")
        if any(name.startswith(PATTERN[:-1]) for name in names):
            self._refuse(f"holds files like {PATTERN} already", "disk.path")
        if not os.access(self.path, os.W_OK | os.X_OK):
            self._refuse("cannot be written by this user", "disk.path")
        # Only from here on may anything be removed there.
        self.kind = kind

    def put_away(self) -> None:
        """Remove what was written, and unmount what was mounted."""
        if not self.kind:
            return
        self.empty()
        is_gone = self.kind != "tmpfs" or unmount(self.path)
        for number in self._notes if is_gone else ():
            self._journal.done(number)
        self._notes.clear()
        self.kind = ""

    @property
    def is_there(self) -> bool:
        """Tell whether it is the one that was prepared.

        Somebody may have unmounted it: then its path is on a disk of theirs.
        """
        try:
            return self.path.stat().st_dev == self._device
        except OSError:
            return False

    def need_small(self) -> None:
        """Raise Unable unless it is the one that was prepared, and small."""
        if not self.is_there:
            self._refuse(
                "is not what it was: somebody unmounted or removed it",
                "disk.path",
                "Start the simulator again: it makes it anew",
            )
        if self.size > self._most_bytes:
            self._refuse_size()

    def begin_to_write(self) -> int:
        """Note that files come here; return the number of that note."""
        made = Made(FILES, path=str(self.path), pattern=PATTERN)
        return self._journal.note(made)

    def end_writing(self, number: int) -> None:
        """Note that nothing is left of what came here."""
        self._journal.done(number)

    def empty(self) -> None:
        """Remove what a fault wrote."""
        if self.is_there:
            remove_files(self.path, self.path, PATTERN)

    @property
    def size(self) -> int:
        """Return how much it can hold, in bytes."""
        if self.kind == "folder":
            return self._settings.most.disk_mb * MB
        found = os.statvfs(self.path)
        return found.f_blocks * found.f_frsize

    @property
    def used(self) -> int:
        """Return how much is used, in bytes."""
        if self.kind == "folder":
            return _weigh(self.path)
        found = os.statvfs(self.path)
        return (found.f_blocks - found.f_bavail) * found.f_frsize

    @property
    def percent(self) -> float:
        """Return how much is used, in percent."""
        return 100.0 * self.used / self.size

    def _choose(self) -> str:
        """Return of which kind it is, having mounted what must be."""
        wanted = self._settings.disk.kind
        if os.path.ismount(self.path):
            return self._accept_given(wanted)
        if wanted == "folder" or (wanted == "auto" and os.geteuid()):
            return "folder"
        number = self._journal.note(Made(MOUNT, path=str(self.path)))
        try:
            if os.listdir(self.path):  # noqa: PTH208  whether any are there
                self._refuse("is not empty, so nothing is mounted on it")
            mount_small(self.path, self._settings.most.disk_mb)
        except NotMounted as error:
            self._journal.done(number)
            if wanted == "auto":
                return "folder"
            self._refuse(
                f"cannot have a tmpfs: {error}",
                remedy="Run as root, or set 'disk: {kind: folder}'",
            )
        except (OSError, Unable):
            self._journal.done(number)
            raise
        self._notes.append(number)
        return "tmpfs"

    def _accept_given(self, wanted: str) -> str:
        """Return the kind of what is mounted already, or raise Unable."""
        if wanted == "folder":
            return "folder"
        found = os.statvfs(self.path)
        if found.f_blocks * found.f_frsize > self._most_bytes:
            self._refuse_size()
        return "given"

    @property
    def _most_bytes(self) -> int:
        """Return how large a file system may be that is filled."""
        return self._settings.most.disk_mb * MOST_TIMES * MB

    def _refuse_size(self) -> NoReturn:
        """Say that it is too large."""
        self._refuse(
            f"is a file system of more than {self._most_bytes // MB} MB",
            remedy="Mount a smaller one, or raise most.disk_mb",
        )

    def _refuse(
        self, what: str, field: str = "disk.kind", remedy: str = ""
    ) -> NoReturn:
        """Say why it will not do."""
        raise Unable(
            f"{self.path} {what}",
            field=field,
            remedy=remedy or "Give it an empty folder of its own",
        )


def _weigh(top: Path) -> int:
    """Return what all below a folder takes, in bytes."""
    total = 0
    for folder, _, names in os.walk(top):
        for name in names:
            try:
                # As os.walk says it.
                found = os.lstat(os.path.join(folder, name))  # noqa: PTH118
            except FileNotFoundError:
                continue
            total += found.st_blocks * BLOCK
    return total
