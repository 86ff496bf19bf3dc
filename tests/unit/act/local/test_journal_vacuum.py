"""The system's journal, made smaller by its own tool: a real journald's."""

import json
import subprocess
import sys
from pathlib import Path

from tests.programs import lack, need
from tests.unit.act.local.journal_main import DAEMON, ROUNDS
from tests.unit.act.local.sweeps import needs_linux, needs_root

HOME = Path(__file__).parents[4]
MAIN = "tests.unit.act.local.journal_main"
KEEP_MB = 20
MB = 1 << 20


@needs_linux
@needs_root
def test_old_journals_go_and_the_newest_stay() -> None:
    """As much as the rule keeps; the active one and other files stay."""
    need("journalctl", "systemd")
    if not Path(DAEMON).is_file():
        lack(f"{DAEMON} is not here: apt-get install systemd")
    own = "--mount --pid --fork --kill-child --mount-proc"
    words = [str(need("unshare", "util-linux")), *own.split()]
    may = subprocess.run([*words, "true"], check=False)
    if may.returncode:
        lack("this machine allows no namespaces of one's own")
    done = subprocess.run(
        [*words, sys.executable, "-m", MAIN, str(KEEP_MB)],
        cwd=HOME,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    before, after = found["before"], found["after"]
    assert found["said"].startswith(f"journalctl --vacuum-size={KEEP_MB}M\n")
    assert found["said"].count("journals take up") == 2
    archived = sorted(name for name in before if "@" in name)
    assert len(archived) == ROUNDS
    assert sum(before.values()) > KEEP_MB * MB
    assert sum(after.values()) <= KEEP_MB * MB
    # Their names grow with what they hold: the oldest comes first.
    kept = [name for name in archived if name in after]
    assert kept, "the newest of the archived have room"
    assert kept == archived[-len(kept) :]
    assert set(before) - set(after) == set(archived) - set(kept)
    assert {"system.journal", "other.txt"} <= set(after)
