"""Several workers on one database: each move is made once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from msgspec.structs import replace

from app.models.job import Job
from app.store.jobs import add_job, find_live_jobs
from app.store.ledger import Connection, Ledger
from app.store.lending import Loan
from app.store.location import Location
from app.store.missions import (
    Fenced,
    add_mission,
    claim_due,
    find_mission,
    save_mission,
)
from tests.unit.store.missions import HOUR, NOW, make_job, make_mission

MISSIONS = 40
WORKERS = 3


def take_and_move(turn: Connection, holder: str) -> list[int]:
    """Let a worker end what is due; return what it ended."""
    taken = claim_due(turn, Loan(holder, NOW, NOW + HOUR), limit=3)
    for one in taken:
        over = replace(one, version=2, stage="closed", due_at=None)
        save_mission(turn, one, over)
    return [one.id for one in taken]


def work(location: Location, holder: str, start: Barrier) -> list[int]:
    """Let a worker go on until nothing is due."""
    ledger = Ledger(location, 10.0)
    done: list[int] = []
    start.wait(10)
    while True:
        with ledger.turn() as turn:
            some = take_and_move(turn, holder)
        if not some:
            ledger.close()
            return done
        done += some


def test_what_is_due_is_moved_once(location: Location) -> None:
    """However many workers there are: none twice, and none is left."""
    ledger = Ledger(location, 10.0)
    with ledger.turn() as turn:
        for number in range(1, MISSIONS + 1):
            add_mission(turn, make_mission(number))
    start = Barrier(WORKERS)
    with ThreadPoolExecutor(WORKERS) as pool:
        runs = [
            pool.submit(work, location, f"w{n}", start) for n in range(WORKERS)
        ]
        done = [number for run in runs for number in run.result(60)]
    assert sorted(done) == list(range(1, MISSIONS + 1))
    with ledger.turn() as turn:
        for number in done:
            mission = find_mission(turn, number)
            assert mission is not None
            assert (mission.version, mission.fence) == (2, 1)
    ledger.close()


def plan(location: Location, job: Job, start: Barrier) -> bool:
    """Plan a job as the guard allows it; tell whether it was."""
    ledger = Ledger(location, 10.0)
    start.wait(10)
    try:
        with ledger.turn() as turn:
            add_job(turn, job)
    except Fenced:
        return False
    finally:
        ledger.close()
    return True


def test_one_of_many_jobs_gets_the_target(location: Location) -> None:
    """The database itself refuses the others, whoever looked before."""
    start = Barrier(WORKERS)
    with ThreadPoolExecutor(WORKERS) as pool:
        runs = [
            pool.submit(plan, location, make_job(number), start)
            for number in range(1, WORKERS + 1)
        ]
        assert sum(run.result(60) for run in runs) == 1
    ledger = Ledger(location, 10.0)
    with ledger.turn() as turn:
        assert len(find_live_jobs(turn)) == 1
    ledger.close()
