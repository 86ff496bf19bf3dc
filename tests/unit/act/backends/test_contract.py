"""What every backend promises, against real receivers of jobs."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.core.errors import CannotTell, NotAccepted, OutgoingFailed
from app.models.job import JobState
from app.ports import Backend, Hearing
from tests.fakes import FakeClock
from tests.receiver import Receiver
from tests.unit.act.backends.making import (
    SECRET,
    endpoint,
    follow,
    further,
    make,
    on_a_loop,
    order,
)

STEPS = [{"says": "line 1\n"}, {"says": "line 2\n", "seconds": 2}]
SCRIPTS: dict[str, dict[str, Any]] = {
    "later": {"steps": STEPS, "seconds": 3},
    "endless": {"steps": STEPS[:1], "seconds": 80_000},
    "lose": {"steps": STEPS, "seconds": 3, "lose_answer": True},
    "refuse": {"refuses": "forever"},
    "busy": {"refuses": "now"},
    "blind": {"cannot_tell": True},
}


class Stand:
    """A backend, and what stands behind it."""

    def __init__(
        self,
        renew: Callable[[], Backend],
        count: Callable[[str, str], int],
        pass_time: Callable[[], object],
    ) -> None:
        self.renew = renew
        self.backend = renew()
        self.count = count
        self.pass_time = pass_time


@pytest.fixture(params=["webhook", "scripted"])
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    """Return each backend with its receiver."""
    if request.param == "scripted":
        yield _scripted(tmp_path)
        return
    with Receiver(tmp_path, secret=SECRET) as receiver:
        yield _webhook(tmp_path, receiver)


def _webhook(folder: Path, receiver: Receiver) -> Stand:
    """Return the webhook with a receiver in a process of its own."""
    endpoints = {
        name: endpoint(receiver, name, hears=True)
        for name in SCRIPTS
        if name != "blind"
    }
    endpoints["blind"] = endpoint(receiver, "later", find_url="")

    def renew() -> Backend:
        """Return the backend after both ends have been killed."""
        receiver.kill()
        receiver.start()
        return make(folder, {"webhook": {"endpoints": endpoints}})["webhook"]

    return Stand(renew, receiver.noted, bool)


def _scripted(folder: Path) -> Stand:
    """Return the scripted backend with a clock that is moved."""
    clock = FakeClock()

    def renew() -> Backend:
        """Return the backend as it is after a restart."""
        return make(folder, {"scripted": {"jobs": SCRIPTS}}, clock)["scripted"]

    def count(what: str, key: str) -> int:
        """Return how often something happened to a job."""
        file = folder / "var" / "scripted.jsonl"
        if not file.exists():
            return 0
        lines = map(msgspec.json.decode, file.read_bytes().splitlines())
        what = "hear" if what == "word" else what
        return sum((e["what"], e["key"]) == (what, key) for e in lines)

    return Stand(renew, count, lambda: clock.advance(1))


@on_a_loop
async def test_a_job_runs_to_its_end(stand: Stand) -> None:
    """It is started once, followed, and all its output is read once."""
    sent = order("later")
    said = await stand.backend.start(sent)
    assert said.state is JobState.STARTED
    assert said.reference
    end, output = await follow(stand.backend, sent, said, stand.pass_time)
    assert end.state is JobState.SUCCEEDED
    assert output == "line 1\nline 2\n"
    assert stand.count("start", sent.key) == 1


@on_a_loop
async def test_one_key_is_started_once(stand: Stand) -> None:
    """Whoever sends an order twice has one job, also after a restart."""
    sent = order("later")
    first = await stand.backend.start(sent)
    again = await stand.renew().start(sent)
    assert again.reference == first.reference
    assert stand.count("start", sent.key) == 1
    assert stand.count("again", sent.key) == 1


@on_a_loop
async def test_a_lost_answer_is_no_refusal(stand: Stand) -> None:
    """The job runs: it is found by its key, and followed to its end."""
    sent = order("lose")
    with pytest.raises(OutgoingFailed) as failure:
        await stand.backend.start(sent)
    assert not isinstance(failure.value, NotAccepted)
    assert stand.count("start", sent.key) == 1
    found = await stand.renew().find(sent)
    assert found is not None
    end, _ = await follow(stand.backend, sent, found, stand.pass_time)
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
    stand.pass_time()
    sent = further(sent, said)
    await stand.backend.abort(sent)
    assert stand.count("abort", sent.key) == 1
    end, output = await follow(stand.backend, sent, said, stand.pass_time)
    assert end.state is JobState.ABORTED
    assert end.reason
    assert output == "line 1\n"


@on_a_loop
async def test_a_running_job_hears(stand: Stand) -> None:
    """The problem is over: the job is told."""
    sent = order("endless")
    sent = further(sent, await stand.backend.start(sent))
    assert isinstance(stand.backend, Hearing)
    await stand.backend.hear(sent, "alert_resolved")
    assert stand.count("word", sent.key) == 1


@on_a_loop
async def test_who_cannot_tell_says_so(stand: Stand) -> None:
    """Nobody takes silence for a job that was never started."""
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
