"""End the one process of a program that runs away."""

from contextlib import suppress

import msgspec

from app.act.local.deed import Deed, DeedEnv, Done, fit
from app.act.local.hand import Hand, Stopped, Unwilling
from app.act.local.runaway.burden import (
    Burden,
    find_program,
    sum_groups,
    watch,
)
from app.act.local.runaway.culprit import (
    Limits,
    all_measures,
    is_usual,
    memory_measures,
    pick,
    rank,
    recall,
)
from app.act.local.runaway.ending import Ender, EndSettings
from app.core.brief import brief
from app.core.errors import OutgoingFailed

MOST_PROCS = 1_000
MOST_SHOWN = 10
AFTER_SECONDS = 1.0


class KillSettings(Limits, EndSettings):
    """From when on a process is ended, how, and which never."""


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What it is told.

    Attributes:
        host: this machine.
        process: the program's name.
    """

    host: str
    process: str


class KillProcess:
    """Measures the processes of a program and ends the clear culprit."""

    takes: type[msgspec.Struct] = Arguments

    def __init__(self, env: DeedEnv) -> None:
        """Take the limits and what is remembered of the machine."""
        settings = env.settings(KillSettings)
        self._limits: Limits = settings
        self._past = env.past
        self._measures = all_measures(settings, env.past)
        self._memory = memory_measures(settings, env.past)
        self._ender = Ender(settings, env.past)

    def do(self, arguments: Arguments, hand: Hand) -> Done:
        """Find who it is by measuring, and end that one.

        Raises:
            Unwilling: nobody runs away, or not clearly, or it is protected.
            Stopped: it was told to end.
        """
        fit("host", arguments.host)
        program = fit("program", arguments.process)
        self._ender.sparing.refuse_name(program)
        procs = find_program(program)
        if not procs:
            raise Unwilling(f"there is no process {program} on this machine")
        if len(procs) > MOST_PROCS:
            raise Unwilling(f"there are {len(procs)} processes {program}")
        found = watch(procs, hand, self._limits.window_seconds)
        self._show(program, found, hand)
        some = self._leave_out(found, hand)
        culprit, why = pick(some, self._measures, self._limits.factor)
        self._refuse_usual(culprit)
        done = self._ender.end(culprit, why, hand)
        with suppress(Stopped, OutgoingFailed):
            self._show_after(program, hand)
        return done

    def _leave_out(self, found: list[Burden], hand: Hand) -> list[Burden]:
        """Return those that may be ended by their user; all when none may.

        Whoever spins beside a runaway, by the same name, shields nobody.
        """
        others = [
            one
            for one in found
            if self._ender.sparing.is_strangers(one.proc.pid)
        ]
        left = [one for one in found if one not in others]
        if not others or not left:
            return found
        shown = ", ".join(brief(str(one.proc)) for one in others[:MOST_SHOWN])
        hand.say(
            f"left out: {len(others)} processes of users whose processes may"
            f" not be ended here (setting 'users'): {shown}"
        )
        return left

    def _refuse_usual(self, culprit: Burden) -> None:
        """Raise Unwilling when its CPU alone is held against it, as ever."""
        is_large = any(one.share(culprit) >= 1 for one in self._memory)
        if self._limits.usual or is_large:
            return
        if is_usual(self._past, culprit):
            raise Unwilling(
                f"{recall(self._past, culprit)}, so that is perhaps what it"
                f" is for: a person must decide, or 'usual: true': {culprit}"
            )

    def _show(self, program: str, found: list[Burden], hand: Hand) -> None:
        """Say what the processes of the program take."""
        seconds = self._limits.window_seconds
        hand.say(f"{program}: {len(found)} processes, {seconds:g} s watched")
        for one in rank(found, self._measures)[:MOST_SHOWN]:
            hand.say(f"  {one}")
        for line in sum_groups(found)[:MOST_SHOWN]:
            hand.say(f"  {line}")

    def _show_after(self, program: str, hand: Hand) -> None:
        """Say what is left of the program."""
        left = watch(find_program(program)[:MOST_PROCS], hand, AFTER_SECONDS)
        hand.say(f"after: {len(left)} processes {program}")
        for one in rank(left, self._measures)[:MOST_SHOWN]:
            hand.say(f"  {one}")


def plugin(env: DeedEnv) -> Deed:
    """Return the deed."""
    return KillProcess(env)
