"""Free disk space: remove what rules allow, and say what else there is."""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from threading import Lock
from typing import TypeVar

import msgspec

from app.act.local.deed import Deed, DeedEnv, Done, fit
from app.act.local.hand import Hand, Unwilling
from app.act.local.look.aside import Aside
from app.act.local.sweep.beneath import Root
from app.act.local.sweep.cleaning import (
    Job,
    Result,
    clean_up,
    find_starts,
    holds_journal,
)
from app.act.local.sweep.space import find_place
from app.act.local.sweep.sweeprules import SweepSettings
from app.core.clock import Clock
from app.core.errors import OutgoingFailed
from app.core.folders import Folder
from app.core.look.amounts import size
from app.models.job import JobState

LOOK_SECONDS = 5.0
T = TypeVar("T")
SETTING = "backends.local.deeds.free-disk-space.rules"


class FreeDiskSpaceArguments(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True
):
    """What is asked for.

    Attributes:
        host: this machine.
        path: the mount point that fills up, or a folder on it.
    """

    host: str
    path: str


class FreeDiskSpace:
    """Removes what the rules allow, until enough is free."""

    takes: type[msgspec.Struct] = FreeDiskSpaceArguments

    def __init__(
        self,
        settings: SweepSettings,
        clock: Clock,
        folders: Mapping[str, Folder],
    ) -> None:
        """Take the rules, the time, and folders with a size of their own."""
        self._settings = settings
        self._folders = folders
        self._clock = clock
        self._lock = Lock()

    def do(self, arguments: FreeDiskSpaceArguments, hand: Hand) -> Done:
        """Do it.

        Raises:
            Unwilling: nothing was done, for a reason.
            Stopped: it was told to end, or its time is over.
        """
        fit("host", arguments.host)
        path = _aside(os.path.realpath, fit("path", arguments.path))
        if not self._lock.acquire(blocking=False):
            raise Unwilling("another clean-up is still at work here")
        try:
            with _open(path) as root:
                return self._clean(root, hand)
        finally:
            self._lock.release()

    def _clean(self, root: Root, hand: Hand) -> Done:
        """Clean up the file system of a folder."""
        place = find_place(root, self._folders)
        percent = self._settings.until_percent
        try:
            before = place.measure()
        except OutgoingFailed as error:
            raise Unwilling(f"{error}; nothing was removed") from error
        hand.say(f"before: {root.path}: {before}")
        if before.worst <= percent:
            raise Unwilling(
                f"{before.worst:.1f} % of {root.path} is used, and it is"
                f" cleaned up until {percent:g} % is: nothing was removed"
            )
        with ExitStack() as stack:
            starts = find_starts(self._settings.rules, root, stack, hand)
            words = self._settings.journal.words
            if words and not holds_journal(root):
                words = ()
            if not starts and not words:
                raise Unwilling(
                    f"no rule is about {root.path} and its file system, so"
                    f" nothing was removed: see {SETTING}"
                )
            now = self._clock.now()
            return _tell(
                root.path,
                clean_up(Job(place, starts, words, percent, now), hand),
            )


def _open(path: str) -> Root:
    """Return what fills up, or raise Unwilling."""
    try:
        return _aside(Root, path)
    except OSError as error:
        raise Unwilling(
            f"{path}: {error.strerror}; nothing was removed"
        ) from error


def _aside(call: Callable[[str], T], path: str) -> T:
    """Return what a call says about a path, or raise what it raises.

    A file system whose server is away hangs: then a thread is lost to it,
    one for each path, and not the whole deed.

    Raises:
        Unwilling: it hangs.
    """
    try:
        looked = Aside(f"free-disk-space:{path}", partial(call, path))
        return looked.get(LOOK_SECONDS)
    except OutgoingFailed as error:
        raise Unwilling(f"{path}: {error}; nothing was removed") from error


def _tell(path: str, result: Result) -> Done:
    """Return what came of it, in one line."""
    before, after = result.before, result.after
    figures = (
        f"{path}: {before.percent:.1f} % -> {after.percent:.1f} % used,"
        f" {size(after.free)} free, inodes"
        f" {before.inode_percent:.1f} % -> {after.inode_percent:.1f} %"
    )
    if not result.files and after.free <= before.free:
        text = f"nothing could be removed; {figures}"
        return Done(text, JobState.FAILED)
    why = f"; {result.why}" if result.why else ""
    return Done(f"removed {result.files} files; {figures}{why}")


def plugin(env: DeedEnv) -> Deed:
    """Return the deed."""
    return FreeDiskSpace(
        env.settings(SweepSettings), env.clock, env.host.folders
    )
