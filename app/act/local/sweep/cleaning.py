"""The clean-up of one file system: plan, show, remove, say what is left."""

import errno
import os
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import PurePosixPath
from typing import NamedTuple

import msgspec

from app.act.local.hand import Hand, Stopped
from app.act.local.notes import PLAN
from app.act.local.sweep.beneath import Root, closing
from app.act.local.sweep.descent import Descent
from app.act.local.sweep.openfiles import OpenFiles, find_open
from app.act.local.sweep.space import (
    Place,
    Space,
    held_text,
    largest_text,
)
from app.act.local.sweep.sweeping import Opened, Sweeper
from app.act.local.sweep.sweepplan import Plan, Planner, show, unite
from app.act.local.sweep.sweeprules import MARKS, Rule, is_special
from app.act.local.sweep.vacuum import FOLDER, vacuum
from app.core.clock import to_iso
from app.core.errors import OutgoingFailed
from app.core.look.amounts import size

MOST_SHOWN = 200
# So much of a plan is kept beside the journal.
MOST_BYTES = 16_777_216
# Some file systems give room back a moment after a file is gone.
SETTLE_SECONDS = 0.5
MOST_SETTLES = 10
# After a look, nobody looks for so many times as long as it took.
REST = 10.0


class Start(NamedTuple):
    """Where a rule begins.

    Attributes:
        rule: what may be removed.
        root: the folder of the rule.
        path: the part of it that is meant; "" is all of it.
    """

    rule: Rule
    root: Root
    path: str


class Job(NamedTuple):
    """What there is to do.

    Attributes:
        place: what fills up.
        starts: where the rules begin.
        words: what journalctl is told, if anything.
        until_percent: how much may be used afterwards.
        now: the moment, in microseconds since 1970.
    """

    place: Place
    starts: tuple[Start, ...]
    words: tuple[str, ...]
    until_percent: float
    now: int


class Result(NamedTuple):
    """What came of it.

    Attributes:
        files: how many were removed.
        before: how full it was.
        after: how full it is.
        why: why it ended early, or nothing.
    """

    files: int
    before: Space
    after: Space
    why: str


def find_starts(
    rules: Sequence[Rule], place: Root, stack: ExitStack, hand: Hand
) -> tuple[Start, ...]:
    """Return where rules begin that are about a place.

    Args:
        rules: all rules.
        place: what fills up.
        stack: closes the roots.
        hand: is told which rule was left out, and why.
    """
    found = []
    for rule in rules:
        path = find_part(place, rule.root)
        if path is None:
            continue
        try:
            root = stack.enter_context(Root(rule.root))
            is_kept = _is_kept(root, path)
        except OSError as error:
            if error.errno != errno.ENOENT:
                hand.say(f"rule {rule.root} left out: {error.strerror}")
            continue
        if root.device != place.device:
            hand.say(f"rule {rule.root} left out: on another file system")
        elif is_kept:
            hand.say(f"rule {rule.root} left out: {path} is kept")
        else:
            found.append(Start(rule, root, path))
    return tuple(found)


def find_part(place: Root, root: str) -> str | None:
    """Return the part of a root that a place is about, None for none.

    A root below the place is meant as a whole; of one above it, only what
    is below the place. A mount point stands for its whole file system.
    """
    ours, theirs = PurePosixPath(place.path), PurePosixPath(root)
    if theirs.is_relative_to(ours):
        return ""
    if ours.is_relative_to(theirs):
        return str(ours.relative_to(theirs))
    return "" if os.path.ismount(place.path) else None


def holds_journal(place: Root) -> bool:
    """Tell whether the system's journal fills a place up."""
    if find_part(place, FOLDER) is None:
        return False
    with suppress(OSError), Root(FOLDER) as journal:
        return journal.device == place.device
    return False


def clean_up(job: Job, hand: Hand) -> Result:
    """Do it, and say what else there is, or raise Stopped."""
    before = job.place.measure()
    opened = find_open(job.place.root.device, hand.check)
    plan = _plan(job, opened, hand)
    digest = _say_plan(plan, opened, hand)
    _write_down(plan, hand)
    files, why = _sweep(job, plan, digest, hand)
    after = job.place.measure()
    hand.say(f"after: {after}")
    held = held_text(opened.held)
    if held:
        hand.say(held)
    hand.check()
    hand.say(largest_text(job.place.top))
    return Result(files, before, after, why)


class Enough:
    """Tells when a sweep may end; it ends it, too, when it must."""

    def __init__(self, job: Job, sweeper: Sweeper, hand: Hand) -> None:
        """Take how much may be used, and what is removed meanwhile."""
        self._space = job.place.measure
        self._percent = job.until_percent
        self._sweeper = sweeper
        self._hand = hand
        self._settles = MOST_SETTLES
        self._rests_until = float("-inf")
        self._first = self._last = self._measure()

    def __call__(self) -> bool:
        """Tell whether no more than that is used; may raise Stopped."""
        self._hand.check()
        is_near = self._expect(self._last) <= self._percent
        if not is_near and time.monotonic() < self._rests_until:
            return False
        while not self._is_enough():
            if not self._settles or self._expect(self._first) > self._percent:
                return False
            self._settles -= 1
            self._hand.wait(SETTLE_SECONDS)
        return True

    def _is_enough(self) -> bool:
        """Look once more, and tell whether no more than that is used."""
        self._last = self._measure()
        return self._last.space.worst <= self._percent

    def _measure(self) -> "Look":
        """Return how full it is now.

        A folder with a size of its own is walked through for it: to do so
        for each file would take longer than the job may.
        """
        began = time.monotonic()
        found = Look(self._space(), self._sweeper.files, self._sweeper.room)
        now = time.monotonic()
        self._rests_until = now + REST * (now - began)
        return found

    def _expect(self, since: "Look") -> float:
        """Return how much would be used if nobody else wrote anything."""
        room = self._sweeper.room - since.room
        files = self._sweeper.files - since.files
        return msgspec.structs.replace(
            since.space,
            used=since.space.used - room,
            free=since.space.free + room,
            inodes_free=since.space.inodes_free + files,
        ).worst


class Look(NamedTuple):
    """How full it was at some moment of a sweep.

    Attributes:
        space: so full.
        files: how many had been removed by then.
        room: how much room these took.
    """

    space: Space
    files: int
    room: int


def _plan(job: Job, opened: OpenFiles, hand: Hand) -> Plan:
    """Return what all rules allow to remove."""
    return unite(
        [
            Planner(start.rule, start.root, job.now, opened).plan(
                start.path, Descent(hand.check)
            )
            for start in job.starts
        ]
    )


def _sweep(job: Job, plan: Plan, digest: str, hand: Hand) -> tuple[int, str]:
    """Remove, and say what was; return how many, and why it ended early.

    Raises:
        Stopped: it was told to end; what was removed is said before.
        Unwilling: the plan has another hash than the one that was said.
    """
    roots = {start.root.path: start.root for start in job.starts}
    sweeper = Sweeper(
        roots, Opened(partial(find_open, job.place.root.device, hand.check))
    )
    is_enough = Enough(job, sweeper, hand)
    try:
        why = sweeper.sweep(plan, digest, is_enough, hand.say)
        if job.words and not is_enough():
            hand.say(vacuum(job.words, hand.check))
    except Stopped as error:
        _say_swept(sweeper, f"it was ended: {error}", hand)
        hand.say(f"after: {job.place.measure()}")
        raise
    except (OSError, OutgoingFailed) as error:
        # Nobody can tell any more how full it is; what went is told.
        _say_swept(sweeper, f"it was ended: {error}", hand)
        raise
    _say_swept(sweeper, why, hand)
    return sweeper.files, why


def _write_down(plan: Plan, hand: Hand) -> None:
    """Keep the whole plan beside the journal, so that a person reads it.

    A full disk stops nothing here: it may be what room is made on.
    """
    data, count = plan.write(MOST_BYTES)
    try:
        where = hand.keep(PLAN, data)
    except OSError as error:
        hand.say(f"the plan is not written down: {error.strerror}")
        return
    part = "all" if count == len(plan.files) else f"the first {count}"
    hand.say(f"{part} of the plan is written down: {where}")


def _say_plan(plan: Plan, opened: OpenFiles, hand: Hand) -> str:
    """Say what will be removed, before anything is; return its hash."""
    digest = plan.digest
    hand.say(
        f"plan: {len(plan.files)} files, {size(plan.size)}, sha256 {digest}"
    )
    for one in plan.files[:MOST_SHOWN]:
        when = (to_iso(one.mtime // 1_000) or "?")[:16]
        where = show(f"{one.root}/{one.path}")
        hand.say(f"  {size(one.room):>10}  {when}  {where}")
    if len(plan.files) > MOST_SHOWN:
        hand.say(f"  and {len(plan.files) - MOST_SHOWN} more")
    if plan.left:
        hand.say(f"not in the plan: {_counts(plan.left)}")
    if not opened.is_whole:
        hand.say(
            f"not all open files are known: {opened.why}; a file is removed"
            " only if the kernel says that nobody has it open"
        )
    return digest


def _say_swept(sweeper: Sweeper, why: str, hand: Hand) -> None:
    """Say what was removed, and what was not."""
    text = f"removed: {sweeper.files} files, {size(sweeper.room)}"
    hand.say(f"{text}; {why}" if why else text)
    if sweeper.skipped:
        hand.say(f"skipped: {_counts(sweeper.skipped)}")


def _counts(counts: Counter[str]) -> str:
    """Return reasons and how often each, the most frequent first."""
    return ", ".join(f"{why}: {n}" for why, n in counts.most_common() if n)


def _is_kept(root: Root, path: str) -> bool:
    """Tell whether a part of a root is within what is never touched."""
    names = path.split("/") if path else []
    if any(is_special(name) for name in names):
        return True
    for depth in range(len(names)):
        folder = root.open_folder("/".join(names[:depth]))
        with closing(folder), os.scandir(folder) as entries:
            if any(entry.name in MARKS for entry in entries):
                return True
    return False
