"""The action log survives what the inbox survives, with its chain whole."""

import json
import random
import shutil
from itertools import chain
from pathlib import Path

import pytest

from app.models.chain import Anchor, parse_anchor
from tests.chaos.disk import Disk, Keep, keep_all, read_journal, trim
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load, wait_until
from tests.chaos.proof import Proof
from tests.chaos.shim import Shim
from tests.chaos.tally import settle
from tests.chaos.test_kill import kill_under_load
from tests.chaos.test_power_cut import keep_rule
from tests.postgres import Postgres
from tests.service import OPEN, Service

pytestmark = pytest.mark.chaos
KILLS = 5
CUTS = 40
RESTARTS = 3
WAIT_SECONDS = 60.0


def read_anchor(service: Service) -> list[Anchor]:
    """Return what the service kept outside of its database."""
    file = service.folder / "log.anchor"
    return [parse_anchor(json.loads(file.read_bytes())["anchor"])]


def wait_for_folding(proof: Proof) -> None:
    """Return when all that came in was folded."""
    wait_until(proof.is_folded, "folding", WAIT_SECONDS)


@pytest.mark.long
def test_kills_leave_the_chain_whole(service: Service, scale: int) -> None:
    """Each acknowledged alert is folded once, each incident is one."""
    proof = Proof(f"sqlite:///{service.database}")
    ledger = kill_under_load(service, KILLS * scale)
    wait_for_folding(proof)
    assert proof.chain_faults(read_anchor(service)) == []
    assert proof.fold_faults(ledger) == []
    assert service.stop() == 0
    end = proof.end()
    assert read_anchor(service) == [end]
    assert end.entry > len(ledger.posts)
    faults = [*proof.chain_faults([end]), *ledger.faults]
    settle("kill -9 of ingest and folding", KILLS * scale, faults)


def record_run(shim: Shim) -> Ledger:
    """Return the ledger of a run with a kill and a stop."""
    with shim.service() as service:
        proof = Proof(f"sqlite:///{service.database}")
        load = Load(service.port, place=shim.position)
        with load.running() as ledger:
            load.wait_for(150)
            service.kill()
            trim(shim.journal)
            service.start()
            load.wait_for(150)
        wait_for_folding(proof)
        service.stop()
    trim(shim.journal)
    assert ledger.faults == []
    return ledger


def look(disk: Disk, folder: Path, keep: Keep) -> tuple[int, list[str]]:
    """Return how long the log is when the power fails now, and its faults."""
    folder.mkdir()
    disk.cut(folder, keep)
    file = folder / "smokejumper.db"
    proof = Proof(f"sqlite:///{file}")
    anchor = folder / "log.anchor"
    anchors = []
    if anchor.exists():
        # It may be old, but it is whole, and not newer than the log.
        told = json.loads(anchor.read_bytes())["anchor"]
        anchors = [parse_anchor(told)]
    faults = proof.chain_faults(anchors)
    entries = 0 if faults else proof.end().entry
    shutil.rmtree(folder)
    return entries, faults


def cut_often(
    shim: Shim, ledger: Ledger, folder: Path, cuts: int
) -> tuple[list[int], dict[int, list[str]]]:
    """Cut the power so often; return the lengths of the log, and faults."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    print(f"the seed of these cuts is {seed}")  # noqa: T201 (pytest shows it)
    records = list(read_journal(shim.journal))
    first = min(ack.place for ack in ledger.acks)
    ends = [record.end for record in records if record.end > first]
    # The last one is at the end: there is a long log then, whatever comes.
    some = [*chance.choices(ends, k=cuts - 1), ends[-1]]
    places = sorted(some, reverse=True)
    disk = Disk(keep_rule(chance))
    lengths, wrong = [], {}
    for record in records:
        disk.follow(record)
        while places and places[-1] <= record.end:
            place = places.pop()
            length, faults = look(disk, folder / "cut", keep_rule(chance))
            lengths.append(length)
            if faults:
                wrong[place] = faults
    assert places == []
    return lengths, wrong


@pytest.mark.long
def test_cuts_of_the_power_leave_the_chain_whole(
    tmp_path: Path, scale: int
) -> None:
    """At any moment: no entry without its forerunner, none twice."""
    shim = Shim(tmp_path)
    ledger = record_run(shim)
    lengths, wrong = cut_often(shim, ledger, tmp_path, CUTS * scale)
    settle("power cuts of the log", len(lengths), [*chain(*wrong.values())])
    assert max(lengths) > len(ledger.posts)
    assert len(set(lengths)) > 1


def test_a_restart_goes_on_where_the_power_was_cut(tmp_path: Path) -> None:
    """What the disk held is folded to the end: once, and in one chain."""
    shim = Shim(tmp_path)
    ledger = record_run(shim)
    records = list(read_journal(shim.journal))
    acks = sorted(ack.place for ack in ledger.acks)
    place = acks[len(acks) // 2]
    disk = Disk(keep_all)
    for record in records:
        if record.end > place:
            break
        disk.follow(record)
    folder = tmp_path / "after"
    folder.mkdir()
    disk.cut(folder, keep_all)
    known = Ledger(acks=[a for a in ledger.acks if a.place <= place])
    with Service(folder) as service:
        proof = Proof(f"sqlite:///{service.database}")
        wait_for_folding(proof)
        assert proof.chain_faults(read_anchor(service)) == []
        assert proof.fold_faults(known) == []
        assert "log.breached" not in service.log.read_text()


@pytest.fixture
def url(postgres: Postgres) -> str:
    """Return the address of an empty database."""
    return postgres.make_database(f"chain_{random.getrandbits(48):x}")


@pytest.fixture
def unstarted(tmp_path: Path, url: str) -> Service:
    """Return a service on that database; it is not started."""
    settings = {"database": {"url": url}, "sources": {"alertmanager": OPEN}}
    return Service(tmp_path, settings)


@pytest.mark.real
@pytest.mark.long
def test_crashes_of_the_server_leave_the_chain_whole(
    unstarted: Service, url: str, postgres: Postgres, scale: int
) -> None:
    """PostgreSQL restarted with -m immediate, the service killed after."""
    with unstarted as service:
        load = Load(service.port)
        with load.running() as ledger:
            for _ in range(RESTARTS * scale):
                load.wait_for(random.randint(1, 150))
                postgres.restart_immediately()
            load.wait_for(30)
            service.kill()
            service.start()
            load.wait_for(30)
        proof = Proof(url)
        wait_for_folding(proof)
        assert proof.chain_faults(read_anchor(service)) == []
        assert proof.fold_faults(ledger) == []
        assert service.stop() == 0
        assert read_anchor(service) == [proof.end()]
    what = "crashes of PostgreSQL under folding"
    settle(what, RESTARTS * scale, ledger.faults)
