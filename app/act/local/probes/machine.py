"""Look at the machine itself: how long it runs, and whether it fell."""

import platform
import time
from contextlib import suppress

from app.act.local.look.lens import Lens
from app.act.local.look.probe import Notes, Probe
from app.core.command import run_program
from app.core.errors import OutgoingFailed
from app.core.look.amounts import span
from app.models.origins import TOPICS

TITLE = "machine"
NEW_SECONDS = 3_600.0
SECONDS = 3.0
BOOTS = 5


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, frozenset(TOPICS), _look)


def _look(lens: Lens, notes: Notes) -> None:
    """Note what it is and since when it runs."""
    about = platform.uname()
    notes.say(TITLE, f"{about.system} {about.release} {about.machine}")
    with suppress(OSError):
        for line in lens.text("etc/os-release").splitlines():
            if line.startswith("PRETTY_NAME="):
                name = line.partition("=")[2].strip('"')
                notes.say(TITLE, f"system {name}")
    up = _uptime(lens)
    notes.say(TITLE, f"runs for {span(up)}")
    if up < NEW_SECONDS:
        notes.odd(57.0, f"the machine was started {span(up)} ago")
    seconds = lens.past.seconds
    notes.say(TITLE, f"watched by us for {span(seconds)}")
    _note_boots(notes)


def _uptime(lens: Lens) -> float:
    """Return for how many seconds it runs."""
    try:
        return float(lens.text("proc/uptime").split()[0])
    except FileNotFoundError:
        return time.monotonic()


def _note_boots(notes: Notes) -> None:
    """Note when it was started before; not each machine remembers."""
    asked = ["--list-boots", "--no-pager", "--quiet"]
    try:
        said = run_program("journalctl", asked, SECONDS, keeps_end=True)
    except OutgoingFailed:
        return
    if not said.status:
        lines = [line.strip() for line in said.text.splitlines()]
        notes.say(TITLE, *(f"boot {line}" for line in lines[-BOOTS:]))
