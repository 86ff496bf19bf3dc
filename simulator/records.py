"""What a score is made of: plain records of the truth and of the service.

They are read from JSON as it is told over HTTP, or as a truth.jsonl has it;
more fields than these are passed over, a missing one is an error.
"""

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

# What may be chosen without changing anything.
PASSIVE = frozenset({"no_action", "escalate", "collect_diagnostics"})
QUIET = frozenset({"no_action"})
OBSERVE = "observe"
# Who proposes what no brain chose.
NOT_BRAINS = ("code:", "person:", "undo")


class Row(BaseModel):
    """A record that does not change."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Fact(Row):
    """One fault as the simulator knows it: the truth."""

    id: str
    fault: str
    scenario: str = ""
    step: str = ""
    level: float = 0
    unit: str = ""
    target: dict[str, str]
    expects: tuple[str, ...]
    began_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    ended_by: str = ""

    @property
    def is_quiet(self) -> bool:
        """Tell whether doing nothing is the only right thing."""
        return set(self.expects) == QUIET

    @property
    def is_passive(self) -> bool:
        """Tell whether nothing is to be changed because of it."""
        return set(self.expects) <= PASSIVE

    @property
    def right(self) -> frozenset[str]:
        """Return all actions that are right.

        Where something is only to be seen, or told, each way of it is.
        """
        is_watched = self.is_passive and not self.is_quiet
        return frozenset(self.expects) | (PASSIVE if is_watched else set())

    @property
    def may_be_unseen(self) -> bool:
        """Tell whether it is right that nobody hears of it."""
        return "no_action" in self.expects

    def covers(
        self, moment: datetime, early: timedelta, late: timedelta
    ) -> bool:
        """Tell whether a moment is of this fault, with some room."""
        if moment < self.began_at - early:
            return False
        return self.ended_at is None or moment <= self.ended_at + late


class Alert(Row):
    """One message of a monitoring system, as the service has it."""

    id: int
    incident: int = Field(0, alias="incident_id")
    fingerprint: str = ""
    status: str
    name: str
    labels: dict[str, str] = {}
    at: AwareDatetime = Field(alias="received_at")

    def __init__(self, **values: Any) -> None:
        """Take the fields; one that is not folded yet has no incident."""
        values["incident_id"] = values.get("incident_id") or 0
        super().__init__(**values)


class Incident(Row):
    """One incident, to know where a merged one lives on."""

    id: int
    merged_into: int | None = None
    target_name: str = ""


class Decision(Row):
    """What a brain, a person or code chose."""

    id: int
    incident: int
    at: AwareDatetime
    action: str
    arguments: dict[str, str | int] = {}
    call: str = ""
    brain: str = ""
    shadow: bool = False

    @property
    def is_brains(self) -> bool:
        """Tell whether a brain that decides chose it."""
        return not self.shadow and not self.brain.startswith(NOT_BRAINS)


class Ruling(Row):
    """What code said to a decision."""

    id: int
    decision: int
    outcome: str


class Job(Row):
    """What ran, or was to run."""

    id: int
    incident: int
    decision: int
    action: str
    arguments: dict[str, str | int] = {}
    call: str = ""
    risk: str
    state: str
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    verdict: str = ""

    @property
    def has_changed(self) -> bool:
        """Tell whether it has, or may have, changed something."""
        return self.started_at is not None and self.risk != OBSERVE


class Line(Row):
    """One line of the action log."""

    id: int
    at: AwareDatetime
    kind: str
    incident: int = Field(0, alias="incident_id")
    summary: str = ""
    body: Any = None

    def number(self, name: str) -> int:
        """Return a number of the body, 0 when there is none."""
        value = self.body.get(name) if isinstance(self.body, dict) else None
        return value if isinstance(value, int) else 0


class Story(Row):
    """All that the service did in the time of the faults."""

    alerts: tuple[Alert, ...] = ()
    incidents: tuple[Incident, ...] = ()
    decisions: tuple[Decision, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    jobs: tuple[Job, ...] = ()
    lines: tuple[Line, ...] = ()

    @cached_property
    def _into(self) -> dict[int, int | None]:
        """Return where each incident lives on."""
        return {one.id: one.merged_into for one in self.incidents}

    def root(self, incident: int) -> int:
        """Return the incident that one lives on in."""
        seen: set[int] = set()
        while (following := self._into.get(incident)) and incident not in seen:
            seen.add(incident)
            incident = following
        return incident
