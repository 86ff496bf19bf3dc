"""Look at the disks at work: how busy, how slow, and who writes."""

from contextlib import suppress

from app.act.local.look.lens import Lens, Window
from app.act.local.look.pressure import note_pressure
from app.act.local.look.probe import Limit, Notes, Probe
from app.core.look.amounts import percent, size, span
from app.core.look.snapshot import Key

TITLE = "disks at work"
TOPICS = frozenset(
    {"io", "disk", "database", "queue", "storage", "backup", "hardware"}
)
MOST_PROCS = 10
MOST_READ = 2_000
_BUSY = Limit(90.0, 25.0, percent, 62.0)
_SLOW = Limit(0.1, 0.02, span, 64.0)
_RATE = Limit(float("inf"), 20e6, lambda value: f"{size(value)}/s")


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look, seconds=12.0)


def _look(lens: Lens, notes: Notes) -> None:
    """Note what each disk does, and who makes it."""
    before, _ = _moved(lens)
    window = lens.window()
    for device in sorted(set(window.devices("disk.busy_s"))):
        _note_disk(lens, window, notes, device)
    note_pressure(lens, window, notes, TITLE, "io")
    _note_procs(lens, window, notes, before)


def _note_disk(lens: Lens, window: Window, notes: Notes, device: str) -> None:
    """Note what one disk does."""
    rates = {
        what: window.rises.get(f"disk.{what}:{device}", 0.0)
        for what in (
            "reads", "writes", "read", "written", "waited_s", "busy_s",
            "queue_s",
        )
    }  # fmt: skip
    calls = rates["reads"] + rates["writes"]
    wait = rates["waited_s"] / calls if calls else 0.0
    busy = min(100.0, 100.0 * rates["busy_s"])
    usual = lens.past.rate(f"disk.busy_s:{device}", "clock.passed_s")
    words = f", usually {usual.show(percent)}" if usual else ""
    notes.say(
        TITLE,
        f"{device}: busy {percent(busy)}{words};"
        f" {rates['reads']:.0f} reads/s ({size(rates['read'])}/s),"
        f" {rates['writes']:.0f} writes/s ({size(rates['written'])}/s), each"
        f" takes {wait * 1000:.1f} ms, queue {rates['queue_s']:.1f}",
    )
    notes.compare(f"disk {device} busy", busy, usual, _BUSY)
    if calls >= 5:
        notes.compare(f"a call of disk {device} takes", wait, None, _SLOW)
    for what in ("read", "written"):
        name = f"disk.{what}:{device}"
        was = lens.past.rate(name)
        notes.compare(f"disk {device} {what}", rates[what], was, _RATE)


def _moved(lens: Lens) -> tuple[dict[int, tuple[int, int]], int]:
    """Return what each process has read and written, and who hides it."""
    found: dict[int, tuple[int, int]] = {}
    hidden = 0
    names = [name for name in lens.folder("proc") if name.isdigit()]
    for name in names[:MOST_READ]:
        try:
            text = lens.text(f"proc/{name}/io")
        except PermissionError:
            hidden += 1
            continue
        except OSError:
            continue
        with suppress(ValueError, LookupError):
            said = dict(line.split(": ") for line in text.splitlines())
            read, written = said["read_bytes"], said["write_bytes"]
            found[int(name)] = int(read), int(written)
    return found, hidden


def _note_procs(
    lens: Lens,
    window: Window,
    notes: Notes,
    before: dict[int, tuple[int, int]],
) -> None:
    """Note who reads and writes the most, and who waits for a disk."""
    after, hidden = _moved(lens)
    if hidden:
        notes.say(
            TITLE,
            f"what {hidden} processes of others read and write is not shown:"
            " it needs more rights",
        )
    moved: list[tuple[float, Key, str]] = []
    for key in window.now.procs:
        pid = key[0]
        if pid in before and pid in after:
            read = (after[pid][0] - before[pid][0]) / window.seconds
            written = (after[pid][1] - before[pid][1]) / window.seconds
            text = f"reads {size(read)}/s, writes {size(written)}/s"
            moved.append((read + written, key, text))
    moved.sort(reverse=True)
    for sum_, key, text in moved[:MOST_PROCS]:
        if sum_ < 10_000:
            break
        proc = window.now.procs[key]
        notes.say(
            "processes by disk",
            f"{proc} {text}, {lens.who(proc)}: {lens.command(proc)}",
        )
        if sum_ >= 50e6:
            mark = lens.mark(proc)
            notes.odd(47.0, f"{proc}{mark} {text}: {lens.command(proc)}")
