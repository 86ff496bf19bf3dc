"""Look at the cores: how busy they are, with what, and who is held back."""

from pathlib import Path

from app.act.local.look.amounts import percent, size
from app.act.local.look.cgroups import groups, read_pairs
from app.act.local.look.lens import Lens, Window
from app.act.local.look.pressure import note_pressure
from app.act.local.look.probe import Limit, Notes, Probe
from app.act.local.look.snapshot import Proc

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
        if odd < MOST_ODD and _is_odd(lens, notes, (procs[key], share), much):
            odd += 1


def _is_odd(
    lens: Lens, notes: Notes, one: tuple[Proc, float], much: float
) -> bool:
    """Tell whether a process takes more than it should, and note it.

    Args:
        lens: shows more of it.
        notes: takes it.
        one: the process and its share of a core.
        much: from here on a share is much.
    """
    proc, share = one
    usual = lens.past.usual_share(proc)
    text = f"{proc} takes {share:.0f} % of a core"
    what = f", {size(proc.rss)}, {lens.who(proc)}: {lens.command(proc)}"
    more = min(share, 1_000) / 1_000
    if usual and share > max(usual.high + 0.3 * much, 2 * usual.median):
        was = f", usually {usual.show(percent)}"
        weight = 84.0 if share >= much else 46.0
        notes.odd(weight + more, f"{text}{was}{what}")
    elif share < much:
        return False
    elif usual:
        notes.odd(40.0 + more, f"{text} as usual{what}")
    else:
        notes.odd(82.0 + more, f"{text}{what}")
    return True


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
