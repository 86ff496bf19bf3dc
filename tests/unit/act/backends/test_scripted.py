"""The scripted backend: it counts, whoever dies and whoever asks."""

import asyncio
import contextlib
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from app.act.backends.scripted import LedgerFile, Line
from app.core.errors import OutgoingFailed
from app.models.job import JobState
from app.ports import Backend
from tests.fakes import FakeClock
from tests.unit.act.backends.making import follow, make, on_a_loop, order

JOBS = {
    "job": {"seconds": 5, "ends": "failed", "reason": "no such unit"},
    "hangs": {"hangs": "start"},
}


def lines(folder: Path) -> list[dict[str, object]]:
    """Return what the ledger says."""
    text = (folder / "var" / "scripted.jsonl").read_bytes()
    return [msgspec.json.decode(line) for line in text.splitlines()]


@on_a_loop
async def test_it_ends_as_it_is_written(tmp_path: Path) -> None:
    """A job can fail, and says why."""
    clock = FakeClock()
    backend = make(tmp_path, {"scripted": {"jobs": JOBS}}, clock)["scripted"]
    sent = order("job")
    said = await backend.start(sent)
    end, _ = await follow(backend, sent, said, lambda: clock.advance(1))
    assert (end.state, end.reason) == (JobState.FAILED, "no such unit")


def test_many_nodes_start_one_key_once(tmp_path: Path) -> None:
    """Whoever comes first starts it; all others are counted, too."""
    sections = {"scripted": {"jobs": JOBS}}
    nodes = [make(tmp_path, sections)["scripted"] for _ in range(16)]

    def start(node: Backend) -> None:
        """Start it from a node of its own."""
        asyncio.run(node.start(order("job")))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, nodes))
    assert Counter(line["what"] for line in lines(tmp_path)) == {
        "start": 1,
        "again": 15,
    }


def test_nobody_reads_while_another_one_writes(tmp_path: Path) -> None:
    """Two nodes that look at once would both start it."""
    both_are_there = threading.Barrier(2, timeout=0.3)
    met = []

    def choose(lines: list[Line]) -> Line:
        """Wait for another one who chooses at the same time."""
        with contextlib.suppress(threading.BrokenBarrierError):
            both_are_there.wait()
            met.append(len(lines))
        return Line("start", "sj-1", "job", len(lines))

    def append(_: int) -> None:
        """Write a line as a node of its own."""
        LedgerFile(tmp_path / "ledger.jsonl").append(choose)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(append, range(2)))
    assert met == []
    found = LedgerFile(tmp_path / "ledger.jsonl").read()
    assert [line.at for line in found] == [0, 1]


@on_a_loop
async def test_a_hanging_start_has_started(tmp_path: Path) -> None:
    """Whoever gives up waiting finds the job by its key."""
    backend = make(tmp_path, {"scripted": {"jobs": JOBS}})["scripted"]
    sent = order("hangs")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await backend.start(sent)
    found = await backend.find(sent)
    assert found is not None
    assert found.state is JobState.SUCCEEDED


@on_a_loop
async def test_half_a_line_is_no_line(tmp_path: Path) -> None:
    """What a dying process left is cut off, and the next line is whole."""
    backend = make(tmp_path, {"scripted": {"jobs": JOBS}})["scripted"]
    await backend.start(order("job", "sj-1"))
    file = tmp_path / "var" / "scripted.jsonl"
    file.write_bytes(file.read_bytes() + b'{"what":"st')
    await backend.start(order("job", "sj-2"))
    assert [line["key"] for line in lines(tmp_path)] == ["sj-1", "sj-2"]


@on_a_loop
async def test_nobody_watches_what_was_never_started(tmp_path: Path) -> None:
    """A question about nothing has no answer."""
    backend = make(tmp_path, {"scripted": {"jobs": JOBS}})["scripted"]
    with pytest.raises(OutgoingFailed):
        await backend.watch(order("job"))
