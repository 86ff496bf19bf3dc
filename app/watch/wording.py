"""Wording: what an alert says, with the evidence for it. Short and whole.

A command line may hold secrets: they are hidden before anything is sent.
"""

import pwd
from collections.abc import Sequence
from contextlib import suppress

from app.core.brief import brief
from app.core.look.amounts import percent, size, span
from app.core.look.commands import show_command
from app.core.look.details import read_command, read_users
from app.core.look.snapshot import Proc
from app.core.redaction import hide_secrets
from app.watch.rules import Text
from app.watch.sampling import Sample
from app.watch.suspects import Suspect

MOST_NAMED = 3
# Of what is younger its whole life says nothing new.
OLD_SECONDS = 120.0
SUMMARY_CHARS = 200
DESCRIPTION_CHARS = 2_000


def clean(summary: str, description: str) -> Text:
    """Return a text fit to be sent: bounded, on one line, no secrets."""
    return Text(
        brief(hide_secrets(summary), SUMMARY_CHARS),
        brief(hide_secrets(description), DESCRIPTION_CHARS),
    )


def tell_burner(
    suspect: Suspect, others: Sequence[Suspect], sample: Sample, seconds: float
) -> Text:
    """Return what is said of a process that runs away.

    Args:
        suspect: the program.
        others: all that are busy.
        sample: the machine as it is.
        seconds: for how long it has been so.
    """
    proc = suspect.proc
    taken, given = suspect.value, sample.shares.get(proc.key, 0.0)
    first = (
        f"{_who(suspect)} has taken {taken:.0f} % of one core for"
        f" {span(seconds)}"
    )
    parts = [first]
    if given < 0.9 * taken:
        parts.append(f"it got {given:.0f} %, for others want the cores, too")
    parts.append(_before(suspect))
    rest = [one for one in others if one.name != suspect.name]
    if rest:
        parts.append(f"others that are busy: {_list(rest)}")
    parts += [_machine(sample), f"command: {_command(proc)}"]
    return clean(
        f"{suspect.name} takes {taken:.0f} % of a core", "; ".join(parts)
    )


def tell_leak(suspect: Suspect, sample: Sample, seconds: float) -> Text:
    """Return what is said of a process that leaks memory."""
    proc = suspect.proc
    share = 100.0 * proc.rss / max(1, sample.snapshot.memory_bytes)
    first = (
        f"{_who(suspect)} holds {size(proc.rss)} ({percent(share)} of the"
        f" memory) and has grown by {suspect.value:.0f} MB a minute for"
        f" {span(seconds)}"
    )
    parts = [first]
    grown = suspect.grown
    if grown is not None and grown.more > 0:
        least = "at least " if grown.is_least else ""
        ago = span(grown.seconds)
        parts.append(f"{least}{size(grown.more)} more than {ago} ago")
    used = sample.snapshot.figures.get("memory_percent", 0.0)
    parts += [
        f"{percent(used)} of the memory is used",
        f"command: {_command(proc)}",
    ]
    return clean(
        f"{suspect.name} grows by {suspect.value:.0f} MB a minute",
        "; ".join(parts),
    )


def tell_busy(
    sample: Sample, suspects: Sequence[Suspect], seconds: float
) -> Text:
    """Return what is said of a machine that is busy, and perhaps well."""
    usual = [one for one in suspects if one.is_usual]
    new = [one for one in suspects if not one.is_usual]
    parts = [f"{_machine(sample)}, so for {span(seconds)}"]
    if usual:
        parts.append(f"as busy as always: {_list(usual)}")
    if new:
        parts.append(f"the load is spread over {_list(new)}")
    if not suspects:
        parts.append(f"most is taken by {_most(sample)}")
    parts.append("no single process stands out: none is named to be ended")
    return clean("The cores are busy; no process stands out", "; ".join(parts))


def tell_level(
    what: str, value: str, limit: str, seconds: float, more: str = ""
) -> Text:
    """Return what is said of a figure that is too high."""
    text = f"{what}: {value}, the limit is {limit}, so for {span(seconds)}"
    return clean(f"{what}: {value}", f"{text}; {more}" if more else text)


def _who(suspect: Suspect) -> str:
    """Return which process it is, whose, and how old."""
    proc = suspect.proc
    count = len(suspect.procs)
    pids = ", ".join(str(one.pid) for one in suspect.procs)
    which = f"{count} processes" if count > 1 else "process"
    return (
        f"{suspect.name}: {which} {pids} of user {_user(proc.pid)}, begun"
        f" {span(suspect.age)} ago,"
    )


def _before(suspect: Suspect) -> str:
    """Return what it took before."""
    usual = suspect.usual
    if usual is not None:
        return f"before: {usual.show(lambda one: f'{one:.0f} % of a core')}"
    if suspect.age >= OLD_SECONDS:
        return f"in its whole life: {suspect.life:.0f} % of a core"
    return "before: nothing is known, it is new"


def _machine(sample: Sample) -> str:
    """Return how busy the machine is."""
    figures = sample.snapshot.figures
    busy = figures.get("cpu_percent", 0.0)
    load = figures.get("load1", 0.0)
    return f"all {sample.cores} cores: {busy:.0f} % busy, load {load:.1f}"


def _list(suspects: Sequence[Suspect]) -> str:
    """Return programs with what they take."""
    some = ", ".join(
        f"{one.name} {one.value:.0f} %" for one in suspects[:MOST_NAMED]
    )
    rest = len(suspects) - MOST_NAMED
    return f"{some} and {rest} more" if rest > 0 else some


def _most(sample: Sample) -> str:
    """Return the programs that take most."""
    names = [
        f"{sample.known[key].name} {sample.taken(key):.0f} %"
        for key in sample.top()[:MOST_NAMED]
    ]
    return ", ".join(names) or "nobody who is shown"


def _user(pid: int) -> str:
    """Return whose a process is."""
    for uid in read_users(pid)[:1]:
        with suppress(KeyError):
            return f"{pwd.getpwuid(uid).pw_name} ({uid})"
        return str(uid)
    return "unknown"


def _command(proc: Proc) -> str:
    """Return a command line without its secrets."""
    return show_command(read_command(proc.pid)) or f"[{proc.name}]"
