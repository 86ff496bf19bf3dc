"""F3, F4: the power fails at any moment, also after a sync has failed.

The service is a real one and its disk is a recorded one: at each cut the
files are rebuilt as a disk may hold them, opened, and compared with what had
been acknowledged by then.
"""

import random
import shutil
from itertools import chain
from pathlib import Path

import pytest

from tests.chaos.disk import (
    Disk,
    Keep,
    keep_all,
    keep_none,
    keep_some,
    read_journal,
    trim,
)
from tests.chaos.ledger import Ledger, read_sqlite
from tests.chaos.load import Load, wait_until
from tests.chaos.shim import Shim
from tests.chaos.tally import settle

pytestmark = pytest.mark.chaos
CUTS = 100
LONG = 24 * 1_048_576
PROBLEM = "application/problem+json"


def keep_rule(chance: random.Random) -> Keep:
    """Return how much of what was not synced is there: none, all, some."""
    return chance.choice([keep_none, keep_all, keep_some(chance)])


def cut_often(
    shim: Shim, ledger: Ledger, folder: Path, cuts: int
) -> dict[int, list[str]]:
    """Cut the power so many times; return what was wrong, by moment."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    print(f"the seed of these cuts is {seed}")  # noqa: T201 (pytest shows it)
    records = list(read_journal(shim.journal))
    moments = {ack.place for ack in ledger.acks}
    # Right after an acknowledgement, and anywhere.
    places = chance.sample(sorted(moments), min(len(moments), cuts // 2))
    ends = [record.end for record in records]
    places += chance.choices(ends, k=cuts - len(places))
    disk = Disk(keep_rule(chance))
    wrong = {}
    remaining = sorted(places, reverse=True)
    for record in records:
        disk.follow(record)
        while remaining and remaining[-1] <= record.end:
            place = remaining.pop()
            faults = _look(disk, ledger, folder / "cut", (place, chance))
            if faults:
                wrong[place] = faults
    assert remaining == []
    return wrong


def _look(
    disk: Disk,
    ledger: Ledger,
    folder: Path,
    when: tuple[int, random.Random],
) -> list[str]:
    """Return what is wrong when the power fails now."""
    place, chance = when
    folder.mkdir()
    disk.cut(folder, keep_rule(chance))
    file = folder / "smokejumper.db"
    if not file.exists():
        faults = ["lost: the whole file"] if _is_any(ledger, place) else []
    elif not _is_any(ledger, place):
        # Before the first acknowledgement the tables may not be there.
        faults = []
    else:
        faults = ledger.compare(read_sqlite(file), until=place)
    shutil.rmtree(folder)
    return faults


def _is_any(ledger: Ledger, place: int) -> bool:
    """Tell whether anything was acknowledged by then."""
    return any(ack.place <= place for ack in ledger.acks)


def record_run(shim: Shim) -> Ledger:
    """Return the ledger of a run with checkpoints, a kill and a stop."""
    with shim.service() as service:
        load = Load(service.port, padding=40_000, place=shim.position)
        with load.running() as ledger:
            start = shim.position()
            wait_until(
                lambda: shim.position() - start > LONG, "several checkpoints"
            )
            service.kill()
            trim(shim.journal)
            service.start()
            load.wait_for(20)
            service.stop()
            service.start()
            load.wait_for(20)
        service.kill()
    trim(shim.journal)
    assert ledger.faults == []
    return ledger


def test_no_cut_of_the_power_loses_anything(
    tmp_path: Path, scale: int
) -> None:
    """What was acknowledged before the cut is there after it."""
    shim = Shim(tmp_path)
    ledger = record_run(shim)
    wrong = cut_often(shim, ledger, tmp_path, CUTS * scale)
    settle("power cuts", CUTS * scale, [*chain(*wrong.values())])


def test_a_disk_that_does_not_sync_is_found_out(tmp_path: Path) -> None:
    """The control: on a disk whose syncs are lies, the cuts find losses."""
    shim = Shim(tmp_path, lies=True)
    with shim.service() as service:
        load = Load(service.port, place=shim.position)
        with load.running() as ledger:
            load.wait_for(100)
        service.kill()
    wrong = cut_often(shim, ledger, tmp_path, 20)
    texts = [text for faults in wrong.values() for text in faults]
    assert any(text.startswith("lost: ") for text in texts)


@pytest.mark.parametrize(
    ("fail_on", "times", "is_told"),
    [
        # More than one: it may be the commit of the keeper that meets it.
        ("-wal", 6, True),
        # A checkpoint that fails breaks no promise: the log is kept until
        # all of it was copied and synced (docs/decisions/005).
        (".db", 2, False),
        ("", 8, True),
    ],
)
def test_a_sync_that_fails_is_survived(
    tmp_path: Path, scale: int, fail_on: str, times: int, is_told: bool
) -> None:
    """EIO: 503, then on without a restart; no cut loses anything."""
    shim = Shim(tmp_path)
    with shim.service(fail_on=fail_on) as service:
        load = Load(service.port, padding=20_000, place=shim.position)
        pid = service.pid
        with load.running() as ledger:
            load.wait_for(50)
            shim.fail_syncs(times)
            wait_until(lambda: shim.failures_left() == 0, "the failures")
            load.wait_for(100)
        assert service.pid == pid
        assert service.is_ready()
        service.kill()
    trim(shim.journal)
    assert ledger.faults == []
    answers = {(r.status, r.media_type, r.reason) for r in ledger.refusals}
    assert answers <= {(503, PROBLEM, "storage")}
    assert answers or not is_told
    wrong = cut_often(shim, ledger, tmp_path, 25 * scale)
    what = f"power cuts after a failed fsync of {fail_on or 'any file'}"
    settle(what, 25 * scale, [*chain(*wrong.values())])
