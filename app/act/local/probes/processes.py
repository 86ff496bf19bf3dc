"""Look at all processes: states, those that hang or are dead, limits."""

from collections import Counter
from contextlib import suppress

from app.act.local.look.lens import MOST_PROCS, Lens
from app.act.local.look.probe import Notes, Probe
from app.core.look.amounts import percent, span
from app.core.look.snapshot import Proc, Snapshot, take

TITLE = "processes"
TOPICS = frozenset(
    {"process", "service", "cpu", "memory", "io", "security", "database",
     "container"}
)  # fmt: skip
MOST_SHOWN = 10
MOST_FILES = 100_000
NEW_SECONDS = 600.0
# So many of one kind stand out.
MANY_ZOMBIES, MANY_NEW = 5, 20
FULL = 80.0


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look)


def _look(lens: Lens, notes: Notes) -> None:
    """Note what processes there are, and what is wrong with them."""
    snapshot = take()
    states = Counter(proc.state for proc in snapshot.procs.values())
    said = ", ".join(f"{state} {n}" for state, n in states.most_common())
    notes.say(TITLE, f"{len(snapshot.procs)} processes: {said}")
    _note_dead(lens, snapshot, notes)
    _note_waiting(lens, snapshot, notes)
    _note_new(lens, snapshot, notes)
    with notes.trying(TITLE):
        _note_limits(lens, notes)
    _note_files(lens, snapshot, notes)


def _note_dead(lens: Lens, snapshot: Snapshot, notes: Notes) -> None:
    """Note processes that are dead and that nobody has asked about."""
    by_pid = {proc.pid: proc for proc in snapshot.procs.values()}
    dead = [proc for proc in by_pid.values() if proc.state == "Z"]
    parents = Counter(proc.parent for proc in dead)
    for pid, count in parents.most_common(MOST_SHOWN):
        parent = by_pid.get(pid)
        who = f"[{pid}]"
        if parent:
            who = f"{parent}{lens.mark(parent)}: {lens.command(parent)}"
        text = f"{count} zombies left by {who}"
        notes.say(TITLE, text)
        if count >= MANY_ZOMBIES:
            notes.odd(51.0 + min(9.0, count / 100), text)


def _note_waiting(lens: Lens, snapshot: Snapshot, notes: Notes) -> None:
    """Note processes that wait for a disk or a server and cannot end."""
    stuck = [proc for proc in snapshot.procs.values() if proc.state == "D"]
    for proc in stuck[:MOST_SHOWN]:
        place = ""
        with suppress(OSError):
            place = lens.text(f"proc/{proc.pid}/wchan").strip("\0 \n")
        notes.say(
            TITLE,
            f"{proc} waits and cannot be ended (D), in {place or 'the kernel'}"
            f", {lens.who(proc)}: {lens.command(proc)}",
        )
    if len(stuck) >= 3:
        names = ", ".join(str(proc) for proc in stuck[:5])
        text = f"{len(stuck)} processes wait and cannot be ended (D): {names}"
        notes.odd(68.0, text)


def _note_new(lens: Lens, snapshot: Snapshot, notes: Notes) -> None:
    """Note what has begun lately."""
    if snapshot.monotonic + snapshot.ahead < 2 * NEW_SECONDS:
        return
    new = [
        proc
        for proc in snapshot.procs.values()
        if snapshot.age(proc) <= NEW_SECONDS and not proc.is_kernel
    ]
    names = Counter(proc.name for proc in new)
    said = ", ".join(f"{name} {n}" for name, n in names.most_common(10))
    notes.say(
        TITLE, f"begun in the past {span(NEW_SECONDS)}: {said or 'none'}"
    )
    for name, count in names.most_common(3):
        if count >= MANY_NEW:
            before = (
                sum(proc.name == name for proc in snapshot.procs.values())
                - count
            )
            notes.odd(
                38.0,
                f"{count} processes {name} have begun in the past"
                f" {span(NEW_SECONDS)}; {before} of them are older",
            )
    forks = lens.past.rate("forks")
    if forks:
        text = forks.show(lambda value: f"{value:.1f}")
        notes.say(TITLE, f"new processes in a second: usually {text}")


def _note_limits(lens: Lens, notes: Notes) -> None:
    """Note how near the machine is to its limits of tasks and files."""
    tasks = int(lens.text("proc/loadavg").split()[3].partition("/")[2])
    kernel = "proc/sys/kernel"
    most = min(
        int(lens.text(f"{kernel}/pid_max")),
        int(lens.text(f"{kernel}/threads-max")),
    )
    held, _, files = lens.text("proc/sys/fs/file-nr").split()
    for what, count, limit in (
        ("tasks", tasks, most),
        ("open files", int(held), int(files)),
    ):
        share = 100.0 * count / max(1, limit)
        text = f"{what}: {count} of {limit} ({percent(share)})"
        notes.say(TITLE, text)
        if share >= FULL:
            notes.odd(86.0, text)


def _note_files(lens: Lens, snapshot: Snapshot, notes: Notes) -> None:
    """Note who is near to its limit of open files."""
    procs = list(snapshot.procs.values())[:MOST_PROCS]
    own = [one for one in procs if not one.is_kernel and one.state != "Z"]
    found: list[tuple[float, str, Proc]] = []
    hidden = 0
    for proc in own:
        try:
            limit = _limit(lens, proc)
            count = len(lens.folder(f"proc/{proc.pid}/fd", MOST_FILES))
        except PermissionError:
            hidden += 1
        except (OSError, ValueError, LookupError):
            continue
        else:
            text = f"{proc} has {count} of {limit} files open"
            found.append((100.0 * count / max(1, limit), text, proc))
    found.sort(key=lambda one: -one[0])
    for share, text, proc in found[:5]:
        notes.say(TITLE, f"{text} ({percent(share)})")
        if share >= FULL:
            who = f"{lens.mark(proc)}: {lens.command(proc)}"
            notes.odd(77.0, f"{text} ({percent(share)}){who}")
    if hidden:
        notes.say(TITLE, f"open files of {hidden} processes need more rights")


def _limit(lens: Lens, proc: Proc) -> int:
    """Return how many files a process may open."""
    for line in lens.text(f"proc/{proc.pid}/limits").splitlines():
        if line.startswith("Max open files"):
            return int(line.split()[3])
    raise ValueError("no limit is said")
