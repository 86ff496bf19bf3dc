"""The executor: each key once, in its time, and its end is kept."""

import errno
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import msgspec
import psutil
import pytest
from structlog.testing import capture_logs

from app.act.local.client import Client
from app.act.local.deed import Deed, Done
from app.act.local.executor import BUG, Executor
from app.act.local.hand import Hand, Unwilling
from app.act.local.journal import Journal
from app.core.errors import NotAccepted, OutgoingFailed
from app.models.job import JobState, Progress
from tests.unit.act.backends.making import order
from tests.unit.act.local.stands import HOME, running, wait_for
from tests.unit.act.local.test_journal import files_end_at
from tests.unit.act.local.trick import Anything, Endless, Trick, count_starts

KEY = "sj-1-abc"
# Starts the job of a folder with another process at the same moment.
STARTER = """
import sys
from pathlib import Path
from tests.unit.act.local.test_executor import make, trick
from tests.unit.act.backends.making import order
folder = Path(sys.argv[1])
executor = make(folder, later=trick(folder))
print("ready", flush=True)
sys.stdin.readline()
executor.start(order("later"))
executor.close(30)
"""


class Calls:
    """A deed that does what a test says."""

    takes: type[msgspec.Struct] = Anything

    def __init__(self, do: Callable[[Hand], Done]) -> None:
        self._do = do

    def do(self, arguments: Any, hand: Hand) -> Done:
        """Do it."""
        del arguments
        return self._do(hand)


def trick(folder: Path) -> Trick:
    """Return a deed that says two lines."""
    return Trick(folder / "ledger")


def make(folder: Path, most: int = 4, **deeds: Deed) -> Executor:
    """Return an executor of some deeds."""
    return Executor(deeds, Journal(folder / "jobs"), most, is_ours)


def is_ours(host: str) -> bool:
    """Tell whether it is the host of all orders here."""
    return host == "web-01"


def end_of(executor: Executor, key: str = KEY) -> Progress:
    """Return how a job ended, as soon as it has."""
    wait_for(lambda: executor.watch(order("later", key)).has_ended)
    # Its place is given back a moment after its end is told.
    wait_for(executor._is_idle)
    return executor.watch(order("later", key))


@contextmanager
def waiting() -> Iterator[tuple[Calls, Event]]:
    """Lend a deed that waits, and what lets it go on."""
    go_on = Event()

    def do(hand: Hand) -> Done:
        """Wait, whatever is said meanwhile."""
        hand.say("waits")
        go_on.wait(30)
        return Done("done")

    try:
        yield Calls(do), go_on
    finally:
        go_on.set()


def test_a_deed_is_done_to_its_end(tmp_path: Path) -> None:
    """All that it says is kept, and what came of it is said last."""

    def do(hand: Hand) -> Done:
        """Say something that is not all text."""
        hand.say("half of it: \ud83d")
        return Done("it is\nswept")

    executor = make(tmp_path, later=Calls(do))
    assert executor.start(order("later")).state is JobState.STARTED
    said = end_of(executor)
    assert said.state is JobState.SUCCEEDED
    assert said.reason == "it is swept"
    assert said.output == "half of it: ?\nit is swept\n"


def test_threads_start_a_key_once(tmp_path: Path) -> None:
    """Whoever comes too late hears how it goes on, or asks again."""
    executor = make(tmp_path, most=16, later=trick(tmp_path))
    together = Barrier(16)

    def start() -> str:
        """Start it with all the others."""
        together.wait(30)
        try:
            return executor.start(order("later")).reference
        except NotAccepted:
            return "refused"
        except OutgoingFailed as error:
            return str(error)

    with ThreadPoolExecutor(16) as pool:
        said = {one.result() for one in [pool.submit(start) for _ in "x" * 16]}
    assert said <= {f"local:{KEY}", "it is about to be started"}
    assert end_of(executor).state is JobState.SUCCEEDED
    assert count_starts(tmp_path, KEY) == 1


def test_processes_start_a_key_once(tmp_path: Path) -> None:
    """Two services that share the journal do it once."""
    with _starter(tmp_path) as one, _starter(tmp_path) as other:
        for process in (one, other):
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in (one, other):
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        assert [one.wait(60), other.wait(60)] == [0, 0]
    assert count_starts(tmp_path, KEY) == 1
    assert end_of(make(tmp_path)).state is JobState.SUCCEEDED


@contextmanager
def _starter(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Lend a process that starts the job when it is told to."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder)],
        cwd=HOME,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_who_is_killed_meanwhile_is_never_run_again(tmp_path: Path) -> None:
    """A new process tells it as unknown, also to who starts it again."""
    with running(tmp_path) as hands:
        folder = hands.journal
        executor = Executor(
            {"endless": _endless(tmp_path)}, Journal(folder), 4, is_ours
        )
        Client(hands.socket).start(order("endless"))
        wait_for(lambda: count_starts(tmp_path, KEY) == 1)
        assert executor.watch(order("endless")).state is JobState.STARTED
        hands.kill()
        assert executor.watch(order("endless")).state is JobState.UNKNOWN
        assert executor.start(order("endless")).state is JobState.UNKNOWN
    assert count_starts(tmp_path, KEY) == 1


def _endless(folder: Path) -> Endless:
    """Return a deed without an end."""
    return Endless(folder / "ledger")


def test_what_is_not_allowed_is_refused(tmp_path: Path) -> None:
    """A deed that nobody listed here is not done."""
    with pytest.raises(NotAccepted, match="allow") as refusal:
        make(tmp_path).start(order("later"))
    assert not refusal.value.may_retry
    assert make(tmp_path).find(order("later")) is None


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"host": "web-01"},
        {"host": "web-01", "service": 5},
        {"host": "web-01", "service": "nginx", "signal": "KILL"},
    ],
)
def test_wrong_arguments_are_refused(
    tmp_path: Path, arguments: Mapping[str, Any]
) -> None:
    """Nothing is missing, of another kind, or too much."""
    executor = make(tmp_path, later=trick(tmp_path))
    with pytest.raises(NotAccepted, match="arguments"):
        executor.start(order("later", arguments=dict(arguments)))
    assert executor.find(order("later")) is None


def test_it_ends_when_it_is_told_to(tmp_path: Path) -> None:
    """Aborted, with a reason; to tell it twice changes nothing."""
    executor = make(tmp_path, endless=_endless(tmp_path))
    executor.start(order("endless"))
    executor.abort(order("endless"))
    assert end_of(executor).state is JobState.ABORTED
    assert executor.abort(order("endless")).reason == "it was told to end"


def test_it_ends_when_its_time_is_over(tmp_path: Path) -> None:
    """The order says how long it may take."""
    executor = make(tmp_path, endless=_endless(tmp_path))
    executor.start(order("endless", seconds=1))
    assert end_of(executor).state is JobState.TIMED_OUT


@pytest.mark.parametrize(
    "error",
    [
        Unwilling("it is too young"),
        OutgoingFailed("it is too young"),
        psutil.AccessDenied(1, msg="it is too young"),
        OSError(errno.EIO, "it is too young"),
    ],
)
def test_who_is_unwilling_says_why(tmp_path: Path, error: Exception) -> None:
    """Nothing was done: the job has failed for this reason."""

    def do(hand: Hand) -> Done:
        """Do nothing."""
        del hand
        raise error

    executor = make(tmp_path, later=Calls(do))
    executor.start(order("later"))
    said = end_of(executor)
    assert said.state is JobState.FAILED
    assert "it is too young" in said.reason


def test_a_bug_is_an_unknown_end(tmp_path: Path) -> None:
    """Its place is free again, and nobody says that nothing was done."""

    def do(hand: Hand) -> Done:
        """Do what nobody thought of."""
        del hand
        raise ZeroDivisionError

    executor = make(tmp_path, most=1, later=Calls(do))
    for key in ("sj-1", "sj-2"):
        executor.start(order("later", key))
        said = end_of(executor, key)
        assert (said.state, said.reason) == (JobState.UNKNOWN, BUG)


def test_a_full_disk_stops_no_deed(tmp_path: Path) -> None:
    """What makes room on it goes on; its output is lost, not its end."""
    filled, room = Event(), Event()

    def do(hand: Hand) -> Done:
        """Say a lot where nothing fits, and go on."""
        filled.wait(30)
        hand.say("x" * 5_000)
        room.set()
        return Done("there is room again")

    executor = make(tmp_path, later=Calls(do))
    executor.start(order("later"))
    with capture_logs() as lines, files_end_at(1_000):
        filled.set()
        assert room.wait(30)
        said = end_of(executor)
    assert said.state is JobState.SUCCEEDED
    assert said.reason == "there is room again"
    assert [line["event"] for line in lines] == ["deed.output_lost"] * 2


def test_an_end_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """It is told as it was, and written down as soon as there is room."""
    full = Event()

    def do(hand: Hand) -> Done:
        """Wait until nothing can be written."""
        del hand
        full.wait(30)
        return Done("")

    executor = make(tmp_path, most=1, later=Calls(do))
    executor.start(order("later"))
    with capture_logs() as lines, files_end_at(5):
        full.set()
        assert end_of(executor).state is JobState.SUCCEEDED
        assert not (tmp_path / "jobs" / f"{KEY}.end").exists()
        # Another process sees that its doer lives.
        assert not make(tmp_path).watch(order("later")).has_ended
    assert {line["event"] for line in lines} == {"deed.not_written"}
    assert end_of(executor).state is JobState.SUCCEEDED
    said = make(tmp_path).watch(order("later"))
    assert said.state is JobState.SUCCEEDED


def test_no_thread_no_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused for now; nothing stays behind that says it ran."""
    executor = make(tmp_path, most=1, later=trick(tmp_path))

    def fail(_: Thread) -> None:
        """Do as a machine without threads."""
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(Thread, "start", fail)
        with pytest.raises(NotAccepted, match="thread") as refusal:
            executor.start(order("later"))
    assert refusal.value.may_retry
    assert executor.find(order("later")) is None
    executor.start(order("later"))
    assert end_of(executor).state is JobState.SUCCEEDED


def test_who_is_about_to_start_is_not_missing(tmp_path: Path) -> None:
    """While it is written down nobody says that it was never started."""
    go_on = Event()

    class Slow(Journal):
        """A journal on a disk that hangs."""

        def open(self, order: Any) -> int | None:
            """Wait until the disk answers."""
            assert go_on.wait(60)
            return super().open(order)

    slow = Slow(tmp_path / "jobs")
    executor = Executor({"later": trick(tmp_path)}, slow, 4, is_ours)
    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(executor.start, order("later"))
        try:
            wait_for(lambda: executor._starting)
            for call in (executor.find, executor.watch, executor.start):
                with pytest.raises(OutgoingFailed) as failure:
                    call(order("later"))
                assert not isinstance(failure.value, NotAccepted)
        finally:
            go_on.set()
        assert started.result(30).state is JobState.STARTED
    assert end_of(executor).state is JobState.SUCCEEDED


def test_the_end_waits_for_what_is_done(tmp_path: Path) -> None:
    """Nothing is taken any more, and what runs comes to its end."""
    with waiting() as (deed, go_on):
        executor = make(tmp_path, later=deed)
        executor.start(order("later"))
        with ThreadPoolExecutor(1) as pool:
            closed = pool.submit(executor.close, 30)
            wait_for(lambda: not executor._is_open)
            with pytest.raises(NotAccepted, match="about to end") as refusal:
                executor.start(order("later", "sj-2"))
            assert refusal.value.may_retry
            go_on.set()
            assert closed.result(30)
    assert end_of(executor).state is JobState.SUCCEEDED


def test_the_end_does_not_wait_for_ever(tmp_path: Path) -> None:
    """What goes on too long is told to end, and has ended then."""
    executor = make(tmp_path, endless=_endless(tmp_path))
    executor.start(order("endless"))
    assert executor.close(0.0)
    assert end_of(executor).state is JobState.ABORTED
