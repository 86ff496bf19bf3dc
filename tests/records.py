"""Decisions as they are kept."""

from typing import Any

from app.models.case import Case
from app.models.choice import Decision
from app.models.menu import Menu
from app.models.record import Record, Standpoint


def make_record(
    incident: int, case: Case, decision: Decision, **fields: Any
) -> Record:
    """Return a decision on an incident; what is not said is plain."""
    standpoint = Standpoint(
        incident=incident,
        target="host/web-1",
        problem="p",
        problems=("p",),
        severity="warning",
        seq=1,
    )
    plain = {"at": 1, "standpoint": standpoint, "menu": Menu(())}
    return Record(case=case, decision=decision, **{**plain, **fields})
