"""Give memory back: name who grows, and do one thing about it, or none."""

import msgspec
from pydantic import Field

from app.act.local.deed import Deed, DeedEnv, Done, fit
from app.act.local.hand import Hand, Unwilling
from app.act.local.restart.untouched import refuse
from app.act.local.runaway.burden import (
    MB,
    Burden,
    find_all,
    names_of,
    sum_groups,
    watch,
)
from app.act.local.runaway.caches import drop_caches, show_memory
from app.act.local.runaway.culprit import (
    MemoryLimits,
    memory_measures,
    pick,
    rank,
    recall,
)
from app.act.local.runaway.ending import Ender, EndSettings
from app.act.local.runaway.identity import differences, identify
from app.act.local.runaway.owning import is_of_unit
from app.act.local.runaway.sparing import (
    is_of_us,
    names_of_who,
    refuse_told,
)
from app.core.brief import brief
from app.core.daemons import Daemons
from app.core.errors import NotAccepted, OutgoingFailed
from app.core.host import Name
from app.core.look.details import name_cgroup, read_text
from app.core.look.snapshot import read_proc, read_procs

MOST_PROCS = 2_000
MOST_SHOWN = 10


class MemorySettings(MemoryLimits, EndSettings):
    """What may be done about memory, and from when on.

    Attributes:
        restart: daemons that may be restarted when one of their processes
            is the grower; nothing else of them is asked.
        end: programs of which the grower may be ended.
        drop_caches: whether caches may be dropped when neither fits.
    """

    window_seconds: float = Field(10.0, ge=0.5, le=200)
    restart: tuple[Name, ...] = Field((), max_length=200)
    end: tuple[Name, ...] = Field((), max_length=200)
    drop_caches: bool = False


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What it is told.

    Attributes:
        host: this machine.
    """

    host: str


class FreeMemory:
    """Names the grower; restarts, ends, or drops: one of these at most."""

    takes: type[msgspec.Struct] = Arguments

    def __init__(self, env: DeedEnv, daemons: Daemons) -> None:
        """Take the limits, what is remembered, and who restarts."""
        self._settings = env.settings(MemorySettings)
        self._measures = memory_measures(self._settings, env.past)
        self._ender = Ender(self._settings, env.past)
        self._past = env.past
        self._daemons = daemons

    def do(self, arguments: Arguments, hand: Hand) -> Done:
        """Find who grows, and do the one thing that the settings allow.

        Raises:
            Unwilling: nobody is to blame, or nothing is allowed.
            Stopped: it was told to end.
        """
        fit("host", arguments.host)
        hand.say(f"before: {show_memory()}")
        try:
            grower, why = self._find(hand)
        except Unwilling as error:
            return self._drop(str(error), hand)
        hand.say(f"grower: {grower}; {why}")
        remembered = recall(self._past, grower)
        hand.say(f"past: {remembered or 'nothing is known of it'}")
        done = self._answer(grower, why, hand)
        hand.say(f"after: {show_memory()}")
        return done

    def _find(self, hand: Hand) -> tuple[Burden, str]:
        """Return who grows, or raise Unwilling with the figures."""
        everyone = sorted(find_all(), key=lambda proc: -proc.rss)
        seconds = self._settings.window_seconds
        found = watch(everyone[:MOST_PROCS], hand, seconds)
        hand.say(f"{len(found)} of {len(everyone)} processes, {seconds:g} s")
        largest = rank(found, self._measures)[:MOST_SHOWN]
        for one in largest:
            hand.say(f"  {one}")
        groups = {one.cgroup for one in largest}
        same = [one for one in found if one.cgroup in groups]
        for line in sum_groups(same):
            hand.say(f"  {line}")
        return pick(found, self._measures, self._settings.factor)

    def _answer(self, grower: Burden, why: str, hand: Hand) -> Done:
        """Do what is allowed about the grower."""
        try:
            refuse_told(_names(grower), (grower.cgroup,), hand.bounds)
        except Unwilling as error:
            return self._drop(str(error), hand)
        above = _above(grower.proc.pid)
        for name in self._settings.restart:
            if self._is_of(name, grower, above, hand):
                return self._restart(name, grower, hand)
        if names_of(grower.proc) & set(self._settings.end):
            return self._ender.end(grower, why, hand)
        return self._drop(
            f"{brief(str(grower.proc))} grows ({why}) and is of nothing in"
            " 'restart' and 'end'",
            hand,
        )

    def _is_of(
        self, name: str, grower: Burden, above: set[int], hand: Hand
    ) -> bool:
        """Tell whether a process belongs to a daemon."""
        try:
            if is_of_unit(grower.cgroup, name):
                return True
            found = self._daemons.state(name)
        except OutgoingFailed as error:
            hand.say(f"{name}: {error}")
            return False
        return found.pid > 1 and found.pid in above

    def _restart(self, name: str, grower: Burden, hand: Hand) -> Done:
        """Restart the daemon that a process belongs to."""
        who = f"{brief(str(grower.proc))} of {name}"
        if is_of_us(grower.proc.pid):
            raise Unwilling(f"{who} is one of our own processes")
        self._refuse_daemon(name, hand)
        hand.check()
        hand.say(f"will be restarted: {name}, because of {grower}")
        _compare(grower)
        try:
            now = self._daemons.restart(name, errand=hand.errand)
        except NotAccepted as error:
            raise Unwilling(f"{name} was not restarted: {error}") from error
        hand.say(f"{name}: {now.says}")
        return Done(f"{name} was restarted, as {who} took {_held(grower)}")

    def _refuse_daemon(self, name: str, hand: Hand) -> None:
        """Raise Unwilling for a daemon that is never restarted from here."""
        try:
            standing = self._daemons.state(name)
        except OutgoingFailed as error:
            raise Unwilling(f"{name} was not restarted: {error}") from error
        refuse(standing, self._settings.restart, hand.bounds.services)

    def _drop(self, why: str, hand: Hand) -> Done:
        """Drop caches, or raise Unwilling with the evidence."""
        if not self._settings.drop_caches:
            raise Unwilling(f"{why}; 'drop_caches' is off: nothing was done")
        hand.check()
        hand.say(f"caches will be dropped: {why}")
        freed = drop_caches()
        hand.say(f"after dropping caches: {show_memory()}")
        return Done(f"caches were dropped, {freed / MB:.0f} MB more are free")


def _compare(grower: Burden) -> None:
    """Return when the grower is still who it was, or raise Unwilling."""
    pid, known = grower.proc.pid, grower.identity
    if known is not None:
        found = differences(known, identify(pid))
    else:
        # It is not shown who it is; when it began and where it is, is.
        now = read_proc(pid)
        group = name_cgroup(read_text(pid, "cgroup"))
        is_same = now is not None and now.key == grower.proc.key
        is_same = is_same and group == grower.cgroup
        found = [] if is_same else ["it is gone, or somebody else"]
    if found:
        raise Unwilling(
            f"{brief(str(grower.proc))} is not what was measured:"
            f" {'; '.join(found)}; nothing was restarted"
        )


def _names(grower: Burden) -> set[str]:
    """Return all that a grower is called, its script's name too if shown."""
    who = grower.identity
    names = names_of(grower.proc)
    return names if who is None else names | names_of_who(who)


def _held(grower: Burden) -> str:
    """Return what the grower took, in short."""
    return (
        f"{grower.memory:.1f} % of memory, growing {grower.growth:.0f} MB/min"
    )


def _above(pid: int) -> set[int]:
    """Return a process and whoever it descends from, but not the first."""
    parents = {proc.pid: proc.parent for proc in read_procs().values()}
    found: set[int] = set()
    while pid > 1 and pid not in found:
        found.add(pid)
        pid = parents.get(pid, 0)
    return found


def plugin(env: DeedEnv) -> Deed:
    """Return the deed."""
    return FreeMemory(env, Daemons(env.host))
