"""Look at the hardware as far as the kernel shows it: heat, memory, RAID."""

import re
from contextlib import suppress
from pathlib import Path

from app.act.local.look.lens import Lens
from app.act.local.look.probe import Notes, Probe

TITLE = "hardware"
TOPICS = frozenset({"hardware", "storage", "io", "cpu", "memory", "disk"})
MOST = 64
HOT = 90.0
_ARRAY = re.compile(r"\[(\d+)/(\d+)\] \[([U_]+)\]")


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look)


def _look(lens: Lens, notes: Notes) -> None:
    """Note what the kernel shows; virtual machines have little of it."""
    _note_heat(lens, notes)
    _note_memory(lens, notes)
    with notes.trying(TITLE):
        _note_arrays(lens, notes)
    notes.say(TITLE, "that is all that the kernel shows")


def _note_heat(lens: Lens, notes: Notes) -> None:
    """Note how hot it is."""
    for zone in _some(lens, "sys/class/thermal", "thermal_zone*"):
        with suppress(OSError, ValueError):
            kind = (zone / "type").read_text(encoding="utf-8").strip()
            degrees = int((zone / "temp").read_text(encoding="utf-8")) / 1000
            notes.say(TITLE, f"{kind}: {degrees:.0f} degrees")
            if degrees >= HOT:
                notes.odd(61.0, f"{kind} is {degrees:.0f} degrees hot")


def _note_memory(lens: Lens, notes: Notes) -> None:
    """Note errors of memory that were counted."""
    for bank in _some(lens, "sys/devices/system/edac/mc", "mc*"):
        for name, what, weight in (
            ("ce_count", "corrected", 37.0),
            ("ue_count", "uncorrected", 89.0),
        ):
            with suppress(OSError, ValueError):
                count = int((bank / name).read_text(encoding="utf-8"))
                text = f"{bank.name}: {count} {what} errors of memory"
                notes.say(TITLE, text)
                if count:
                    notes.odd(weight, text)


def _note_arrays(lens: Lens, notes: Notes) -> None:
    """Note disks that are missing in an array."""
    name = ""
    try:
        text = lens.text("proc/mdstat")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        if line.startswith("md"):
            name = line.split()[0]
        found = _ARRAY.search(line)
        if found is None:
            continue
        text = f"array {name}: {found[2]} of {found[1]} disks [{found[3]}]"
        notes.say(TITLE, text)
        if "_" in found[3]:
            notes.odd(90.0, text)


def _some(lens: Lens, folder: str, pattern: str) -> list[Path]:
    """Return some folders that match."""
    found = sorted((lens.root / folder).glob(pattern))
    return found[:MOST]
