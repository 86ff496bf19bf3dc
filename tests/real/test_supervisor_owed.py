"""A real supervisord: what we end is started, even when we are killed."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from app.act.local.deeds.restart_service import plugin
from app.act.local.executor import Executor
from app.act.local.hand import Unwilling
from app.act.local.journal import DIED, Journal
from app.core.daemons import Daemons
from app.core.errors import OutgoingFailed
from app.core.host import HostSettings
from app.core.warden import State
from app.models.job import JobState, Order
from tests.real.supervisor import Supervisord
from tests.real.test_supervisor import restart, wait_until
from tests.real.waiting import wait_for
from tests.unit.act.backends.making import order
from tests.unit.act.local.stands import HOME
from tests.unit.act.local.wards import Env, Palm

pytestmark = pytest.mark.real
KEY = "sj-1-lazy"
# Restarts a program, as the executor's process does.
DOER = """
import sys, time
from pathlib import Path
from tests.real.test_supervisor_owed import make, restart_lazy
make(Path(sys.argv[1]), sys.argv[2]).start(restart_lazy())
time.sleep(300)
"""


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Supervisord]:
    """Return one whose lazy program runs."""
    with Supervisord(tmp_path / "s") as found:
        daemons = Daemons(HostSettings(supervisor=found.url))
        wait_until(daemons, "lazy", "RUNNING")
        wait_for("lazy program", (found.folder / "lazy").exists)
        yield found
        (found.folder / "let").touch()


@pytest.fixture
def daemons(real: Supervisord) -> Daemons:
    """Return what knows it."""
    return Daemons(HostSettings(supervisor=real.url))


def make(folder: Path, url: str) -> Executor:
    """Return an executor that may restart it."""
    host = HostSettings(supervisor=url)
    deed = plugin(Env({"services": ["lazy"], "wait_seconds": 8}, host))
    journal = Journal(folder / "jobs", Daemons(host).resume)
    return Executor({"restart-service": deed}, journal, 4, bool)


def restart_lazy() -> Order:
    """Return the order to restart it."""
    arguments: dict[str, str | int] = {"host": "web-1", "service": "lazy"}
    known = order("restart-service", KEY, seconds=120)
    return msgspec.structs.replace(known, arguments=arguments)


@contextmanager
def doing(folder: Path, url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Lend a process that restarts it."""
    words = [sys.executable, "-c", DOER, str(folder), url]
    with subprocess.Popen(words, cwd=HOME) as process:
        try:
            yield process
        finally:
            process.kill()


def test_who_is_killed_between_the_end_and_the_start_leaves_it_to_others(
    real: Supervisord, daemons: Daemons, tmp_path: Path
) -> None:
    """Found by the next process, started once it has ended, and told."""
    first = daemons.state("lazy")
    with doing(tmp_path, real.url) as process:
        wait_until(daemons, "lazy", "STOPPING")
        process.kill()
        process.wait(30)
    executor = make(tmp_path, real.url)
    # It has not ended yet: nothing can be started, and nothing is lost.
    assert executor.watch(restart_lazy()).state is JobState.UNKNOWN
    (real.folder / "let").touch()
    wait_until(daemons, "lazy", "STOPPED")
    with pytest.raises(Unwilling, match="somebody stopped it"):
        restart(real, Palm(tmp_path), "lazy")
    executor.repay()
    after = wait_until(daemons, "lazy", "RUNNING")
    assert after.run != first.run
    said = executor.watch(restart_lazy())
    assert said.output.endswith("lazy was STOPPED, and was started again\n")
    assert said.reason.startswith(DIED)
    assert not list((tmp_path / "jobs").glob("*.undo"))


def test_an_executor_that_must_end_starts_it_first(
    real: Supervisord, daemons: Daemons, tmp_path: Path
) -> None:
    """Its grace is over long before the program has ended."""
    first = daemons.state("lazy")
    executor = make(tmp_path, real.url)
    executor.start(restart_lazy())
    wait_until(daemons, "lazy", "STOPPING")
    closing = Thread(target=executor.close, args=(0.0,))
    closing.start()
    wait_for("end", (tmp_path / "jobs" / f"{KEY}.stop").exists)
    (real.folder / "let").touch()
    closing.join(60)
    assert not list((tmp_path / "jobs").glob("*.undo"))
    assert wait_until(daemons, "lazy", "RUNNING").run != first.run


def test_what_a_person_stopped_stays_so(
    real: Supervisord, daemons: Daemons, tmp_path: Path
) -> None:
    """And what he started since our note is his."""
    url = real.url
    (real.folder / "let").touch()
    since = time.time()
    control(url, "stop", "lazy")
    found = wait_until(daemons, "lazy", "STOPPED")
    assert found.state is State.INACTIVE
    with pytest.raises(Unwilling, match="lazy is STOPPED: somebody stopped"):
        restart(real, Palm(tmp_path), "lazy")
    assert daemons.resume("supervisor", "none", since) == (
        "supervisor knows no none any more"
    )
    assert "does not keep" in daemons.resume("systemd", "lazy", since)
    told = daemons.resume("supervisor", "lazy", 1.0)
    assert told == "lazy is STOPPED: nothing was to be done"
    assert "was started again" in daemons.resume("supervisor", "lazy", since)
    wait_until(daemons, "lazy", "RUNNING")
    assert "nothing was to be" in daemons.resume("supervisor", "lazy", since)
    real.stop()
    with pytest.raises(OutgoingFailed):
        daemons.resume("supervisor", "lazy", since)


def control(url: str, *words: str) -> None:
    """Do what a person does with supervisorctl."""
    program = [sys.executable, "-m", "supervisor.supervisorctl", "-s", url]
    subprocess.run([*program, *words], check=True, timeout=60,
                   stdout=subprocess.DEVNULL)  # fmt: skip
