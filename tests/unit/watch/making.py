"""What samples are made of in tests: processes that nobody has to start."""

from pathlib import Path

from app.core.host import HostSettings
from app.core.look.readings import Readings
from app.core.look.snapshot import TICKS, Key, Proc, Snapshot
from app.watch.rules import Claim, Text
from app.watch.sampling import Known, Sample
from app.watch.settings import Threshold
from app.watch.watching import Place
from tests.fakes import FakeClock

MB = 1_048_576
GB = 1_024 * MB
NOW = 1_795_227_242_000_000
BOOT = 100_000.0
URL = "http://127.0.0.1:1/webhooks/watch"


def make_proc(
    pid: int,
    name: str = "busy",
    age: float = 10.0,
    *,
    at: float = BOOT,
    rss: int = 10 * MB,
    ticks: int = 0,
    state: str = "R",
) -> Proc:
    """Return a process that began so long before a moment."""
    start = int((at - age) * TICKS)
    return Proc(pid, start, name, state, 1, ticks, rss, 1)


def make_sample(
    procs: dict[Proc, float],
    *,
    at: float = BOOT,
    cpu: float = 50.0,
    ours: frozenset[int] = frozenset(),
    wants: dict[Key, float] | None = None,
    slept: float = 0.0,
    **figures: float,
) -> Sample:
    """Return the machine at a moment, with what each process takes."""
    shown = {
        "cpu_percent": cpu,
        "load1": 1.0,
        "memory_percent": 40.0,
        "swap_percent": 0.0,
        **figures,
    }
    snapshot = Snapshot(
        monotonic=at,
        procs={one.key: one for one in procs},
        figures=shown,
        memory_bytes=10 * GB,
        ahead=slept,
    )
    return Sample(
        at=NOW + int((at - BOOT) * 1e6),
        snapshot=snapshot,
        counters={"core.0_s": 1.0, "core.1_s": 1.0},
        shares={one.key: share for one, share in procs.items()},
        wants=wants or {},
        known={
            one.key: Known(one.name, one.name, one.pid in ours)
            for one in procs
        },
    )


def make_claim(
    *,
    begins: bool,
    lasts: bool | None = None,
    name: str = "HostHighMemory",
    seconds: float = 10.0,
    clear: float = 5.0,
    **labels: str,
) -> Claim:
    """Return a claim that something is too much, or is not."""
    return Claim(
        name=name,
        labels=labels,
        threshold=Threshold(
            limit=90, for_seconds=seconds, clear_seconds=clear
        ),
        begins=begins,
        lasts=begins if lasts is None else lasts,
        tell=lambda _: Text("summary", "description"),
    )


def make_place(clock: FakeClock, state: Path | None = None) -> Place:
    """Return where a watch stands that nobody hears."""
    return Place(
        name="h",
        host=HostSettings(),
        url=URL,
        headers={},
        clock=clock,
        readings=Readings(clock),
        state=state,
    )
