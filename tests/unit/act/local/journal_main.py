"""Make the system's journal smaller, with a journald of one's own.

Run in namespaces of its own, as root: /run and /var/log are empty there, so
that journalctl finds the journals of this journald only, where it always
looks. Prints what was there before and after, and what was said, as JSON.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from app.act.local.sweep.sweeprules import JournalRule
from app.act.local.sweep.vacuum import FOLDER, vacuum

DAEMON = "/usr/lib/systemd/systemd-journald"
STATE = Path("/run/systemd/journal")
SETTINGS = """[Journal]
Storage=persistent
Compress=no
ReadKMsg=no
Audit=no
RateLimitBurst=0
"""
LINES, CHARS, ROUNDS = 2_000, 500, 3
SECONDS = 20.0


def begin() -> None:
    """Start the daemon, and return when it takes what is logged."""
    for place in ("/run", "/var/log"):
        words = ["mount", "-t", "tmpfs", "none", place]
        subprocess.run(words, timeout=60, check=True)
    Path(FOLDER).mkdir()
    STATE.mkdir(parents=True)
    # What says that the disk is there: it writes no volatile journal.
    (STATE / "flushed").touch()
    settings = Path("/run/systemd/journald.conf.d")
    settings.mkdir()
    (settings / "own.conf").write_text(SETTINGS)
    # It ends with the namespace that it runs in.
    subprocess.Popen(
        [DAEMON], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + SECONDS
    while not (STATE / "stdout").is_socket():
        if time.monotonic() > deadline:
            sys.exit("journald did not begin")
        time.sleep(0.05)


def write() -> None:
    """Fill some journals, and have all but the last archived."""
    for number in range(ROUNDS):
        text = "".join(
            f"round {number} line {line} {'x' * CHARS}\n"
            for line in range(LINES)
        )
        for words, said in (
            (["systemd-cat", "-t", "filler", "cat"], text),
            (["journalctl", "--sync"], ""),
            (["journalctl", "--rotate"], ""),
        ):
            subprocess.run(words, input=said, text=True, check=True)


def sizes() -> dict[str, int]:
    """Return how large each file beside and among the journals is."""
    found = Path(FOLDER).parent.rglob("*")
    return {one.name: one.stat().st_size for one in found if one.is_file()}


if __name__ == "__main__":
    begin()
    write()
    Path(FOLDER, "other.txt").write_text("not of the journal")
    before = sizes()
    said = vacuum(JournalRule(keep_mb=int(sys.argv[1])).words, lambda: None)
    found = {"before": before, "after": sizes(), "said": said}
    sys.stdout.write(json.dumps(found))
