"""The webhook backend against Node-RED, which nobody of us has written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import NotAccepted, OutgoingFailed
from app.models.job import JobState
from app.ports import Backend
from tests.real.node_red import NodeRed
from tests.unit.act.backends.making import (
    SECRET,
    follow,
    further,
    make,
    on_a_loop,
    order,
)

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def node_red(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeRed]:
    """Return a running Node-RED."""
    one = NodeRed(tmp_path_factory.mktemp("node-red"), SECRET)
    with one.program:
        yield one


def hook(folder: Path, node_red: NodeRed, **more: Any) -> Backend:
    """Return the webhook with Node-RED behind it."""
    settings = {
        "url": f"{node_red.url}/job",
        "secret": SECRET,
        "allow": ["127.0.0.1/32"],
        "find_url": f"{node_red.url}/find?key={{key}}",
        **more,
    }
    endpoints = {"job": settings, "lose": settings}
    return make(folder, {"webhook": {"endpoints": endpoints}})["webhook"]


@on_a_loop
async def test_a_job_runs_once_and_to_its_end(
    node_red: NodeRed, tmp_path: Path
) -> None:
    """It is started, asked for twice, found again, and was one job."""
    backend = hook(tmp_path, node_red)
    sent = order("job", "sj-1-once")
    first = await backend.start(sent)
    again = await backend.start(sent)
    assert first.reference == again.reference
    end, output = await follow(backend, sent, again)
    assert (end.state, output) == (JobState.SUCCEEDED, "line 1\nline 2\n")
    assert end.reason == "1 start of nginx"
    found = await hook(tmp_path, node_red).find(sent)
    assert found is not None
    assert found.state is JobState.SUCCEEDED


@on_a_loop
async def test_a_lost_answer_is_looked_up(
    node_red: NodeRed, tmp_path: Path
) -> None:
    """The line breaks after the start: the job is found by its key."""
    backend = hook(tmp_path, node_red)
    sent = order("lose", "sj-2-lost")
    with pytest.raises(OutgoingFailed) as failure:
        await backend.start(sent)
    assert not isinstance(failure.value, NotAccepted)
    found = await backend.find(sent)
    assert found is not None
    end, _ = await follow(backend, sent, found)
    assert end.state is JobState.SUCCEEDED
    assert await backend.find(order("lose", "sj-3-never")) is None


@on_a_loop
async def test_a_job_is_aborted(node_red: NodeRed, tmp_path: Path) -> None:
    """DELETE ends it, and that is what is said of it."""
    backend = hook(tmp_path, node_red)
    sent = order("job", "sj-4-end")
    sent = further(sent, await backend.start(sent))
    await backend.abort(sent)
    assert (await backend.watch(sent)).state is JobState.ABORTED


@on_a_loop
async def test_a_wrong_seal_starts_nothing(
    node_red: NodeRed, tmp_path: Path
) -> None:
    """Node-RED checks it by its own cryptography."""
    sent = order("job", "sj-5-forged")
    with pytest.raises(NotAccepted, match="401"):
        await hook(tmp_path, node_red, secret="another").start(sent)
    assert await hook(tmp_path, node_red).find(sent) is None
