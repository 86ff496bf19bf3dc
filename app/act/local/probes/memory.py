"""Look at memory: how full it is, who holds it, who grows, who was ended."""

from collections import Counter
from pathlib import Path

from app.act.local.look.cgroups import groups, read_number, read_pairs
from app.act.local.look.lens import Lens, Window
from app.act.local.look.pressure import note_pressure
from app.act.local.look.probe import (
    FIGURE,
    LEAST_COUNT,
    LONG_SECONDS,
    Limit,
    Notes,
    Probe,
)
from app.core.look.amounts import percent, size, span
from app.core.look.past import EVERY_SECONDS, Growth
from app.core.look.snapshot import Proc

TITLE = "memory"
TOPICS = frozenset(
    {"memory", "process", "service", "queue", "database", "container", "pod"}
)
MOST_PROCS = 15
MOST_GROWERS = 5
MOST_PROGRAMS = 3
# How much more a process must hold to be listed as one that grows ...
LEAST_GROWTH = 100_000_000
LEAST_SHARE = 0.005
# ... and to be said first, after so long: this much, or this part of memory;
# who took the last part of it is said however new it is.
MUCH_GROWTH, MUCH_SHARE, HUGE_SHARE = 500_000_000, 0.05, 0.2
LEAST_SECONDS = EVERY_SECONDS * LEAST_COUNT
SHOWN = (
    "MemTotal", "MemAvailable", "Buffers", "Cached", "Shmem", "Slab",
    "SUnreclaim", "AnonPages", "Dirty", "Writeback", "SwapTotal",
    "SwapFree", "Committed_AS", "HugePages_Total",
)  # fmt: skip
_LIMIT = Limit(92.0, 10.0, percent, 74.0)
_SWAP = Limit(60.0, 15.0, percent, 55.0)
_PAGES = Limit(500.0, 100.0, lambda v: f"{v:.0f} pages in a second", 58.0)


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look, seconds=12.0)


def _look(lens: Lens, notes: Notes) -> None:
    """Note how memory is used, and by whom."""
    full = 0.0, 0
    with notes.trying(TITLE):
        full = _note_totals(lens, notes)
    _note_groups(lens, notes)
    window = lens.window()
    note_pressure(lens, window, notes, TITLE, "memory")
    swapped = window.rate("pswpin")
    if swapped is not None:
        usual = lens.past.rate("pswpin")
        notes.compare("memory read back from swap:", swapped, usual, _PAGES)
    _note_ended(lens, window, notes)
    _note_procs(lens, window, notes)
    _note_programs(window, notes, full)


def _note_totals(lens: Lens, notes: Notes) -> tuple[float, int]:
    """Note what /proc/meminfo says; return how full it is, of how much."""
    found = {}
    for line in lens.text("proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        found[name] = int(value.split()[0])
    shown = [
        f"{name} {size(1024 * found[name])}"
        for name in SHOWN
        if found.get(name) and name != "HugePages_Total"
    ]
    notes.say(TITLE, ", ".join(shown))
    free = found.get("MemAvailable", found.get("MemFree", 0))
    used = 100.0 * (1 - free / found["MemTotal"])
    usual = lens.past.usual("memory_percent")
    notes.compare("memory used", used, usual, _LIMIT)
    words = f", usually {usual.show(percent)}" if usual else ""
    notes.say(TITLE, f"used {percent(used)}{words}")
    if found.get("SwapTotal"):
        swap = 100.0 * (1 - found["SwapFree"] / found["SwapTotal"])
        was = lens.past.usual("swap_percent")
        notes.compare("swap used", swap, was, _SWAP)
    return used, 1024 * found["MemTotal"]


def _note_ended(lens: Lens, window: Window, notes: Notes) -> None:
    """Note how often the kernel ended a process for want of memory."""
    now = window.counters.get("oom_kill")
    if now is None:
        return
    notes.say(TITLE, f"ended for want of memory since start: {now:.0f}")
    grown = lens.past.grown("oom_kill", now)
    if grown and grown.more > 0:
        notes.odd(
            92.0,
            f"the kernel ended {grown.more:.0f} processes for want of memory"
            f" in the past {span(grown.seconds)}",
        )
    elif now and grown is None:
        notes.odd(
            48.0,
            f"the kernel has ended {now:.0f} processes for want of memory"
            " since the machine began",
        )


def _note_procs(lens: Lens, window: Window, notes: Notes) -> None:
    """Note who holds the most, and who holds more than a while ago."""
    procs = window.now.procs
    total = max(1, window.now.memory_bytes)
    by_rss = sorted(procs.values(), key=lambda proc: -proc.rss)
    grown: list[tuple[float, Proc, Growth]] = []
    for count, proc in enumerate(by_rss):
        growth = lens.past.swollen(proc)
        if growth and growth.more >= _least(total, proc):
            grown.append((growth.more, proc, growth))
        if count < MOST_PROCS and proc.rss:
            line = lens.describe(proc, window.shares.get(proc.key, 0.0))
            share = percent(100.0 * proc.rss / total)
            notes.say("processes by memory", f"{share} of memory: {line}")
    grown.sort(key=lambda one: -one[0])
    for more, proc, growth in grown[:MOST_GROWERS]:
        least = "at least " if growth.is_least else ""
        text = (
            f"{proc} holds {size(proc.rss)}, {least}{size(more)} more than"
            f" {span(growth.seconds)} ago, {lens.who(proc)}:"
            f" {lens.command(proc)}"
        )
        notes.say("processes that grow", text)
        weight = weigh_growth(growth, proc, total)
        if weight:
            notes.odd(weight, text)


def weigh_growth(growth: Growth, proc: Proc, total: int) -> float:
    """Return how bad it is that a process grows; nothing is no news."""
    more = growth.more
    weight = 76.0 + min(9.0, 30.0 * more / total)
    if more >= max(HUGE_SHARE * total, 0.2 * proc.rss):
        return weight
    much = max(min(MUCH_GROWTH, MUCH_SHARE * total), 0.2 * proc.rss)
    if more < much or growth.seconds < LEAST_SECONDS:
        return 0.0
    return weight if growth.seconds >= LONG_SECONDS else 49.0


def _note_programs(
    window: Window, notes: Notes, full: tuple[float, int]
) -> None:
    """Note in one line how full memory is, and with which programs.

    Args:
        window: the processes.
        notes: takes it.
        full: how full memory is, in percent, of how much.
    """
    held: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for proc in window.now.procs.values():
        held[proc.name] += proc.rss
        counts[proc.name] += 1
    most = ", ".join(
        f"{name} {size(count)}"
        + (f" ({counts[name]} processes)" if counts[name] > 1 else "")
        for name, count in held.most_common(MOST_PROGRAMS)
    )
    used, total = full
    if used >= _LIMIT.most:
        # That it is so full has been said just before.
        notes.odd(_LIMIT.weight - 1, f"most memory: {most}")
        return
    text = f"memory {percent(used)} of {size(total)}; most: {most}"
    notes.odd(FIGURE, text)


def _least(total: int, proc: Proc) -> float:
    """Return how much more a process must hold to be listed."""
    return max(LEAST_GROWTH, LEAST_SHARE * total, 0.2 * proc.rss)


def _note_groups(lens: Lens, notes: Notes) -> None:
    """Note groups at their limits, and those that the kernel ended."""
    for name, path in groups(lens):
        _note_group(name, path, notes)


def _note_group(name: str, path: Path, notes: Notes) -> None:
    """Note one group that is at its limit, or was."""
    ended = read_pairs(path / "memory.events.local").get("oom_kill", 0)
    most = read_number(path / "memory.max")
    held = read_number(path / "memory.current")
    if ended:
        text = f"{name}: {ended} processes ended at its memory limit so far"
        notes.say(TITLE, text)
        notes.odd(50.0, text)
    if most and held is not None:
        share = 100.0 * held / most
        text = f"{name} holds {size(held)} of {size(most)} ({percent(share)})"
        notes.say(TITLE, text)
        if share >= 95:
            notes.odd(60.0, text)
