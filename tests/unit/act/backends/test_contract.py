"""What every backend promises, against real receivers of jobs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.act import backends
from app.core.errors import CannotTell, NotAccepted, NotHere, OutgoingFailed
from app.core.registry import scan
from app.models.job import JobState
from app.ports import Hearing
from tests.unit.act.backends.making import further, on_a_loop, order
from tests.unit.act.backends.stands import STANDS, Stand

LINES = ["line 1", "line 2"]


def test_every_backend_stands_to_the_contract() -> None:
    """What the folder scan finds is asked below, whoever added it."""
    assert set(scan(backends)) <= {one.replace("_", "-") for one in STANDS}


@pytest.fixture(params=STANDS)
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    """Return each backend with what stands behind it."""
    yield from STANDS[request.param](tmp_path)


@on_a_loop
async def test_a_job_runs_to_its_end(stand: Stand) -> None:
    """It is started once, followed, and all its output is read once."""
    sent = order("later")
    said = await stand.backend.start(sent)
    assert said.state is JobState.STARTED
    assert said.reference
    end, lines = await stand.follow(sent, said)
    assert end.state is JobState.SUCCEEDED
    assert lines == LINES
    assert stand.count("start", sent.key) == 1


@on_a_loop
async def test_one_key_is_started_once(stand: Stand) -> None:
    """Whoever sends an order twice has one job, also after a restart."""
    sent = order("later")
    first = await stand.backend.start(sent)
    again = await stand.renew().start(sent)
    assert again.reference == first.reference
    end, _ = await stand.follow(sent, again)
    assert end.has_ended
    assert stand.count("start", sent.key) == 1
    if "again" not in stand.lacks:
        assert stand.count("again", sent.key) == 1


@on_a_loop
async def test_a_lost_answer_is_no_refusal(stand: Stand) -> None:
    """The job runs: it is found by its key, and followed to its end."""
    stand.need("lose")
    sent = order("lose")
    with pytest.raises(OutgoingFailed) as failure:
        await stand.backend.start(sent)
    assert not isinstance(failure.value, NotAccepted)
    found = await stand.renew().find(sent)
    assert found is not None
    end, _ = await stand.follow(sent, found)
    assert end.state is JobState.SUCCEEDED
    assert stand.count("start", sent.key) == 1


@on_a_loop
async def test_what_was_never_started_is_not_found(stand: Stand) -> None:
    """A backend that knows its jobs says that this is none of them."""
    assert await stand.backend.find(order("later", "sj-9-none")) is None


@pytest.mark.parametrize(("name", "may_retry"), [("refuse", 0), ("busy", 1)])
@on_a_loop
async def test_a_refusal_starts_nothing(
    stand: Stand, name: str, may_retry: int
) -> None:
    """It was certainly not started; only some refusals may be retried."""
    stand.need(name)
    sent = order(name)
    with pytest.raises(NotAccepted) as refusal:
        await stand.backend.start(sent)
    assert refusal.value.may_retry == bool(may_retry)
    assert stand.count("start", sent.key) == 0
    assert await stand.backend.find(sent) is None


@on_a_loop
async def test_a_running_job_is_aborted(stand: Stand) -> None:
    """It ends, and says that it was told to."""
    sent = order("endless")
    said = await stand.backend.start(sent)
    said = await stand.until(sent, said, LINES[0])
    sent = further(sent, said)
    await stand.backend.abort(sent)
    assert stand.count("abort", sent.key) == 1
    end, lines = await stand.follow(sent, said)
    assert end.state is JobState.ABORTED
    assert end.reason
    assert lines == LINES[:1]


@on_a_loop
async def test_a_running_job_hears(stand: Stand) -> None:
    """The problem is over: the job is told, where that is possible."""
    if "hear" in stand.lacks:
        assert not isinstance(stand.backend, Hearing)
        return
    sent = order("endless")
    sent = further(sent, await stand.backend.start(sent))
    assert isinstance(stand.backend, Hearing)
    assert await stand.backend.hear(sent, "alert_resolved")
    assert stand.count("word", sent.key) == 1


@on_a_loop
async def test_who_cannot_tell_says_so(stand: Stand) -> None:
    """Nobody takes silence for a job that was never started."""
    stand.need("blind")
    with pytest.raises(CannotTell):
        await stand.backend.find(order("blind"))


@on_a_loop
async def test_a_job_that_is_not_there(stand: Stand) -> None:
    """It is known before, refused, and never looked for in vain."""
    assert stand.backend.knows("later")
    assert not stand.backend.knows("nothing")
    with pytest.raises(NotAccepted) as refusal:
        await stand.backend.start(order("nothing"))
    assert not refusal.value.may_retry
    with pytest.raises(OutgoingFailed):
        await stand.backend.watch(order("nothing"))


@pytest.mark.parametrize("name", ["local", "hands", "ansible"])
@on_a_loop
async def test_what_runs_on_one_machine_is_told_apart(
    name: str, tmp_path: Path
) -> None:
    """Another node is where it runs; a failed look is something else."""
    for stand in STANDS[name](tmp_path):
        for call in (stand.backend.watch, stand.backend.abort):
            with pytest.raises(NotHere):
                await call(order("later", "sj-9-none"))


@on_a_loop
async def test_what_cannot_be_read_is_told_to_end_nevertheless(
    tmp_path: Path,
) -> None:
    """A deed whose output nobody can read is the last to be left running."""
    for stand in STANDS["local"](tmp_path):
        sent = order("endless")
        said = await stand.backend.start(sent)
        sent = further(sent, await stand.until(sent, said, LINES[0]))
        (output,) = (tmp_path / "journal").glob("*.out")
        output.unlink()
        output.mkdir()
        with pytest.raises(OutgoingFailed):
            await stand.backend.abort(sent)
        assert stand.count("abort", sent.key) == 1
