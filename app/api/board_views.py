"""What the API shows of the board: three lanes, and what stands on a row."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import msgspec
from pydantic import BaseModel, Field

from app.api.incident_views import IncidentItem
from app.api.job_views import call_of
from app.core.clock import to_iso
from app.models.action import ActionSpec
from app.models.approval import Approval
from app.models.job import Job
from app.store.board import Board, Row, Stretch

decode: Callable[[str], Any] = msgspec.json.decode
# What an action is declared as, by its name; None: it is not there any more.
Find = Callable[[str], ActionSpec | None]


class QuestionBrief(BaseModel):
    """A question to people, as it stands on a row."""

    id: int
    version: int = Field(description="for If-Match: answer what you read")
    call: str = Field(description="what would be done")
    mode: str = Field(description="approve; suggest: people run it")
    reason: str = Field(description="why it is asked")
    environment: str
    target: str = Field(description="what it works on")
    risk: str = Field(description="how bad it is when it was wrong")
    undo: str = Field(description="what takes it back; or empty")
    people: int = Field(description="how many must grant it")
    whom: list[str] = Field(description="who is asked; empty: anybody")
    asked_at: str
    expires_at: str = Field(description="it is never granted after this")

    @classmethod
    def of(cls, asked: Approval, spec: ActionSpec | None) -> Self:
        """Return a question in short."""
        return cls(
            id=asked.id,
            version=asked.version,
            call=call_of(asked.action, decode(asked.arguments)),
            mode=asked.mode,
            reason=asked.reason,
            environment=asked.environment,
            target=asked.target,
            risk=spec.risk.value if spec else "",
            undo=(spec.undo or "") if spec else "",
            people=asked.people,
            whom=decode(asked.whom),
            asked_at=to_iso(asked.asked_at) or "",
            expires_at=to_iso(asked.expires_at) or "",
        )


class JobBrief(BaseModel):
    """A run, as it stands on a row."""

    id: int
    call: str = Field(description="the action with its arguments")
    state: str
    started_at: str | None
    ended_at: str | None
    until: str | None = Field(description="when it is given up")
    output_bytes: int
    line: str = Field(description="what it wrote last, while it runs")
    verdict: str

    @classmethod
    def of(cls, job: Job, line: str) -> Self:
        """Return a run in short."""
        return cls(
            id=job.id,
            call=call_of(job.action, decode(job.arguments)),
            state=job.state,
            started_at=to_iso(job.started_at),
            ended_at=to_iso(job.ended_at),
            until=to_iso(job.until),
            output_bytes=job.output_bytes,
            line=line,
            verdict=job.verdict,
        )


class BoardRow(IncidentItem):
    """One incident, and what somebody must know to act on it."""

    call: str = Field(
        description="what was chosen, with its arguments; or empty"
    )
    confidence: float | None = Field(description="null: nobody can say")
    said: str = Field(description="what whoever chose it said")
    stands: str = Field(description="why it stands where it does")
    question: QuestionBrief | None = Field(description="that waits")
    run: JobBrief | None = Field(description="the last one")
    alerts: int = Field(description="of how many alerts it is made")
    merged: int = Field(description="how many incidents live on in it")
    apart: dict[str, list[str]] = Field(
        description="labels in which its alerts differ"
    )
    points: list[float] = Field(
        description="what was measured around the last run, in order"
    )

    @classmethod
    def of_row(cls, row: Row, find: Find) -> Self:
        """Return a row as the API shows it."""
        item = IncidentItem.of(row.incident)
        chosen, asked, job = row.decision, row.approval, row.job
        return cls(
            **dict(item),
            call=chosen_call(chosen),
            confidence=chosen.confidence if chosen else None,
            said=chosen.reason if chosen else "",
            stands=row.reason,
            question=asked and QuestionBrief.of(asked, find(asked.action)),
            run=job and JobBrief.of(job, row.line),
            alerts=row.alerts,
            merged=row.merged,
            apart={name: list(some) for name, some in row.apart.items()},
            points=list(row.points),
        )


class LaneView(BaseModel):
    """One lane: the most urgent rows, and how many there are."""

    items: list[BoardRow]
    count: int
    is_exact: bool = Field(description="false: there are even more")

    @classmethod
    def of(cls, stretch: Stretch, find: Find) -> Self:
        """Return a lane as the API shows it."""
        return cls(
            items=[BoardRow.of_row(row, find) for row in stretch.rows],
            count=stretch.count,
            is_exact=stretch.is_exact,
        )


class BoardView(BaseModel):
    """Who must act, at one moment."""

    seq: int = Field(description="the last entry of the log at this moment")
    at: str
    since: str = Field(description="from when on is counted what is over")
    needs_you: LaneView = Field(
        description="a question waits, or nobody has what was handed over"
    )
    acting: LaneView = Field(description="the machine works on it")
    watching: LaneView = Field(description="what else lives")
    fixed: int = Field(description="by the machine since then, measured")
    handed_over: int = Field(description="to people since then")
    suppressed: int = Field(description="how many are held back now")
    living: int = Field(description="how many incidents are not over")
    firing: int = Field(description="how many alerts go on in them")

    @classmethod
    def of(cls, board: Board, moments: Sequence[int], find: Find) -> Self:
        """Return the board as the API shows it.

        Args:
            board: it.
            moments: since when is counted, and what time it is.
            find: what an action is declared as.
        """
        since, now = moments
        lanes: Mapping[str, Any] = {
            name: LaneView.of(getattr(board, name), find)
            for name in ("needs_you", "acting", "watching")
        }
        return cls(
            seq=board.seq,
            at=to_iso(now) or "",
            since=to_iso(since) or "",
            **lanes,
            fixed=board.fixed,
            handed_over=board.handed_over,
            suppressed=board.suppressed,
            living=board.living,
            firing=board.firing,
        )


def chosen_call(decision: Any) -> str:
    """Return what a decision chose, with its arguments; or empty."""
    if decision is None:
        return ""
    return call_of(decision.action, decode(decision.arguments))
