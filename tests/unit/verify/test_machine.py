"""Readings of this machine: real processes, real files, real threads."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest

from app.core.errors import OutgoingFailed
from app.core.machine import Looks, look
from app.core.registry import scan
from app.models.verdict import Judgement
from app.verify import checks
from tests.unit.verify.making import (
    FakeEnv,
    away,
    here,
    make_check,
    measure,
)

NAME = "burner-of-a-test"
# Ends by itself should nobody end it.
BURN = "import time\nend = time.time() + 30\nwhile time.time() < end: pass"
REST = "import time\ntime.sleep(30)"
# It ends with a few hundred MB at most.
LEAK = """
import os, time
held = []
for _ in range(300):
    held.append(os.urandom(1 << 20))
    time.sleep(0.05)
"""


def start(folder: Path, code: str) -> "subprocess.Popen[bytes]":
    """Start a process with a name of its own."""
    program = folder / NAME
    program.symlink_to(sys.executable)
    return subprocess.Popen(
        [str(program), "-S", "-c", code], env={"PYTHONHOME": sys.base_prefix}
    )


@pytest.fixture
def burner(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Return a process that burns a core while the test runs."""
    with start(tmp_path, BURN) as process:
        yield process
        process.kill()


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Return a process that does nothing."""
    with start(tmp_path, REST) as process:
        yield process
        process.kill()


def test_a_process_that_burns_is_a_runaway(
    burner: "subprocess.Popen[bytes]",
) -> None:
    """By its name; once it is ended it is calm, and no runaway."""
    # The machine is shared: any clear share of a core will do.
    settings = {"limit": 15}
    calm = make_check("process_is_calm", settings)
    runaway = make_check("process_is_runaway", settings)
    subject = here(arguments={"process": NAME})
    burning = measure(calm, subject)
    assert burning.value is not None
    assert burning.value > 15
    assert burning.says.startswith(f"{NAME}: 1 running")
    assert calm.judge(None, burning) is Judgement.BAD
    held = measure(runaway, subject)
    assert runaway.judge(None, held) is Judgement.GOOD
    burner.kill()
    burner.wait()
    after = measure(calm, subject)
    assert calm.judge(burning, after) is Judgement.GOOD
    assert after.says == f"{NAME}: no process"
    gone = measure(runaway, subject)
    assert runaway.judge(None, gone) is Judgement.BAD


@pytest.mark.skipif(
    not Path("/proc/self/schedstat").exists(),
    reason="this kernel does not say how long a thread waited",
)
def test_a_runaway_is_one_on_a_crowded_core_too(
    burner: "subprocess.Popen[bytes]",
) -> None:
    """It gets a third of a core, wants all of it, and is no calmer."""
    core = {min(os.sched_getaffinity(0))}
    others = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(3)]
    try:
        for one in (burner, *others):
            os.sched_setaffinity(one.pid, core)
        runaway = make_check("process_is_runaway", {"limit": 70})
        found = measure(runaway, here(arguments={"process": NAME}))
        assert runaway.judge(None, found) is Judgement.GOOD, found
    finally:
        for one in others:
            one.kill()
            one.wait()


@pytest.mark.usefixtures("sleeper")
def test_a_process_that_rests_is_calm() -> None:
    """It is no reason to end it."""
    subject = here(arguments={"process": NAME})
    calm = make_check("process_is_calm")
    runaway = make_check("process_is_runaway")
    assert calm.judge(None, measure(calm, subject)) is Judgement.GOOD
    found = runaway.judge(None, measure(runaway, subject))
    assert found is Judgement.BAD


@pytest.mark.usefixtures("sleeper")
def test_memory_alone_is_not_calm_and_no_runaway() -> None:
    """Of time and memory what is worse counts; a heap is no fault."""
    settings = {"limit": 1_000, "memory_limit": 0.0001}
    subject = here(arguments={"process": NAME})
    calm = make_check("process_is_calm", settings)
    found = measure(calm, subject)
    assert found.unit == "% of memory"
    assert calm.judge(None, found) is Judgement.BAD
    # Who holds much and does not grow is well, and not to be ended.
    runaway = make_check("process_is_runaway", settings)
    held = measure(runaway, subject)
    assert runaway.judge(None, held) is Judgement.BAD
    assert held.says.endswith("growing 0 MB/min in a sample of 1 s")


def test_memory_that_grows_makes_a_runaway(tmp_path: Path) -> None:
    """It is held against its limit as soon as it does."""
    settings = {"limit": 1_000, "memory_limit": 0.0001}
    with start(tmp_path, LEAK) as process:
        try:
            runaway = make_check("process_is_runaway", settings)
            found = measure(runaway, here(arguments={"process": NAME}))
        finally:
            process.kill()
    assert runaway.judge(None, found) is Judgement.GOOD
    assert "growing 0 MB/min" not in found.says


@pytest.mark.parametrize("name", ["cpu_is_calm", "memory_has_room"])
def test_the_machine_has_a_reading(name: str) -> None:
    """It is a share, held against a limit of the declaration."""
    check = make_check(name)
    found = measure(check, here(options={"limit": 100}))
    assert found.value is not None
    assert 0 <= found.value <= 100
    assert found.limit == 100
    assert check.judge(None, found) is Judgement.GOOD


def test_a_limit_comes_from_the_declaration_then_the_settings() -> None:
    """The nearer one wins."""
    check = make_check("memory_has_room", {"limit": 70})
    assert measure(check, here()).limit == 70
    assert measure(check, here(options={"limit": 60})).limit == 60
    assert measure(make_check("memory_has_room"), here()).limit == 90


def test_a_file_system_has_room(tmp_path: Path) -> None:
    """The one that the path is on; a path that is not there has none."""
    check = make_check("disk_has_room", {"limit": 100})
    found = measure(check, here(arguments={"path": str(tmp_path)}))
    assert found.value is not None
    assert f"% of {tmp_path} is used" in found.says
    assert check.judge(None, found) is Judgement.GOOD
    missing = here(arguments={"path": str(tmp_path / "none")})
    with pytest.raises(OutgoingFailed, match="No such file"):
        measure(check, missing)


@pytest.mark.parametrize(
    "name",
    ["cpu_is_calm", "memory_has_room", "disk_has_room", "process_is_calm",
     "process_is_runaway", "service_is_active", "container_is_healthy"],
)  # fmt: skip
def test_another_machine_cannot_be_read_from_here(name: str) -> None:
    """Ours would say nothing about it."""
    arguments: dict[str, str | int] = {"path": "/", "process": "x"}
    found = measure(make_check(name), away(arguments=arguments))
    assert (found.value, found.says) == (None, "web-7 is not this machine")


def is_free(looks: Looks) -> bool:
    """Return once another look may begin."""
    deadline = time.monotonic() + 10
    while not looks.begin():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    looks.end()
    return True


def test_a_reading_that_hangs_is_given_up() -> None:
    """A few may hang; then no more threads are begun until one is back."""
    release = threading.Event()
    looks = Looks(2)

    async def hang() -> list[str]:
        """Return what three say that hang, and one after them."""
        said = []
        for _ in range(3):
            try:
                await look(release.wait, 0.05, looks)
            except OutgoingFailed as error:
                said.append(str(error))
        release.set()
        assert await asyncio.to_thread(is_free, looks)
        said.append(await look(lambda: "fine", 5.0, looks))
        return said

    assert asyncio.run(hang()) == [
        "this machine did not say it in 0.05 s",
        "this machine did not say it in 0.05 s",
        "earlier readings of this machine hang",
        "fine",
    ]


def test_a_bug_in_a_reading_is_told_and_holds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever waits hears of it at once, and so does the process."""
    looks = Looks(1)
    seen: Queue[object] = Queue()
    monkeypatch.setattr(
        threading, "excepthook", lambda told: seen.put(told.exc_type)
    )

    def fail() -> str:
        """Have a bug."""
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(OutgoingFailed, match="a bug"):
            asyncio.run(look(fail, 5.0, looks))
        assert seen.get(timeout=10) is ZeroDivisionError


class Watched:
    """Readings of a machine; what is not known is None."""

    def __init__(self, **values: float) -> None:
        self.asked: list[tuple[str, float]] = []
        self._values = values

    def mean(self, name: str, seconds: float) -> float | None:
        """Return what it was told."""
        self.asked.append((name, seconds))
        return self._values.get(name)


@pytest.mark.parametrize(
    ("name", "series"),
    [("cpu_is_calm", "cpu_percent"), ("memory_has_room", "memory_percent")],
)
def test_whoever_watches_is_asked_first(name: str, series: str) -> None:
    """The mean of the past seconds counts, and the reading says so."""
    env = FakeEnv(name)
    env.readings = watched = Watched(**{series: 12.5})
    check = scan(checks)[name.replace("_", "-")](env)
    reading = measure(check, here())
    assert reading.value == 12.5
    assert "mean of 5 s at most, watched" in reading.says
    assert watched.asked == [(series, 5.0)]


def test_what_was_before_the_action_says_nothing() -> None:
    """The window begins when it ended; with it, none: it is sampled."""
    env = FakeEnv("memory_has_room")
    env.readings = watched = Watched(memory_percent=12.5)
    check = scan(checks)["memory-has-room"](env)
    ended = env.time.now()
    reading = measure(check, here(since=ended))
    assert reading.value != 12.5
    assert watched.asked == []
    env.time.advance(3)
    assert measure(check, here(since=ended)).value == 12.5
    env.time.advance(60)
    assert measure(check, here(since=ended)).value == 12.5
    # A clock that was set back: nobody knows what was before.
    assert measure(check, here(since=env.time.now() + 1)).value != 12.5
    assert watched.asked == [("memory_percent", 3.0), ("memory_percent", 5.0)]


@pytest.mark.parametrize("readings", [None, Watched()])
def test_where_nobody_watches_the_machine_is_sampled(
    readings: Watched | None,
) -> None:
    """A watch that has said nothing lately is none."""
    env = FakeEnv("memory_has_room")
    env.readings = readings
    check = scan(checks)["memory-has-room"](env)
    reading = measure(check, here())
    assert reading.value is not None
    assert "watched" not in reading.says
