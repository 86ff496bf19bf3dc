"""AWX: what the tasks of a job themselves have written, where that is asked.

Its own output shows results of tasks as JSON, in which nobody can read
evidence line by line.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.act import awx_output
from app.models.evidence import read_stands_out
from app.models.job import JobState, Progress
from app.ports import Backend
from tests.awx import MODES, FakeAwx
from tests.awx_events import EVIDENCE, TASKS
from tests.unit.act.backends.making import follow, make, on_a_loop, order
from tests.unit.act.backends.stands import awx_settings

LOOK = "collect_diagnostics"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeAwx]:
    """Return a running AWX."""
    with FakeAwx(tmp_path_factory.mktemp("awx")) as one:
        yield one


def awx(
    folder: Path, machine: FakeAwx, shows: str = "stdout", **more: object
) -> Backend:
    """Return the backend whose jobs show what their tasks write."""
    told = {"service_name": "service"}
    jobs = {
        mode: {"template": mode, "extra_vars": told, "shows": shows}
        for mode in MODES
    }
    settings = awx_settings(machine, jobs=jobs, **more)
    return make(folder, {"awx": settings})["awx"]


async def ended(backend: Backend, mode: str, key: str) -> tuple[Progress, str]:
    """Return how a job ended, and all that it wrote."""
    sent = order(mode, key, action=LOOK)
    return await follow(backend, sent, await backend.start(sent))


@on_a_loop
async def test_evidence_is_read(machine: FakeAwx, tmp_path: Path) -> None:
    """What stands out is told to people, as from any other backend."""
    end, output = await ended(awx(tmp_path, machine), "looking", "sj-1-look")
    assert end.state is JobState.SUCCEEDED
    assert output == EVIDENCE
    assert read_stands_out(output) == ("memory 97 %", "swap 80 %")


@on_a_loop
async def test_evidence_is_not_read_from_a_play(
    machine: FakeAwx, tmp_path: Path
) -> None:
    """That is why it must be asked for."""
    backend = awx(tmp_path, machine, "play")
    _, output = await ended(backend, "looking", "sj-1-play")
    assert "# evidence: " in output
    assert read_stands_out(output) == ()


@pytest.mark.parametrize(
    ("mode", "state", "wanted"),
    [
        ("later", JobState.SUCCEEDED, "line 1\n"),
        ("failing", JobState.FAILED, "line 1\noh\nit is broken\n"),
        (
            "chatty",
            JobState.SUCCEEDED,
            "".join(f"task {number}\n" for number in range(TASKS)),
        ),
    ],
)
@on_a_loop
async def test_what_tasks_write(
    machine: FakeAwx, tmp_path: Path, mode: str, state: JobState, wanted: str
) -> None:
    """All of it, in its order, and why one went wrong."""
    end, output = await ended(awx(tmp_path, machine), mode, f"sj-1-{mode}")
    assert (end.state, output) == (state, wanted)


@on_a_loop
async def test_there_is_an_end_to_it(
    machine: FakeAwx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes more than anybody reads does not hold up the end."""
    monkeypatch.setattr(awx_output, "MOST_PAGES", 2)
    end, output = await ended(awx(tmp_path, machine), "chatty", "sj-1-cut")
    assert end.state is JobState.SUCCEEDED
    lines = output.splitlines()
    assert len(lines) == 2 * awx_output.EVENTS + 1
    assert lines[-1] == "(the rest of the output was left out)"


@on_a_loop
async def test_events_that_cannot_be_read(
    machine: FakeAwx, tmp_path: Path
) -> None:
    """The job ends all the same, and says that it has no output."""
    backend = awx(tmp_path, machine, timeout_seconds=0.5)
    end, output = await ended(backend, "untold", "sj-1-untold")
    assert end.state is JobState.SUCCEEDED
    assert output.startswith("(AWX has no output: ")
    assert output.endswith("no answer in 0.5 s)\n")
