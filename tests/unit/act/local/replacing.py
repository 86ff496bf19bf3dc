"""A victim that another process replaces under the same number.

Run as the first process of a pid namespace of its own:

    unshare --pid --fork --mount-proc python -m ... MOMENT FOLDER

MOMENT is a part of what the deed says when the victim shall be replaced.
Prints what came of it.
"""

import os
import signal
import sys
from pathlib import Path

import msgspec

from app.act.local.deeds.kill_process import Arguments, plugin
from app.act.local.hand import Unwilling
from app.act.local.runaway.identity import Identity, identify
from app.act.local.runaway.pidfd import Grip
from tests.unit.act.local.victims import (
    BEGIN,
    DEAF,
    REST,
    EnvOfATest,
    HandOfATest,
    Victim,
    wait_for,
)

NAME = "reborn-of-a-test"
# When nothing is said: between the look at who it is, and the signal.
HELD = "held"
LAST = Path("/proc/sys/kernel/ns_last_pid")


class Outcome(msgspec.Struct):
    """What came of it.

    Attributes:
        came: what the deed returned or raised.
        said: its output.
        same: whether the new process had the number and the file of the
            victim.
        lives: whether it was there in the end.
    """

    came: str
    said: str
    same: bool
    lives: bool


def replace(victim: Victim, folder: Path) -> None:
    """End a victim, and start another program under its number."""
    victim.kill()
    # The first process buries it: only then is its number free.
    wait_for(lambda: not Path(f"/proc/{victim.pid}").exists())
    ready = folder / "ready-new"
    between = os.fork()
    if between == 0:
        LAST.write_text(str(victim.pid - 1), encoding="ascii")
        if os.fork() == 0:
            words = [str(folder / NAME), "-S", "-c", BEGIN + REST, str(ready)]
            home = {"PYTHONHOME": sys.base_prefix}
            os.execve(words[0], words, home)
        os._exit(0)
    os.waitpid(between, 0)
    wait_for(ready.exists)


def tell(before: Identity, came: str, said: str) -> Outcome:
    """Return what came of it, and who has the number now."""
    now = identify(before.pid)
    if now is None:
        return Outcome(came, said, same=False, lives=False)
    is_same = now.inode == before.inode and now.start != before.start
    return Outcome(came, said, same=is_same, lives=True)


def try_deed(moment: str, folder: Path, victim: Victim) -> Outcome:
    """Let the deed go, and replace its victim at a moment."""

    def hears(text: str) -> None:
        """Replace it as soon as that is said."""
        if moment in text:
            replace(victim, folder)

    before = identify(victim.pid)
    assert before is not None
    hand = HandOfATest(folder, hears=hears)
    settings = {"users": [os.getuid()], "window_seconds": 1}
    deed = plugin(EnvOfATest("kill-process", settings))
    try:
        came = deed.do(Arguments("web-1", NAME), hand).reason
    except Unwilling as error:
        came = str(error)
    return tell(before, came, hand.said)


def try_grip(folder: Path, victim: Victim) -> Outcome:
    """Hold the victim, replace it, and send."""
    before = identify(victim.pid)
    assert before is not None
    with Grip(before) as grip:
        replace(victim, folder)
        came = f"arrived: {grip.send(signal.SIGKILL)}"
    return tell(before, came, "")


def main(moment: str, folder: Path) -> None:
    """Try it, and print what came of it."""
    with Victim(folder, NAME, DEAF) as victim:
        if moment == HELD:
            outcome = try_grip(folder, victim)
        else:
            outcome = try_deed(moment, folder, victim)
    sys.stdout.write(msgspec.json.encode(outcome).decode())
    sys.stdout.flush()


def bury(child: int) -> int:
    """Wait for all that end, until the child has; return its status."""
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    # Nobody's children become ours: the victim must not descend from who
    # runs the deed.
    trial = os.fork()
    if trial == 0:
        main(sys.argv[1], Path(sys.argv[2]))
    else:
        sys.exit(bury(trial) != 0)
