"""Stories for the score: faults, and what a service did, in a few words."""

from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.joining import Limits
from simulator.records import (
    Alert,
    Decision,
    Fact,
    Incident,
    Job,
    Line,
    Ruling,
    Story,
)
from simulator.results import Result, Score
from simulator.score import score

BEGAN = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
CPU = {"host": "sim-cpu", "process": "sim-cpu"}
KILL = {"host": "sim-cpu", "process": "sim-cpu"}
LABELS = {"host": "sim-cpu", "process": "sim-cpu", "severity": "warning"}


def at(seconds: float) -> datetime:
    """Return a moment, in seconds since the story begins."""
    return BEGAN + timedelta(seconds=seconds)


def fact(began: float = 0, ended: float | None = 14, **more: Any) -> Fact:
    """Return a fault: a runaway process that somebody ended."""
    return Fact(
        **{
            "id": f"fault-{began:g}",
            "fault": "cpu",
            "level": 90,
            "unit": "% of one core",
            "target": CPU,
            "expects": ("kill_process",),
            "began_at": at(began),
            "ended_at": None if ended is None else at(ended),
            "ended_by": "" if ended is None else "remedy",
            **more,
        }
    )


class Told:
    """What a service did; each call adds one thing."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.incidents: list[Incident] = []
        self.decisions: list[Decision] = []
        self.rulings: list[Ruling] = []
        self.jobs: list[Job] = []
        self.lines: list[Line] = []

    def alert(
        self, seconds: float, incident: int | None = 1, **more: Any
    ) -> None:
        """Let an alert be accepted."""
        self.alerts.append(
            Alert(
                **{
                    "id": len(self.alerts) + 1,
                    "incident_id": incident,
                    "fingerprint": "f",
                    "status": "firing",
                    "name": "ProcessRunaway",
                    "labels": LABELS,
                    "received_at": at(seconds),
                    **more,
                }
            )
        )

    def decide(
        self,
        seconds: float,
        action: str = "kill_process",
        incident: int = 1,
        **more: Any,
    ) -> int:
        """Let something be decided; return its number."""
        number = len(self.decisions) + 1
        values = {"arguments": KILL, "brain": "reflex", **more}
        self.decisions.append(
            Decision(
                id=number,
                incident=incident,
                at=at(seconds),
                action=action,
                call=f"{action}(...)",
                **values,
            )
        )
        self.rulings.append(
            Ruling(id=number, decision=number, outcome="allow")
        )
        return number

    def run(
        self,
        seconds: float,
        action: str = "kill_process",
        incident: int = 1,
        **more: Any,
    ) -> int:
        """Let a job run; return its number."""
        number = len(self.jobs) + 1
        is_observing = action == "collect_diagnostics"
        values = {
            "arguments": KILL,
            "risk": "observe" if is_observing else "disruptive",
            "state": "succeeded",
            "verdict": "",
            **more,
        }
        self.jobs.append(
            Job(
                id=number,
                incident=incident,
                decision=len(self.decisions),
                action=action,
                started_at=at(seconds),
                **values,
            )
        )
        return number

    def give(self, seconds: float, verdict: str = "fixed") -> None:
        """Let the last job be measured."""
        job = self.jobs.pop().model_copy(update={"verdict": verdict})
        self.jobs.append(job)
        self.line(
            seconds, "verdict.given", job.incident, job=job.id, verdict=verdict
        )

    def line(
        self, seconds: float, kind: str, incident: int = 1, **body: Any
    ) -> None:
        """Let something be written into the action log."""
        self.lines.append(
            Line(
                id=len(self.lines) + 1,
                at=at(seconds),
                kind=kind,
                incident_id=incident,
                body=body,
            )
        )

    def mend(self, seconds: float, incident: int = 1) -> None:
        """Let the right thing be done from one second on, to its end."""
        self.alert(seconds, incident)
        self.decide(seconds + 0.5, incident=incident)
        self.run(seconds + 1, incident=incident)
        self.give(seconds + 12)
        self.alert(seconds + 15, incident, status="resolved")

    @property
    def story(self) -> Story:
        """Return all of it."""
        return Story(
            **{name: tuple(getattr(self, name)) for name in Story.model_fields}
        )


def judge(
    told: Told, *facts: Fact, read: float = 600, limits: Limits | None = None
) -> Score:
    """Return the score of a story that was read so late."""
    return score(facts or (fact(),), told.story, at(read), limits)


def one_of(told: Told, *facts: Fact, read: float = 600) -> Result:
    """Return how it went with the first fault."""
    return judge(told, *facts, read=read).results[0]
