"""Look at the cores: how busy they are, with what, and who is held back."""

from collections import Counter
from pathlib import Path

from app.act.local.look.cgroups import groups, read_pairs
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
from app.core.look.past import Usual
from app.core.look.snapshot import Proc

TITLE = "cpu"
TOPICS = frozenset(
    {
        "cpu",
        "process",
        "service",
        "queue",
        "http",
        "database",
        "container",
        "pod",
    }
)
MOST_PROCS = 15
MOST_ODD = 5
MOST_CORES = 64
# A process beyond it takes most of a core; where all cores are busy, each
# of those that want one gets less.
BUSY, CROWDED = 80.0, 20.0
# What was so for less than this is not what is usual, but what began then.
USUAL_SECONDS = 1_800.0
MOST_PROGRAMS = 3
# So much less a process weighs that is ours: who looks is at work.
OURS = 30.0
# So much less the others weigh of those that share a crowded machine: then
# the total comes after the first of them.
OTHERS = 16.0
_LIMIT = Limit(90.0, 15.0, percent, 68.0)
_STOLEN = Limit(10.0, 5.0, percent, 72.0)
# For each core.
LOAD, LOAD_STEP = 4.0, 1.0


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look, seconds=12.0)


def _look(lens: Lens, notes: Notes) -> None:
    """Note how busy the cores are, and with what."""
    before = {
        name: read_pairs(path / "cpu.stat") for name, path in _held(lens)
    }
    window = lens.window()
    _note_totals(lens, window, notes)
    _note_programs(window, notes)
    note_pressure(lens, window, notes, TITLE, "cpu")
    _note_procs(lens, window, notes)
    for name, path in _held(lens):
        if name in before:
            after = read_pairs(path / "cpu.stat")
            _note_group(name, before[name], after, notes)


def _held(lens: Lens) -> list[tuple[str, Path]]:
    """Return the groups that may be held back."""
    return [
        (name, path)
        for name, path in groups(lens)
        if (path / "cpu.max").exists()
    ]


def _note_totals(lens: Lens, window: Window, notes: Notes) -> None:
    """Note what all cores do, and each."""
    shares = {
        what: window.rate(f"cpu.{what}_s", "cpu.all_s") or 0.0
        for what in ("busy", "kernel", "waits", "stolen")
    }
    cores = {
        name.removeprefix("core.").removesuffix("_s"): 100.0 * rise
        for name, rise in window.rises.items()
        if name.startswith("core.")
    }
    usual = lens.past.rate("cpu.busy_s", "cpu.all_s")
    words = f", usually {usual.show(percent)}" if usual else ""
    notes.say(
        TITLE,
        f"{len(cores)} cores, watched for {window.seconds:.1f} s: busy"
        f" {percent(shares['busy'])}{words}; in the kernel"
        f" {percent(shares['kernel'])}, waiting for disks"
        f" {percent(shares['waits'])}, taken by the host"
        f" {percent(shares['stolen'])}",
    )
    each = [f"{n}: {s:.0f} %" for n, s in list(cores.items())[:MOST_CORES]]
    notes.say(TITLE, "each core: " + ", ".join(each))
    notes.compare("cpu", shares["busy"], usual, _LIMIT)
    stolen = lens.past.rate("cpu.stolen_s", "cpu.all_s")
    notes.compare("cpu taken by the host", shares["stolen"], stolen, _STOLEN)
    with notes.trying(TITLE):
        loads = lens.text("proc/loadavg").split()
        notes.say(TITLE, f"load {' '.join(loads[:3])}, tasks {loads[3]}")
        count = max(1, len(cores))
        limit = Limit(
            LOAD * count,
            LOAD_STEP * count,
            lambda value: f"{value:.1f} on {count} cores",
            52.0,
        )
        usual = lens.past.usual("load1")
        notes.compare("load", float(loads[0]), usual, limit)


def _note_programs(window: Window, notes: Notes) -> None:
    """Note in one line how busy it is, and with which programs."""
    shares: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for key, share in window.shares.items():
        if share >= 0.5:
            name = window.now.procs[key].name
            shares[name] += round(share)
            counts[name] += 1
    most = ", ".join(
        f"{name} {share} %"
        + (f" ({counts[name]} processes)" if counts[name] > 1 else "")
        for name, share in shares.most_common(MOST_PROGRAMS)
    )
    busy = window.rate("cpu.busy_s", "cpu.all_s") or 0.0
    cores = sum(name.startswith("core.") for name in window.rises)
    if busy >= _LIMIT.most and most:
        # That it is so busy has been said just before.
        notes.odd(_LIMIT.weight - 1, f"most cpu, in % of a core: {most}")
        return
    words = f"; most, in % of a core: {most}" if most else ""
    load = window.now.figures.get("load1")
    text = f", load {load:.1f}" if load is not None else ""
    notes.odd(FIGURE, f"cpu {percent(busy)} of {cores} cores{text}{words}")


def _note_procs(lens: Lens, window: Window, notes: Notes) -> None:
    """Note who takes the most time, and who takes more than usual."""
    procs = window.now.procs
    top = sorted(window.shares, key=lambda key: -window.shares[key])
    busy = window.rate("cpu.busy_s", "cpu.all_s") or 0.0
    much = CROWDED if busy >= _LIMIT.most else BUSY
    odd = 0
    for key in top[:MOST_PROCS]:
        share = window.shares[key]
        if share < 0.5:
            break
        line = lens.describe(procs[key], share)
        usual = lens.past.usual_share(procs[key])
        if usual:
            line += f" (usually {usual.show(percent)})"
        notes.say("processes by cpu", line)
        less = OTHERS if odd and share < BUSY else 0.0
        if odd < MOST_ODD:
            one = procs[key], share
            odd += note_odd(lens, notes, one, much, less)


def note_odd(
    lens: Lens,
    notes: Notes,
    one: tuple[Proc, float],
    much: float,
    less: float,
) -> bool:
    """Tell whether a process takes more than it should, and note it.

    Args:
        lens: shows more of it.
        notes: takes it.
        one: the process and its share of a core.
        much: from here on a share is much.
        less: how much less it weighs than the first of its kind.
    """
    proc, share = one
    is_ours = lens.is_ours(proc)
    usual = lens.past.usual_share(proc)
    weight, words = weigh_share(share, usual, BUSY if is_ours else much)
    if not weight:
        return False
    notes.odd(
        weight - (OURS if is_ours else less),
        f"{proc} takes {share:.0f} % of a core{words}, {size(proc.rss)},"
        f" {lens.who(proc)}: {lens.command(proc)}",
    )
    return True


def weigh_share(
    share: float, usual: Usual | None, much: float
) -> tuple[float, str]:
    """Return how bad it is what a process takes, and what it usually takes.

    Args:
        share: its share of a core, in percent.
        usual: what that usually was.
        much: from here on a share is much.
    """
    more = min(share, 1_000) / 1_000
    if usual is None or usual.count < LEAST_COUNT:
        return (82.0 + more if share >= much else 0.0), ""
    if share > max(usual.high + 0.3 * much, 2 * usual.median):
        is_long = usual.seconds >= LONG_SECONDS
        weight = 46.0 if is_long else 30.0
        if share >= much:
            weight = 84.0 if is_long else 82.0
        return weight + more, f", usually {usual.show(percent)}"
    if share < much:
        return 0.0, ""
    if usual.seconds < USUAL_SECONDS:
        return 82.0 + more, f", so for {span(usual.seconds)} at least"
    return 40.0 + more, " as usual"


def _note_group(
    name: str, before: dict[str, int], after: dict[str, int], notes: Notes
) -> None:
    """Note a group that was held back by its limit meanwhile."""
    periods = after.get("nr_periods", 0) - before.get("nr_periods", 0)
    held = after.get("nr_throttled", 0) - before.get("nr_throttled", 0)
    if periods <= 0 or held <= 0:
        return
    share = 100.0 * held / periods
    text = f"{name} is held back by its cpu limit in {percent(share)} of time"
    notes.say(TITLE, text)
    if share >= 10:
        notes.odd(66.0, text)
