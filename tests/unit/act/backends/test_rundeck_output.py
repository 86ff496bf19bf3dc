"""Rundeck: all that a job wrote, its nodes, and an end in any case."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from app.core.clock import Clock
from app.models.evidence import read_stands_out
from app.models.job import JobState
from app.ports import Backend
from tests.fakes import FakeClock
from tests.rundeck import LONG_LINES, SEEN, FakeRundeck, job_id
from tests.unit.act.backends.making import (
    follow,
    further,
    make,
    on_a_loop,
    order,
)
from tests.unit.act.backends.stands import PASSED, rundeck_settings

# So many it never takes.
MOST_LOOKS = 1_000


class Hurried(FakeClock):
    """A clock on which every look at it takes a second and a half."""

    def monotonic(self) -> float:
        """Return the time, and let it pass."""
        self.advance(1.5)
        return super().monotonic()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeRundeck]:
    """Return a running Rundeck."""
    with FakeRundeck(tmp_path_factory.mktemp("rundeck")) as one:
        yield one


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """Return a key that no other test uses."""
    return f"sj-{abs(hash(request.node.name))}"


def rundeck(
    folder: Path,
    machine: FakeRundeck,
    mode: str,
    clock: Clock | None = None,
    **more: object,
) -> Backend:
    """Return the backend with one job, named job."""
    jobs = {"job": {"id": job_id(mode), "options": PASSED, **more}}
    settings = rundeck_settings(machine, jobs=jobs)
    return make(folder, {"rundeck": settings}, clock)["rundeck"]


@on_a_loop
async def test_a_long_output_is_read_by_many_looks(
    machine: FakeRundeck, tmp_path: Path, key: str
) -> None:
    """Each reads some; the end is told with the last of it."""
    backend = rundeck(tmp_path, machine, "long")
    sent = order("job", key)
    said = await backend.start(sent)
    output, sizes = "", []
    for _ in range(MOST_LOOKS):
        if said.has_ended:
            break
        said = await backend.watch(further(sent, said))
        output += said.output
        sizes.append(said.output.count("\n"))
    assert said.state is JobState.SUCCEEDED
    assert output.splitlines() == ["line 1", *["line 2"] * LONG_LINES]
    assert max(sizes) == 5_000, "one look reads no more"


@on_a_loop
async def test_evidence_is_read(
    machine: FakeRundeck, tmp_path: Path, key: str
) -> None:
    """A job that looks at a host tells what stands out by its output."""
    backend = rundeck(tmp_path, machine, "looking")
    sent = order("job", key, action="collect_diagnostics")
    end, output = await follow(backend, sent, await backend.start(sent))
    assert end.state is JobState.SUCCEEDED
    assert output.splitlines() == list(SEEN)
    assert read_stands_out(output) == ("memory 97 %",)


@on_a_loop
async def test_an_output_without_end_ends(
    machine: FakeRundeck, tmp_path: Path, key: str
) -> None:
    """A look stops in time, and after some of them the rest is left out."""
    clock = Hurried()
    backend = rundeck(tmp_path, machine, "flood", clock)
    sent = order("job", key)
    said = await backend.start(sent)
    number = machine.ledger.started()[-1]["id"]
    asked = [0]
    for _ in range(MOST_LOOKS):
        if said.has_ended:
            break
        said = await backend.watch(further(sent, said))
        asked.append(machine.ledger.count("asked", number))
    assert said.state is JobState.SUCCEEDED
    assert len(asked) == 12, "a look while it ran, and ten after"
    assert max(b - a for a, b in pairwise(asked)) <= 3, "each takes time"
    assert said.output.endswith("(the rest of the output was left out)\n")


@on_a_loop
async def test_an_output_that_cannot_be_read(
    machine: FakeRundeck, tmp_path: Path, key: str
) -> None:
    """Nothing is said of it while the job runs, and once when it is over."""
    backend = rundeck(tmp_path, machine, "silent")
    sent = order("job", key)
    first = await backend.watch(further(sent, await backend.start(sent)))
    assert (first.state, first.output) == (JobState.STARTED, "")
    end, output = await follow(backend, sent, first)
    assert end.state is JobState.SUCCEEDED
    assert output == "(Rundeck has no output: it answered 500)\n"


@pytest.mark.parametrize(
    ("mode", "filter_", "reason"),
    [
        ("later", "name: {host}.example.org", ""),
        ("shouting", "name: {host}", ""),
        ("later", "hostname: {host}", ""),
        ("elsewhere", "tags: {host}", ""),
        ("crowd", "tags: {host}", ""),
        ("elsewhere", "name: {host}.*", ""),
        ("crowd", "name: {host}", "it ran on other nodes: db-01"),
        ("elsewhere", "name: {host}", "it ran on other nodes: db-01"),
        (
            "crowd",
            "hostname: {host}",
            "it ran on other nodes: db-01, node-17",
        ),
        (
            "crowd",
            "tags: web name: {host}",
            "it ran on other nodes: db-01, web-01",
        ),
        ("failing", "tags: {host}", "failed on web-01"),
    ],
)
@on_a_loop
async def test_nodes_are_compared_where_their_names_are_known(
    machine: FakeRundeck,
    tmp_path: Path,
    key: str,
    *,
    mode: str,
    filter_: str,
    reason: str,
) -> None:
    """A name by the whole filter; of one host there is one node."""
    backend = rundeck(tmp_path, machine, mode, filter=filter_)
    sent = order("job", key)
    end, _ = await follow(backend, sent, await backend.start(sent))
    state = JobState.FAILED if reason else JobState.SUCCEEDED
    assert (end.state, end.reason) == (state, reason)
