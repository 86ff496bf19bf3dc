"""The culprit: the one process that runs away, clearly, or none."""

from collections.abc import Callable

import msgspec
from pydantic import Field

from app.act.local.hand import Unwilling
from app.act.local.runaway.burden import Burden
from app.core.configfile import Section
from app.core.look.amounts import span
from app.core.look.past import Past
from app.core.look.snapshot import TICKS, Proc, age_of

MOST_SHOWN = 10
# So much of what it takes now it usually took: then that is nothing new.
ALIKE = 0.8
# The past says something about a process from so many looks on.
LEAST_LOOKS = 10
# So old is one whose whole life tells what is usual for it.
LIFE_SECONDS = 3_600.0
# So much of what it holds came within the past, which is so long at least.
SWOLLEN = 0.2
SWOLLEN_SECONDS = 300.0


class MemoryLimits(Section):
    """From when on a process takes too much memory, and how clear it is.

    Attributes:
        memory_percent: of the machine's memory; it counts only together
            with growth: who holds much and always did is well.
        swelling_mb_per_minute: so fast must it grow for that, all the time;
            or have grown by a fifth within the past half hour.
        growth_mb_per_minute: so fast does it grow, all the time.
        growth_floor_percent: and holds so much of the memory by then: what
            has just begun grows fast, and is well.
        factor: so many times as much as the next process.
        window_seconds: so long is it watched.
    """

    memory_percent: float = Field(25.0, gt=0, le=100)
    swelling_mb_per_minute: float = Field(60.0, gt=0, le=1_000_000)
    growth_mb_per_minute: float = Field(600.0, gt=0, le=1_000_000)
    growth_floor_percent: float = Field(5.0, ge=0, le=100)
    factor: float = Field(1.5, ge=1.1, le=100)
    window_seconds: float = Field(3.0, ge=0.5, le=200)


class Limits(MemoryLimits):
    """From when on a process runs away.

    Attributes:
        cpu_percent: of one core.
        usual: whether one is ended that has been as busy for the past hour:
            that is perhaps what it is for.
    """

    cpu_percent: float = Field(80.0, gt=0, le=100_000)
    usual: bool = False


class Measure(msgspec.Struct, frozen=True):
    """One thing of which a process can take too much.

    Attributes:
        what: of what.
        unit: in which it is measured.
        read: returns how much one takes.
        limit: what is too much.
    """

    what: str
    unit: str
    read: Callable[[Burden], float]
    limit: float

    def share(self, one: Burden) -> float:
        """Return which part of the limit a process takes."""
        return self.read(one) / self.limit


Measures = tuple[Measure, ...]


def all_measures(limits: Limits, past: Past) -> Measures:
    """Return what a process can take too much of."""
    return (
        Measure(
            "CPU", "% of one core", lambda one: one.cpu, limits.cpu_percent
        ),
        *memory_measures(limits, past),
    )


def memory_measures(limits: MemoryLimits, past: Past) -> Measures:
    """Return what of memory can be too much."""
    grown, floor = limits.growth_mb_per_minute, limits.growth_floor_percent
    swells = limits.swelling_mb_per_minute

    def swollen(one: Burden) -> float:
        """Return what one holds, nothing when it does not grow."""
        is_so = one.growth >= swells or has_swollen(past, one.proc)
        return one.memory if is_so else 0.0

    return (
        Measure("growing memory", "%", swollen, limits.memory_percent),
        Measure(
            "growth",
            "MB/min",
            lambda one: one.growth if one.memory >= floor else 0.0,
            grown,
        ),
    )


def pick(
    found: list[Burden], measures: Measures, factor: float
) -> tuple[Burden, str]:
    """Return the culprit and why, or raise Unwilling with the figures."""
    over = [one for one in found if _worst(one, measures).share(one) >= 1]
    if not over:
        text = show_worst(found, measures)
        raise Unwilling(f"no process is above the limits: {text}")
    if len(over) > 1:
        raise Unwilling(
            f"{len(over)} processes are above the limits, a person must"
            f" choose: {show_worst(over, measures)}"
        )
    culprit = over[0]
    measure = _worst(culprit, measures)
    value = measure.read(culprit)
    others = [one for one in found if one is not culprit]
    following = max(others, key=measure.read, default=None)
    why = (
        f"its {measure.what} of {value:.0f} {measure.unit} is above"
        f" {measure.limit:g}"
    )
    if following is None:
        return culprit, why
    if measure.read(following) * factor > value:
        raise Unwilling(
            f"two processes look the same by their {measure.what}, a person"
            f" must choose: {culprit}; {following}"
        )
    return culprit, f"{why}, the next has {measure.read(following):.0f}"


def _worst(one: Burden, measures: Measures) -> Measure:
    """Return of what a process takes most, beside the limits."""
    return max(measures, key=lambda measure: measure.share(one))


def rank(found: list[Burden], measures: Measures) -> list[Burden]:
    """Return processes, those that take most of a limit first."""
    return sorted(
        found,
        key=lambda one: _worst(one, measures).share(one),
        reverse=True,
    )


def show_worst(found: list[Burden], measures: Measures) -> str:
    """Return the figures of those that take most, the worst first."""
    if not found:
        return "none of them lived through the watch"
    return "; ".join(map(str, rank(found, measures)[:MOST_SHOWN]))


def has_swollen(past: Past, proc: Proc) -> bool:
    """Tell whether a good part of what a process holds is new."""
    grown = past.swollen(proc)
    return (
        grown is not None
        and grown.seconds >= SWOLLEN_SECONDS
        and grown.more >= SWOLLEN * proc.rss
    )


def is_usual(past: Past, one: Burden) -> bool:
    """Tell whether a process was as busy all the time that is known.

    After a start of ours nobody has looked: then its whole life tells, as the
    kernel has counted it, unless that is short.
    """
    usual = past.usual_share(one.proc)
    if usual is not None and usual.count >= LEAST_LOOKS:
        return usual.median >= ALIKE * one.given
    age, share = _life(one.proc)
    return age >= LIFE_SECONDS and share >= ALIKE * one.given


def _life(proc: Proc) -> tuple[float, float]:
    """Return how old a process is, and what it took of a core all along."""
    age = max(age_of(proc), 1e-6)
    return age, 100.0 * proc.ticks / TICKS / age


def recall(past: Past, culprit: Burden) -> str:
    """Return what is remembered of a process, "" for nothing of note.

    Whoever took as much for an hour is perhaps meant to.
    """
    usual = past.usual_share(culprit.proc)
    lines = []
    if usual is not None and usual.count >= LEAST_LOOKS:
        said = usual.show(lambda value: f"{value:.0f} % of one core")
        line = f"it usually took {said}"
        if is_usual(past, culprit):
            line += ": it has been as busy all that time"
        lines.append(line)
    elif is_usual(past, culprit):
        age, share = _life(culprit.proc)
        lines.append(
            f"it took {share:.0f} % of one core in all the {span(age)} that it"
            " runs: it has been as busy all that time"
        )
    grown = past.swollen(culprit.proc)
    if grown is not None and grown.more > 0:
        at_least = "at least " if grown.is_least else ""
        lines.append(
            f"it holds {at_least}{grown.more / 1_048_576:.0f} MB more than"
            f" {span(grown.seconds)} ago"
        )
    return "; ".join(lines)
