"""Platforms that do not answer: a bounded wait, and nothing is made up.

What was asked may have arrived or not. So silence is neither success nor
the end of a job, is no proof that a job was never started, and starts
nothing a second time.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.core.errors import NotAccepted, OutgoingFailed
from app.models.job import JobState, Order, Progress
from app.ports import Backend
from tests.awx import FakeAwx
from tests.machines import HANG_SECONDS, Machine
from tests.rundeck import FakeRundeck, job_id
from tests.unit.act.backends.making import (
    follow,
    further,
    make,
    on_a_loop,
    order,
)
from tests.unit.act.backends.stands import (
    PASSED,
    awx_settings,
    rundeck_settings,
)

MODES = ("unwatched", "unfound", "unended")
TIMEOUT = 0.7
Settings = Callable[[Machine, float], dict[str, Any]]


def of_rundeck(machine: Machine, seconds: float) -> dict[str, Any]:
    """Return the settings of a Rundeck whose jobs stall."""
    jobs = {one: {"id": job_id(one), "options": PASSED} for one in MODES}
    return rundeck_settings(machine, jobs=jobs, timeout_seconds=seconds)


def of_awx(machine: Machine, seconds: float) -> dict[str, Any]:
    """Return the settings of an AWX whose templates stall."""
    return awx_settings(machine, timeout_seconds=seconds)


class Platform(NamedTuple):
    """A backend whose other end stalls.

    Attributes:
        backend: the backend.
        machine: the other end.
    """

    backend: Backend
    machine: Machine


KINDS: dict[str, tuple[type[FakeRundeck | FakeAwx], Settings]] = {
    "rundeck": (FakeRundeck, of_rundeck),
    "awx": (FakeAwx, of_awx),
}


@pytest.fixture(params=KINDS)
def platform(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Platform]:
    """Return each platform, and the backend that has little patience."""
    fake, settings = KINDS[request.param]
    with fake(tmp_path) as machine:
        sections = {request.param: settings(machine, TIMEOUT)}
        yield Platform(make(tmp_path, sections)[request.param], machine)


async def stalls(asked: Any) -> OutgoingFailed:
    """Return how something failed that got no answer; it ends in time."""
    async with asyncio.timeout(HANG_SECONDS / 2):
        with pytest.raises(OutgoingFailed) as failure:
            await asked
    return failure.value


async def started(platform: Platform, mode: str) -> tuple[Order, Progress]:
    """Return the order of a job that runs, as it is now."""
    sent = order(mode)
    said = await platform.backend.start(sent)
    assert said.state is JobState.STARTED
    return further(sent, said), said


@on_a_loop
async def test_a_look_at_a_job_that_stalls(platform: Platform) -> None:
    """It is no end, and no success: the next look says how it went on."""
    sent, said = await started(platform, "unwatched")
    for _ in range(2):
        failure = await stalls(platform.backend.watch(sent))
        assert not isinstance(failure, NotAccepted)
    end, output = await follow(platform.backend, sent, said)
    assert end.state is JobState.SUCCEEDED
    assert "line 2" in output
    assert platform.machine.noted("start", sent.key) == 1


@on_a_loop
async def test_a_search_that_stalls(platform: Platform) -> None:
    """Nobody knows whether it runs: it is not started once more."""
    sent, _ = await started(platform, "unfound")
    failure = await stalls(platform.backend.find(sent))
    assert not isinstance(failure, NotAccepted)
    again = await stalls(platform.backend.start(order("unfound")))
    # Nothing was sent this time, so it may be tried later.
    assert isinstance(again, NotAccepted)
    assert again.may_retry
    assert platform.machine.noted("start", sent.key) == 1


@on_a_loop
async def test_a_request_to_end_that_stalls(platform: Platform) -> None:
    """The job is not said to have ended before it has."""
    sent, said = await started(platform, "unended")
    failure = await stalls(platform.backend.abort(sent))
    assert not isinstance(failure, NotAccepted)
    assert platform.machine.noted("abort", sent.key) == 0
    for _ in range(3):
        said = await platform.backend.watch(further(sent, said))
        assert said.state is JobState.STARTED
    await platform.backend.abort(further(sent, said))
    assert platform.machine.noted("abort", sent.key) == 1
    end, _ = await follow(platform.backend, sent, said)
    assert end.state is JobState.ABORTED
