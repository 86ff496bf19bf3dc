"""Look at the clock: whether it is kept right, and whether it was set."""

import ctypes
import sys

from app.act.local.look.lens import Lens
from app.act.local.look.probe import Notes, Probe
from app.core.command import run_program
from app.core.errors import OutgoingFailed
from app.core.look.amounts import span

TITLE = "clock"
TOPICS = frozenset({"time", "certificate", "security", "database"})
SECONDS = 3.0
# adjtimex says by it that nobody keeps the clock right.
UNKEPT = 0x0040
IN_NANOSECONDS = 0x2000
JUMP_SECONDS = 1.0
FAR_SECONDS = 0.5
LINES = 14


class _Timex(ctypes.Structure):
    """What adjtimex fills, up to what is read; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_long * 32),
    )


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look)


def _look(lens: Lens, notes: Notes) -> None:
    """Note what the kernel and the keeper of the clock say."""
    if sys.platform == "linux":
        with notes.trying(TITLE):
            _note_kernel(notes)
    _note_keeper(notes)
    now = lens.window().counters.get("clock_s", 0.0)
    grown = lens.past.grown("clock_s", now)
    if grown is None:
        return
    notes.say(
        TITLE, f"set by {grown.more:+.3f} s in the past {span(grown.seconds)}"
    )
    if abs(grown.more) >= JUMP_SECONDS:
        way = "forward" if grown.more > 0 else "back"
        notes.odd(
            64.0,
            f"the clock was set {way} by {abs(grown.more):.1f} s in the past"
            f" {span(grown.seconds)}",
        )


def _note_kernel(notes: Notes) -> None:
    """Note what the kernel says of its clock; nothing is set."""
    found = _Timex()
    library = ctypes.CDLL(None, use_errno=True)
    if library.adjtimex(ctypes.byref(found)) < 0:
        raise OSError(ctypes.get_errno(), "the kernel does not say it")
    unit = 1e9 if found.status & IN_NANOSECONDS else 1e6
    offset = found.offset / unit
    is_kept = not found.status & UNKEPT
    notes.say(
        TITLE,
        f"kept right: {'yes' if is_kept else 'no'}; off by"
        f" {offset * 1000:.3f} ms, at most {found.maxerror / 1000:.0f} ms",
    )
    if not is_kept:
        notes.odd(36.0, "nobody keeps the clock right (not synchronised)")
    if abs(offset) >= FAR_SECONDS:
        notes.odd(65.0, f"the clock is off by {offset:.1f} s")


def _note_keeper(notes: Notes) -> None:
    """Note what chrony says, or systemd where there is no chrony."""
    for name, arguments in (
        ("chronyc", ("-n", "tracking")),
        ("timedatectl", ("show",)),
    ):
        try:
            said = run_program(name, arguments, SECONDS)
        except OutgoingFailed as error:
            notes.say(TITLE, str(error))
            continue
        if not said.status:
            notes.say(TITLE, *said.text.splitlines()[:LINES])
            return
