"""Notes: what was ended is started again, whoever dies meanwhile."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from app.act.backends.local import LivingLocal
from app.act.local.deed import Done
from app.act.local.executor import Executor
from app.act.local.hand import Hand
from app.act.local.journal import DIED, Journal
from app.act.local.notes import BOOT, COUNTED, FileNotes
from app.act.local.repaying import keep_repaying
from app.act.local.settings import LocalSettings
from app.core.clock import SystemClock
from app.core.errors import NotAccepted, OutgoingFailed
from app.core.look.past import Past
from app.models.job import JobState
from tests.unit.act.backends.making import on_a_loop, order
from tests.unit.act.local.stands import HOME, wait_for
from tests.unit.act.local.test_executor import KEY, Calls, is_ours

LATER = LocalSettings(allow=("later",))
# Ends something, and never comes to start it again.
DOER = """
import sys, time
from pathlib import Path
from app.act.local.journal import Journal
from app.act.local.notes import FileNotes
from tests.unit.act.backends.making import order
folder = Path(sys.argv[1])
lock = Journal(folder).open(order("later"))
FileNotes(folder, order("later").key).owe("supervisor", "shop")
print("ended", flush=True)
time.sleep(300)
"""


class Keeper:
    """Starts again what it is told, when it can."""

    def __init__(self) -> None:
        self.is_away = False
        self.is_asked = Event()
        self.may_go = Event()
        self.may_go.set()
        self.started: list[tuple[str, str]] = []

    def resume(self, keeper: str, name: str, since: float) -> str:
        """Start it."""
        assert since <= time.time()
        self.is_asked.set()
        self.may_go.wait(60)
        if self.is_away:
            raise OutgoingFailed("it does not answer")
        self.started.append((keeper, name))
        return f"{name} was STOPPED, and was started again"


@pytest.fixture
def keeper() -> Keeper:
    """Return who starts it."""
    return Keeper()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the journal's folder."""
    made = tmp_path / "jobs"
    made.mkdir(mode=0o700)
    return made


@contextmanager
def doing(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Lend a process that has ended something and not started it yet."""
    with subprocess.Popen(
        [sys.executable, "-c", DOER, str(folder)],
        cwd=HOME,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ended\n"
            yield process
        finally:
            process.kill()


def killed(folder: Path) -> Path:
    """Return the note of a doer that was killed between the two."""
    with doing(folder) as process:
        process.kill()
        process.wait(30)
    return folder / f"{KEY}.undo"


def make(folder: Path, keeper: Keeper, do: Calls | None = None) -> Executor:
    """Return an executor that starts again what was left ended."""
    deeds = {} if do is None else {"later": do}
    return Executor(deeds, Journal(folder, keeper.resume), 4, is_ours)


def test_whoever_finds_the_job_starts_what_it_left_ended(
    folder: Path, keeper: Keeper
) -> None:
    """It is said in the job's end and output, and done once."""
    note = killed(folder)
    assert note.exists()
    executor = make(folder, keeper)
    found = executor.find(order("later"))
    assert found is not None
    assert found.state is JobState.UNKNOWN
    told = "shop was STOPPED, and was started again"
    assert found.reason == f"{DIED}; {told}"
    assert found.output == f"{told}\n"
    assert not note.exists()
    executor.repay()
    assert executor.start(order("later")).state is JobState.UNKNOWN
    assert keeper.started == [("supervisor", "shop")]


def test_whoever_does_something_else_starts_it_first(
    folder: Path, keeper: Keeper
) -> None:
    """Before it begins."""
    killed(folder)
    seen: list[int] = []

    def do(_hand: Hand) -> Done:
        """See what was started by then."""
        seen.append(len(keeper.started))
        return Done("done")

    executor = make(folder, keeper, Calls(do))
    executor.start(order("later", "another"))
    wait_for(executor._is_idle)
    assert seen == [1]


def test_nothing_begins_that_nobody_waits_for(
    folder: Path, keeper: Keeper
) -> None:
    """While it waits for that it may begin; after its time it does not."""
    killed(folder)
    executor = make(folder, keeper, Calls(lambda _: Done("done")))
    sent = order("later", "another")
    late = time.monotonic()
    keeper.may_go.clear()
    with ThreadPoolExecutor(1) as pool:
        said = pool.submit(executor.start, sent, late)
        try:
            assert keeper.is_asked.wait(30)
            with pytest.raises(OutgoingFailed, match="about to be started"):
                executor.find(sent)
        finally:
            keeper.may_go.set()
        with pytest.raises(NotAccepted, match="too late"):
            said.result(30)
    assert executor.find(sent) is None
    assert keeper.started == [("supervisor", "shop")]


def test_what_is_being_done_is_left_to_its_doer(
    folder: Path, keeper: Keeper
) -> None:
    """He lives: he starts it himself."""
    with doing(folder):
        executor = make(folder, keeper)
        executor.repay()
        found = executor.find(order("later"))
        assert found is not None
        assert found.state is JobState.STARTED
        assert keeper.started == []
    assert executor.watch(order("later")).state is JobState.UNKNOWN
    assert len(keeper.started) == 1


def test_what_cannot_be_started_now_is_started_later(
    folder: Path, keeper: Keeper
) -> None:
    """The job has ended by then; the output has it."""
    note = killed(folder)
    keeper.is_away = True
    executor = make(folder, keeper)
    assert executor.watch(order("later")).reason == DIED
    executor.repay()
    assert note.exists()
    keeper.is_away = False
    executor.repay()
    assert not note.exists()
    assert "was started again" in executor.watch(order("later")).output


def test_nobody_is_asked_where_nobody_can_start_it(folder: Path) -> None:
    """The note stays for whoever can."""
    note = killed(folder)
    executor = Executor({}, Journal(folder), 4, is_ours)
    executor.repay()
    assert executor.watch(order("later")).reason == DIED
    assert note.exists()


def test_a_note_that_nobody_can_read_goes(
    folder: Path, keeper: Keeper
) -> None:
    """It is said that there was one."""
    note = killed(folder)
    note.write_text("{")
    executor = make(folder, keeper)
    assert "nobody can read" in executor.watch(order("later")).reason
    assert not note.exists()
    assert keeper.started == []


def test_without_a_journal_nothing_is_owed(
    tmp_path: Path, keeper: Keeper
) -> None:
    """Its folder is made with its first job."""
    make(tmp_path / "none", keeper).repay()
    assert not (tmp_path / "none").exists()


def test_what_cannot_be_written_down_is_not_ended(tmp_path: Path) -> None:
    """Else nobody would know that it must be started."""
    notes = FileNotes(tmp_path / "none", KEY)
    with pytest.raises(NotAccepted, match="cannot be written down"):
        notes.owe("supervisor", "shop")
    notes.pay()


def test_a_note_is_there_until_it_is_paid(folder: Path) -> None:
    """For nobody else to read, and nothing is left of its making."""
    notes = FileNotes(folder, KEY)
    notes.owe("supervisor", "web:shop")
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    written = json.loads(file.read_text())
    assert (written["keeper"], written["name"]) == ("supervisor", "web:shop")
    assert Journal(folder).owes(KEY)
    notes.pay()
    assert list(folder.iterdir()) == []
    assert not Journal(folder).owes(KEY)


def test_restarts_are_counted_by_name_span_and_boot(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Any job adds to them; a crash in the middle loses one at most."""
    for number in range(3):
        FileNotes(folder, f"job-{number}").add("shop")
    notes = FileNotes(folder, KEY)
    notes.add("front")
    assert notes.count("shop", 60) == 3
    assert notes.count("shop", float("inf")) == 3
    assert notes.count("shop", 0) == 0
    assert notes.count("other", 60) == 0
    with (folder / COUNTED).open("a") as file:
        file.write('{"name":"sh')
    assert notes.count("shop", 60) == 3
    notes.add("shop")
    assert notes.count("shop", 60) == 4
    other = tmp_path / "boot"
    other.write_text("another start of the machine")
    monkeypatch.setattr("app.act.local.notes.BOOT", other)
    assert other != BOOT
    assert notes.count("shop", 60) == 0
    monkeypatch.setattr("app.act.local.notes.BOOT", tmp_path / "none")
    assert notes.count("shop", 60) == 0


def test_so_many_restarts_are_remembered(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file does not grow for ever."""
    monkeypatch.setattr("app.act.local.notes.MOST_COUNTED", 5)
    notes = FileNotes(folder, KEY)
    for _ in range(9):
        notes.add("shop")
    assert len((folder / COUNTED).read_text().splitlines()) == 5
    assert notes.count("shop", 60) == 5


@contextmanager
def between(
    folder: Path, keeper: Keeper
) -> Iterator[tuple[Executor, Event, Path]]:
    """Lend an executor with a job between the end and the start."""
    go_on = Event()

    def do(hand: Hand) -> Done:
        """End something, and start it when it is let to."""
        hand.errand.notes.owe("supervisor", "shop")
        go_on.wait(30)
        (folder / "started").touch()
        hand.errand.notes.pay()
        hand.wait(60)
        return Done("done")

    executor = make(folder, keeper, Calls(do))
    executor.start(order("later"))
    wait_for(lambda: Journal(folder).owes(KEY))
    try:
        yield executor, go_on, folder / "started"
    finally:
        go_on.set()
        wait_for(executor._is_idle)


def test_the_end_waits_for_a_start_that_is_owed(
    folder: Path, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the grace is; the rest of the job is cut short."""
    monkeypatch.setattr("app.act.local.executor.LAST_SECONDS", 0.01)
    with between(folder, keeper) as (executor, go_on, started):
        closed: list[bool] = []

        def close() -> None:
            """End it."""
            closed.append(executor.close(0.0))

        thread = Thread(target=close)
        thread.start()
        wait_for((folder / f"{KEY}.stop").exists)
        assert not started.exists()
        go_on.set()
        thread.join(30)
        assert started.exists()
        assert closed
    assert keeper.started == []


def test_the_end_does_not_wait_for_ever(
    folder: Path, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note is there for whoever comes next."""
    monkeypatch.setattr("app.act.local.executor.LAST_SECONDS", 0.01)
    monkeypatch.setattr("app.act.local.executor.OWED_SECONDS", 0.1)
    with between(folder, keeper) as (executor, _, started):
        assert executor.close(0.0) is False
        assert not started.exists()
        assert Journal(folder).owes(KEY)


@on_a_loop
async def test_the_end_of_the_service_closes_its_executor(
    tmp_path: Path,
) -> None:
    """It takes no orders any more, and what is owed was started."""
    folder, keeper = tmp_path, Keeper()
    with between(folder, keeper) as (executor, go_on, started):
        local = LivingLocal(executor, LATER, is_ours, Past(SystemClock()))
        running = asyncio.create_task(local.run())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.to_thread(wait_for, lambda: not executor._is_open, 20.0)
        assert not running.done()
        go_on.set()
        with suppress(asyncio.CancelledError):
            await running
        assert running.cancelled()
        assert started.exists()
        with pytest.raises(NotAccepted, match="about to end"):
            await local.start(order("later", "another"))


@on_a_loop
async def test_it_is_looked_for_without_being_asked(tmp_path: Path) -> None:
    """At the beginning, as whoever died may have been we."""
    keeper = Keeper()
    killed(tmp_path)
    repaying = asyncio.create_task(keep_repaying(make(tmp_path, keeper)))
    await asyncio.to_thread(wait_for, lambda: keeper.started)
    repaying.cancel()
    assert keeper.started == [("supervisor", "shop")]
