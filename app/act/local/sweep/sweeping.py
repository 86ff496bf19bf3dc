"""The sweep: removes the files of a plan, each looked at once more.

What is removed is a name in a folder that was opened anew, below the root,
right before. The file of that name is held while it is compared, so that
its number cannot become another's, and afterwards it is looked at whether
it was indeed the one that has lost its name.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from app.act.local.hand import Unwilling
from app.act.local.sweep.beneath import Root, closing
from app.act.local.sweep.openfiles import OpenFiles, Use, reopen, take_lease
from app.act.local.sweep.sweepplan import Plan, Planned, show, why_never

# How long what /proc said is believed.
BELIEVED_SECONDS = 1.0
MOST_SHOWN = 50
CHANGED = "changed since it was planned"
CANNOT_TELL = "it cannot be told whether it is open"


class Lost(Exception):
    """Another file than the one that was looked at lost its name."""


class Opened:
    """What is open, looked up again when it is old."""

    def __init__(self, find: Callable[[int], OpenFiles]) -> None:
        """Take who looks it up, without one file descriptor of ours."""
        self._find = find
        self._until = float("-inf")
        self._files = OpenFiles()

    def use_of(self, file: int) -> Use:
        """Return whether others have open what we have, if that is known."""
        if time.monotonic() > self._until:
            self._files = self._find(file)
            self._until = time.monotonic() + BELIEVED_SECONDS
        found = os.fstat(file)
        if (found.st_dev, found.st_ino) in self._files.ids:
            return Use.USED
        return Use.FREE if self._files.is_whole else Use.UNKNOWN


class Sweeper:
    """Removes files of some roots.

    Attributes:
        files: how many were removed so far.
        room: how much room they took, in bytes.
        skipped: why others were not, and how many.
    """

    def __init__(self, roots: Mapping[str, Root], opened: Opened) -> None:
        """Take the roots by their paths, and who knows what is open."""
        self._roots = roots
        self._opened = opened
        self.files = 0
        self.room = 0
        self.skipped: Counter[str] = Counter()

    def sweep(
        self,
        plan: Plan,
        digest: str,
        is_enough: Callable[[], bool],
        say: Callable[[str], None],
    ) -> str:
        """Remove the files of a plan; return why it ended early, if so.

        Args:
            plan: what is removed.
            digest: the hash of the plan that was said.
            is_enough: tells that nothing more is needed; may raise to end.
            say: takes a line for each of the first that were skipped.

        Raises:
            Unwilling: this is another list than the one that was said.
        """
        if plan.digest != digest:
            raise Unwilling(
                f"the list has the sha256 {plan.digest} now, and another was"
                " planned and said: nothing was removed"
            )
        for one in plan.files:
            if is_enough():
                return "enough is free"
            try:
                why = self.remove(one)
            except Lost as error:
                return str(error)
            if why:
                self.skipped[why] += 1
                if self.skipped.total() <= MOST_SHOWN:
                    say(f"skipped {show(f'{one.root}/{one.path}')}: {why}")
            else:
                self.files += 1
                self.room += one.room
        return ""

    def remove(self, one: Planned) -> str:
        """Remove a file, or return why not.

        Raises:
            Lost: the name was given to another file in between.
        """
        root = self._roots[one.root]
        above, _, name = one.path.rpartition("/")
        try:
            with ExitStack() as stack:
                folder = stack.enter_context(closing(root.open_folder(above)))
                file = _grasp(root.look_at(folder, name))
                stack.callback(os.close, file)
                why = self._why_not(one, file, root.device)
                if not why:
                    os.unlink(name, dir_fd=folder)
                    be_gone(one, file)
                return why
        except OSError as error:
            return str(error.strerror)

    def _why_not(self, one: Planned, file: int, device: int) -> str:
        """Return why a file must stay, nothing when it goes."""
        # From here on nobody can open it, so it stays as it is.
        use = take_lease(file)
        if use is Use.UNKNOWN:
            use = self._opened.use_of(file)
        found = os.fstat(file)
        why = why_never(found, device)
        if why or not one.is_same(found):
            return why or CHANGED
        if use is Use.FREE:
            return ""
        return "open" if use is Use.USED else CANNOT_TELL


def _grasp(handle: int) -> int:
    """Return a regular file opened for a lease, else the handle itself."""
    # Nothing but a regular file is ever opened: that could do something.
    if why_never(found := os.fstat(handle), found.st_dev):
        return handle
    file = reopen(handle)
    if file is None:
        return handle
    os.close(handle)
    return file


def be_gone(one: Planned, file: int) -> None:
    """Raise Lost when the file still has a name."""
    if os.fstat(file).st_nlink:
        path = show(f"{one.root}/{one.path}")
        raise Lost(
            f"{path} was replaced at the very moment of its removal: the"
            " newer file was removed, and nothing more is"
        )
