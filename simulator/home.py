"""The simulator's own folder: made, known again, and taken by one.

Standard library only: the guard uses it too.
"""

import fcntl
import os
import time
from pathlib import Path

from simulator.problem import Conflict, Unable

MARK = ".smokejumper-simulator"
LOCK = "lock"
# So long a guard may take to undo what a simulator left.
TAKE_SECONDS = 10.0
PAUSE_SECONDS = 0.02
REMEDY = "Let 'folder' name one that is empty, or not there yet"


class Home:
    """The folder, which one simulator has at a time."""

    def __init__(self, path: Path) -> None:
        """Take where it is; nothing is touched yet."""
        self.path = path
        self._held: int | None = None

    def make(self) -> None:
        """Make the folder, or raise Unable: it is not ours, or closed."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if self.path.is_symlink():
                self._refuse("is a link")
            names = {entry.name for entry in self.path.iterdir()}
            if names and MARK not in names:
                self._refuse("holds files that are not the simulator's")
            (self.path / MARK).touch()
        except OSError as error:
            self._refuse(f"cannot be written: {error.strerror}")
        if not os.access(self.path, os.W_OK | os.X_OK):
            self._refuse("cannot be written by this user")

    def take(self) -> None:
        """Lock the folder, or raise Conflict when somebody else has it."""
        deadline = time.monotonic() + TAKE_SECONDS
        while not self.try_to_take():
            if time.monotonic() > deadline:
                raise Conflict(
                    f"another simulator uses {self.path}",
                    field="folder",
                    remedy="End that one, or give this one another folder",
                )
            time.sleep(PAUSE_SECONDS)

    def try_to_take(self) -> bool:
        """Lock the folder unless somebody else has it; tell whether."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        held = os.open(self.path / LOCK, flags, 0o644)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(held)
            return False
        self._held = held
        return True

    def release(self) -> None:
        """Let the folder go."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _refuse(self, what: str) -> None:
        """Say why the folder will not do."""
        raise Unable(f"{self.path} {what}", field="folder", remedy=REMEDY)
