"""The catalogue is another one after a restart, and a job of before runs."""

from pathlib import Path

import pytest

from app.models.action import Catalogue, Run
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.engine import theatre as stage
from tests.unit.engine.theatre import Theatre, spec

GIVEN = 60
LONGER = Run(backend="robot", job="mend", timeout_seconds=600)
KEPT = [one for one in stage.CATALOGUE.specs if one.name != "mend"]


@pytest.mark.parametrize(
    "catalogue",
    [Catalogue(tuple(KEPT)), Catalogue((*KEPT, spec("mend", run=LONGER)))],
    ids=["gone", "longer"],
)
def test_a_job_has_the_time_that_it_was_given(
    location: Location,
    inbox: SqlInbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    catalogue: Catalogue,
) -> None:
    """And that is what people are told."""
    ledger = Ledger(location, 2.0)
    before = Theatre(inbox, ledger, tmp_path)
    before.decide(before.fire("web-01"), "mend")
    assert before.go().stage == "acting"
    monkeypatch.setattr(stage, "CATALOGUE", catalogue)
    after = Theatre(inbox, ledger, tmp_path)
    after.clock.moment = before.clock.moment
    after.robot.running = before.robot.running
    after.play(GIVEN + 5)
    job = after.job()
    assert after.robot.aborts == [job.key]
    assert job.told == f"it took longer than {GIVEN} s"
    ledger.close()
