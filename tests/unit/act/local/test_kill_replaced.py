"""A process that took over the number of a victim survives, each time."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from app.act.local.deeds.kill_process import Arguments, plugin
from app.act.local.hand import Unwilling
from tests.programs import need
from tests.unit.act.local.replacing import HELD, Outcome
from tests.unit.act.local.victims import (
    BECOMES,
    EnvOfATest,
    HandOfATest,
    Victim,
)

# Others may run the same tests beside us.
NAME = f"becomes-{os.getpid()}"
HOME = Path(__file__).parents[4]
NEW_PIDS = ("--pid", "--fork", "--mount-proc", "--kill-child")
# Root may; an ordinary user may where the system lets him.
WAYS = (NEW_PIDS, ("--user", "--map-root-user", *NEW_PIDS))
RIGHTS = (
    "no pid namespace with numbers of our choice may be made here: it needs"
    " root (CAP_SYS_ADMIN), or user namespaces"
)


@pytest.fixture(scope="module")
def namespace() -> list[str]:
    """Return the command that makes a namespace, or skip."""
    unshare = str(need("unshare", "util-linux"))
    script = "n=/proc/sys/kernel/ns_last_pid; echo 400 >$n && cat $n"
    for way in WAYS:
        tried = subprocess.run(
            [unshare, *way, "/bin/sh", "-c", script],
            capture_output=True,
            timeout=60,
            check=False,
        )
        if tried.returncode == 0:
            return [unshare, *way]
    if os.environ.get("REAL_SYSTEMS") == "required":
        pytest.fail(RIGHTS)
    pytest.skip(RIGHTS)


def run(namespace: list[str], moment: str, folder: Path) -> Outcome:
    """Return what comes of a victim that is replaced at a moment."""
    module = "tests.unit.act.local.replacing"
    done = subprocess.run(
        [*namespace, sys.executable, "-m", module, moment, str(folder)],
        cwd=HOME,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return msgspec.json.decode(done.stdout, type=Outcome)


@pytest.mark.parametrize("moment", ["before: ", "will be ended: "])
def test_between_the_measure_and_the_signal(
    namespace: list[str], tmp_path: Path, moment: str
) -> None:
    """The same program, file, user and number: it began later."""
    found = run(namespace, moment, tmp_path)
    assert found.same
    assert found.lives
    assert "is not what was measured: start was" in found.came
    assert "sent" not in found.said


def test_between_the_grip_and_the_signal(
    namespace: list[str], tmp_path: Path
) -> None:
    """A descriptor stands for one process: the signal arrives nowhere."""
    found = run(namespace, HELD, tmp_path)
    assert found.same
    assert found.lives
    assert found.came == "arrived: False"


def test_between_asking_and_killing(
    namespace: list[str], tmp_path: Path
) -> None:
    """Its end is seen, and whoever came after it is not killed."""
    found = run(namespace, "sent: SIGTERM", tmp_path)
    assert found.same
    assert found.lives
    assert "ended on SIGTERM" in found.came
    assert "SIGKILL" not in found.said


def test_what_became_another_program_is_not_killed(tmp_path: Path) -> None:
    """It was asked to end, and is something else when its time is over."""
    hand = HandOfATest(tmp_path)
    settings = {"users": [os.getuid()], "window_seconds": 1}
    settings |= {"cpu_percent": 40, "grace_seconds": 3}
    deed = plugin(EnvOfATest("kill-process", settings))
    with Victim(tmp_path, NAME, BECOMES) as victim:
        with pytest.raises(Unwilling, match="is not what was measured: exe"):
            deed.do(Arguments("web-1", NAME), hand)
        assert victim.runs
    assert "sent: SIGTERM" in hand.said
    assert "SIGKILL" not in hand.said
