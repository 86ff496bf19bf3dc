"""The case of an incident holds what the store knows of it, and no more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update

from app.decide.reins import DecideSettings
from app.decide.runbooks import Runbooks
from app.engine.casework import Casefile, Casework
from app.engine.recording import keep
from app.fold.rules import FoldSettings, make_rules
from app.models.alert import Alert, Severity, Status
from app.models.case import Case
from app.models.choice import Decision
from app.models.decision_tables import DecisionRow
from app.models.inventory import Inventory
from app.models.menu import Menu
from app.models.record import Record
from app.models.tables import IncidentRow, table_of
from app.store.decisions import set_verdict
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from app.store.retention import sweep_incidents
from tests.unit.fold.room import Room

RUNBOOK = """---
matchers: ['target=~"web-.*"', 'problem="DiskFull"']
---
Ask the shop team.
"""


class Office(Room):
    """A room where cases are made of what was told."""

    def __init__(self, inbox: SqlInbox, ledger: Ledger, books: Path) -> None:
        super().__init__(inbox, ledger)
        self.work = Casework(
            make_rules(FoldSettings()),
            DecideSettings(),
            Runbooks(books),
            self.clock,
            Inventory,
        )

    def open(self, number: int) -> Casefile:
        """Return the case of an incident with what is around it."""
        file = self.turn(lambda turn: self.work.open_file(turn, number))
        assert file is not None
        return file

    def case(self, number: int) -> Case:
        """Return the case of an incident."""
        return self.open(number).case

    def decide(self, number: int, action: str, last: int = 0) -> int:
        """Keep a decision on an incident; return its number."""
        file = self.open(number)
        record = Record(
            at=self.clock.now(),
            standpoint=file.standpoint,
            case=file.case,
            menu=Menu(()),
            decision=Decision(
                action=action,
                arguments={"host": "web-01"},
                reason="half \ud83d of a pair, and a \0",
                brain="fake",
            ),
        )
        return self.turn(lambda turn: keep(turn, record, last))


@pytest.fixture
def office(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Office]:
    """Return a room on each database."""
    (tmp_path / "disk.md").write_text(RUNBOOK)
    ledger = Ledger(location, 2.0)
    yield Office(inbox, ledger, tmp_path)
    ledger.close()


def test_the_worst_that_goes_on_is_the_main_alert(office: Office) -> None:
    """With its own labels; the others are names."""
    number = office.fire("web-01", "LoadHigh")
    office.fire("web-01", "DiskFull", 1, Severity.CRITICAL)
    office.fire("web-01", "SwapFull", 2)
    office.fire("db-01", "DiskFull", 3)
    case = office.case(number)
    assert (case.name, case.severity) == ("DiskFull", "critical")
    assert (case.target_kind, case.target) == ("host", "web-01")
    assert case.labels == {"instance": "web-01"}
    assert case.together == ("LoadHigh", "SwapFull")
    assert (case.episodes, case.status, case.is_flapping) == (
        3,
        "firing",
        False,
    )
    assert case.runbook == "disk: Ask the shop team."
    assert case.maintenance == ""
    file = office.open(number)
    assert file.standpoint.problems == ("DiskFull", "LoadHigh", "SwapFull")
    assert file.standpoint.target == "host::web-01"


def test_siblings_are_counted(office: Office) -> None:
    """Those with the same problem at the same time."""
    number = office.fire("web-01")
    for host in ("web-02", "web-03"):
        office.fire(host)
    office.fire("web-04", "LoadHigh")
    assert office.case(number).siblings == 2


def test_an_incident_that_is_over_is_resolved(office: Office) -> None:
    """So no brain acts on it."""
    number = office.fire("web-01")
    office.end("web-01")
    case = office.case(number)
    assert (case.status, case.name) == ("resolved", "DiskFull")


def test_history_and_verdicts_are_of_the_store(office: Office) -> None:
    """Of the target as a list, of the problem as counts."""
    number = office.fire("web-01")
    first = office.decide(number, "free_disk_space")
    assert office.case(number).similar == {}
    office.turn(lambda turn: set_verdict(turn, first, "not_fixed"))
    office.decide(number, "escalate", first)
    case = office.case(number)
    assert [(one.action, one.verdict) for one in case.history] == [
        ("escalate", ""),
        ("free_disk_space", "not_fixed"),
    ]
    assert case.history[0].arguments == {"host": "web-01"}
    assert case.similar == {"free_disk_space": {"not_fixed": 1}}
    elsewhere = office.case(office.fire("web-02"))
    assert elsewhere.history == ()
    assert elsewhere.similar == case.similar


def test_whoever_is_late_writes_nothing(office: Office) -> None:
    """Of two decisions on the same standpoint the first is kept."""
    number = office.fire("web-01")
    digest = office.case(number).digest
    assert office.decide(number, "escalate") == 1
    assert office.decide(number, "no_action") == 0
    (row,) = office.rows(DecisionRow)
    assert row.action == "escalate"
    assert len(office.log("decision.made")) == 1
    assert "\0" not in row.reason
    case = msgspec.json.decode(row.casefile, type=Case)
    assert case.digest == digest
    assert office.case(number).digest != digest  # it has a history now


def test_decisions_go_with_their_incident(office: Office) -> None:
    """All but the newest, whose number must not be given again."""
    old, other = office.fire("web-01"), office.fire("web-02")
    office.decide(old, "escalate")
    office.end("web-01")
    office.decide(other, "escalate")
    before = office.clock.now() + 1

    def sweep(turn: Any) -> int:
        """Take off what is over."""
        everything = update(table_of(IncidentRow))
        turn.execute(everything.values(opened_at=0))
        return sweep_incidents(turn, before, 0).deleted

    assert office.turn(sweep) == 1
    query = select(table_of(DecisionRow).c.incident_id)
    assert list(office.turn(lambda t: t.execute(query).scalars())) == [other]


def test_an_alert_alone_makes_a_case(office: Office) -> None:
    """For a trial: without history, with the runbook's chance."""
    alert = Alert(
        fingerprint="f",
        occurrence="1",
        status=Status.FIRING,
        name="DiskFull",
        labels={"instance": "web-01:9100"},
        annotations={"summary": "x\u200by"},
    )
    case = office.work.of_alert("alertmanager", alert)
    assert (case.incident, case.target) == (0, "web-01")
    assert case.texts == {"summary": "xy"}
