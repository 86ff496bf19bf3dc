"""AWX: a job ends for us, whatever became of what it wrote."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.models.job import JobState, Progress
from app.ports import Backend
from tests.awx import LARGE, FakeAwx
from tests.fakes import FakeClock
from tests.unit.act.backends.making import (
    follow,
    further,
    make,
    on_a_loop,
    order,
)
from tests.unit.act.backends.stands import awx_settings


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeAwx]:
    """Return a running AWX."""
    with FakeAwx(tmp_path_factory.mktemp("awx")) as one:
        yield one


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """Return a key that no other test uses."""
    return f"sj-{abs(hash(request.node.name))}"


def awx(folder: Path, machine: FakeAwx, **more: object) -> Backend:
    """Return the backend with all templates, by their names."""
    return make(folder, {"awx": awx_settings(machine, **more)})["awx"]


async def ended(backend: Backend, mode: str, key: str) -> tuple[Progress, str]:
    """Return how a job ended that wrote nothing readable while it ran."""
    sent = order(mode, key)
    said = await backend.start(sent)
    first = await backend.watch(further(sent, said))
    assert first.state is JobState.STARTED
    assert (first.output, first.cursor) == ("", "whole:0")
    return await follow(backend, sent, first)


@on_a_loop
async def test_what_is_too_large_to_be_shown_is_downloaded(
    machine: FakeAwx, tmp_path: Path, key: str
) -> None:
    """AWX says that in the place of the output; the last of it is kept."""
    end, output = await ended(awx(tmp_path, machine), "large", key)
    assert end.state is JobState.SUCCEEDED
    first, _, rest = output.partition("\n")
    missing = re.fullmatch(r"\(([\d,]+) bytes were left out\)", first)
    assert missing is not None, first
    count = int(missing[1].replace(",", ""))
    assert rest == LARGE[count:]
    assert 250_000 < len(rest) <= 262_144
    assert rest.startswith("line "), "whole lines"


@pytest.mark.parametrize(
    ("mode", "more", "why"),
    [
        ("silent", {}, "it answered 500"),
        ("stuck", {"timeout_seconds": 0.5}, "no answer in 0.5 s"),
        ("huge", {"body_bytes": 65_536}, "the answer is too long"),
    ],
)
@on_a_loop
async def test_an_output_that_cannot_be_read(
    machine: FakeAwx,
    tmp_path: Path,
    key: str,
    *,
    mode: str,
    more: dict[str, float],
    why: str,
) -> None:
    """Nothing is said of it while the job runs, and once when it is over."""
    end, output = await ended(awx(tmp_path, machine, **more), mode, key)
    assert end.state is JobState.SUCCEEDED
    assert output.startswith("(AWX has no output: ")
    assert output.endswith(f"{why})\n")
    assert output.count("\n") == 1


@on_a_loop
async def test_an_event_that_is_lost_is_not_waited_for_for_ever(
    machine: FakeAwx, tmp_path: Path, key: str
) -> None:
    """Half a minute after its end it is over, and says that some is lost."""
    clock = FakeClock()
    backend = make(tmp_path, {"awx": awx_settings(machine)}, clock)["awx"]
    sent = order("lossy", key)
    said = await backend.start(sent)
    for _ in range(4):
        said = await backend.watch(further(sent, said))
        assert said.state is JobState.STARTED
    clock.advance(29)
    said = await backend.watch(further(sent, said))
    assert said.state is JobState.STARTED
    clock.advance(1)
    said = await backend.watch(further(sent, said))
    assert said.state is JobState.SUCCEEDED
    assert said.output == "line 2\n(AWX has not stored all that it wrote)\n"
