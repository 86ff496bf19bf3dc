"""Look at what the kernel wrote: ends for want of memory, broken disks ..."""

import re

from app.act.local.look.lens import Lens
from app.act.local.look.probe import Notes, Probe
from app.core.brief import brief
from app.core.command import run_program
from app.core.errors import OutgoingFailed
from app.core.redaction import hide_secrets
from app.models.origins import TOPICS

TITLE = "kernel log"
LINES = 300
SECONDS = 4.0
MOST_SHOWN = 40
MOST_ODD = 4
# What is bad news, how bad, and what it means.
NEWS = tuple(
    (re.compile(pattern, re.IGNORECASE), weight, means)
    for pattern, weight, means in (
        (r"out of memory: killed|oom-kill|oom_reaper", 91.0,
         "the kernel ended processes for want of memory"),
        (r"remounting filesystem read-only|forced readonly", 96.0,
         "a file system was made read-only"),
        (r"(?:I/O|medium|buffer I/O) error|critical target error", 93.0,
         "a disk makes errors"),
        (r"(?:EXT4|XFS|BTRFS)[^:]*(?::[^:]*)?: (?:error|corrupt|metadata)",
         93.0, "a file system is damaged"),
        (r"hardware error|machine check|uncorrect(?:ed|able)", 89.0,
         "the hardware makes errors"),
        (r"blocked for more than \d+ seconds", 83.0,
         "processes hang in the kernel"),
        (r"soft lockup|hard lockup|rcu.*stall", 87.0, "a core hangs"),
        (r"kernel BUG|kernel panic|general protection|\boops\b", 88.0,
         "the kernel has a bug"),
        (r"nf_conntrack: .*table full", 88.0,
         "the table of tracked connections is full"),
        (r"possible SYN flooding", 59.0,
         "more connections come than are accepted"),
        (r"link is down|link down", 58.0, "a network link went down"),
        (r"segfault at|traps:", 41.0, "programs crash"),
        (r"temperature above threshold|throttled", 56.0,
         "the machine is too hot"),
    )
)  # fmt: skip


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, frozenset(TOPICS), _look)


def _look(_lens: Lens, notes: Notes) -> None:
    """Note the bad news of the last day, and the end of the log."""
    lines = _read()
    odd: dict[str, tuple[float, list[str]]] = {}
    for line in lines:
        for pattern, weight, means in NEWS:
            if pattern.search(line):
                odd.setdefault(means, (weight, []))[1].append(line)
                break
    worst = sorted(odd.items(), key=lambda one: -one[1][0])
    for means, (weight, found) in worst[:MOST_ODD]:
        count = f"{len(found)} times, " if len(found) > 1 else ""
        notes.odd(weight, f"{means}: {count}last: {found[-1]}")
    bad = [line for _, (_, found) in worst for line in found[-10:]]
    notes.say(TITLE, *(bad[:MOST_SHOWN] or ("no bad news",)))


def _read() -> list[str]:
    """Return its last lines of a day, or raise OutgoingFailed."""
    asked = [
        "--dmesg",
        "--since=-24h",
        f"--lines={LINES}",
        "--no-pager",
        "--quiet",
        "--output=short-iso",
        "--priority=warning",
    ]
    try:
        said = run_program("journalctl", asked, SECONDS, keeps_end=True)
    except OutgoingFailed:
        said = None
    if said is not None and not said.status and said.text.strip():
        return said.text.splitlines()
    asked = ["--level=emerg,alert,crit,err,warn", "--ctime"]
    said = run_program("dmesg", asked, SECONDS, keeps_end=True)
    if said.status:
        words = brief(hide_secrets(said.error)) or f"status {said.status}"
        raise OutgoingFailed(f"dmesg: {words}")
    return said.text.splitlines()[-LINES:]
