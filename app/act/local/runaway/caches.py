"""Caches of the kernel: dropped only where the settings ask for it."""

import os
from pathlib import Path

from app.act.local.hand import Unwilling
from app.act.local.runaway.burden import MB
from app.core.look.totals import read_meminfo

DROP = Path("/proc/sys/vm/drop_caches")
# Pages of files only: what is known of folders is dear to read again.
PAGES = "1\n"
SHOWN = ("MemFree", "MemAvailable", "Cached", "SReclaimable", "SwapFree")


def show_memory() -> str:
    """Return what the machine's memory is used for, in a line."""
    found = read_meminfo()
    parts = [
        f"{name} {found[name] / MB:.0f} MB" for name in SHOWN if name in found
    ]
    return ", ".join(parts) or "the machine does not say it"


def drop_caches() -> int:
    """Write out what is dirty, drop pages; return how much came free.

    Raises:
        Unwilling: we may not; nothing was dropped.
    """
    before = read_meminfo().get("MemFree", 0)
    if os.geteuid() != 0:
        raise Unwilling(
            "dropping caches needs root, and we are uid"
            f" {os.geteuid()}: nothing was done"
        )
    os.sync()
    try:
        DROP.write_text(PAGES, encoding="ascii")
    except OSError as error:
        text = f"{DROP} cannot be written: {error.strerror}"
        raise Unwilling(text) from error
    return read_meminfo().get("MemFree", 0) - before
