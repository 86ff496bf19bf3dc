"""The reckoning: what must be true when nothing is under way any more."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from app.engine.sending import RESOLVED
from app.models.decision_tables import DecisionRow
from app.models.mission import OVER
from app.models.mission_tables import (
    ApprovalRow,
    JobRow,
    MissionRow,
    RulingRow,
)
from app.models.tables import EntryRow
from app.store.incidents import INCIDENT
from app.store.log import verify
from tests.simulation.loop import SECOND
from tests.simulation.sim import Simulation

# A mission ended by these, and its incident goes on: somebody must look.
BY_ITSELF = ("resolved", "suppressed", "merged")
# And by that, for longer than this: people should have it, in seconds.
MOST_OBSERVED = 120


class Told(msgspec.Struct, frozen=True):
    """One line of the log, with what it says about numbers."""

    kind: str
    incident: int
    body: dict[str, Any]


def reckon(sim: Simulation) -> None:
    """Fail unless the log, the rows and the receiver tell one story."""
    vault = sim.stage.vault
    found = vault.look(partial(verify, anchors=()))
    if found.breach is not None:
        raise sim.broken(f"the log is broken at {found.breach}")
    told = [
        Told(row.kind, row.incident_id, msgspec.json.decode(row.body))
        for row in vault.rows(EntryRow)
    ]
    for what in (
        *_missions(sim, told),
        *_jobs(sim, told),
        *_decisions(sim, told),
        *_rulings(sim, told),
        *_approvals(sim, told),
        *_incidents(sim),
        *_receiver(sim),
    ):
        raise sim.broken(what)


def _missions(sim: Simulation, told: list[Told]) -> Iterator[str]:
    """Yield missions whose end the log does not tell once."""
    ends = Counter(
        one.body["mission"]
        for one in told
        if one.kind in ("mission.closed", "incident.escalated")
    )
    for row in sim.stage.vault.rows(MissionRow):
        if row.stage not in OVER:
            yield f"mission {row.id} is {row.stage} for ever"
        elif ends[row.id] != 1:
            yield f"the log tells {ends[row.id]} ends of mission {row.id}"


def _jobs(sim: Simulation, told: list[Told]) -> Iterator[str]:
    """Yield jobs that are not what the log tells of them."""
    starts = Counter(
        one.body["job"] for one in told if one.kind == "job.started"
    )
    yield from (f"job {n} starts twice" for n in starts if starts[n] > 1)
    states: dict[int, str] = {}
    verdicts: dict[int, str] = {}
    for one in told:
        if one.kind == "job.started":
            states[one.body["job"]] = "started"
        elif one.kind == "job.ended":
            states[one.body["job"]] = one.body["state"]
        elif one.kind == "verdict.given":
            verdicts[one.body["job"]] = one.body["verdict"]
    for row in sim.stage.vault.rows(JobRow):
        state = states.get(row.id, "aborted")
        if row.state != state:
            yield f"job {row.id} is {row.state}, the log says {state}"
        if row.verdict not in _verdicts(row, verdicts):
            yield f"job {row.id} is {row.verdict} without a word in the log"


def _decisions(sim: Simulation, _told: list[Told]) -> Iterator[str]:
    """Yield decisions that have another verdict than their jobs."""
    verdicts = {r.id: r.verdict for r in sim.stage.vault.rows(DecisionRow)}
    for row in sim.stage.vault.rows(JobRow):
        if row.verdict and verdicts.get(row.decision_id) != row.verdict:
            yield f"the decision of job {row.id} has another verdict"


def _verdicts(row: Any, told: dict[int, str]) -> tuple[str, ...]:
    """Return the verdicts that a job may have by what the log says."""
    if row.id in told:
        return (told[row.id],)
    if row.started_at is None:
        return ("",)
    # Of one that came to no end of its own nobody knows, nor measures.
    return ("",) if row.state in ("succeeded", "failed") else ("", "unknown")


def _rulings(sim: Simulation, told: list[Told]) -> Iterator[str]:
    """Yield rulings that the log does not tell once, and as they are."""
    lines = [one for one in told if one.kind == "ruling.made"]
    counts = Counter(one.body["ruling"] for one in lines)
    said = {one.body["ruling"]: one.body["outcome"] for one in lines}
    for row in sim.stage.vault.rows(RulingRow):
        if counts[row.id] != 1 or said[row.id] != row.outcome:
            yield f"ruling {row.id} is not told as it is"


def _approvals(sim: Simulation, told: list[Told]) -> Iterator[str]:
    """Yield questions that are not what the log tells of them."""
    states: dict[int, str] = {}
    for one in told:
        if one.kind.startswith("approval."):
            word = one.kind.partition(".")[2]
            if word != "answered":
                states[one.body["approval"]] = word
    for row in sim.stage.vault.rows(ApprovalRow):
        if row.state != states.get(row.id):
            yield (
                f"approval {row.id} is {row.state}, the log says"
                f" {states.get(row.id)}"
            )
        if row.state == "asked" and row.mode != "suggest":
            yield f"approval {row.id} waits for ever"


def _incidents(sim: Simulation) -> Iterator[str]:
    """Yield open incidents that nobody cares for."""
    newest = {}
    for row in sim.stage.vault.rows(MissionRow):
        newest[row.incident_id] = row
    query = INCIDENT.select().where(INCIDENT.c.state == "open")
    rows = sim.stage.vault.look(lambda c: list(c.execute(query)))
    for row in rows:
        mission = newest.get(row.id)
        if mission is None:
            yield f"incident {row.id} is open, and nobody took it"
        elif mission.end in BY_ITSELF:
            yield f"incident {row.id} is open, its mission {mission.end}"
        elif mission.end == "observed" and row.firing:
            age = (sim.stage.clock.now() - mission.changed_at) // SECOND
            if age > MOST_OBSERVED:
                yield f"incident {row.id} was only observed {age} s ago"


def _receiver(sim: Simulation) -> Iterator[str]:
    """Yield jobs that ran and of which the store says otherwise."""
    works: dict[str, set[str]] = {}
    heard: dict[str, set[str]] = {}
    for work in sim.stage.receiver.works:
        works.setdefault(work.order.key, set()).add(work.state.value)
        heard.setdefault(work.order.key, set()).update(work.heard)
    rows = {row.key: row for row in sim.stage.vault.rows(JobRow)}
    for key, states in works.items():
        row = rows.get(key)
        if row is None or row.started_at is None:
            yield f"{key} ran, and nobody wrote it down"
        elif row.state == "succeeded" and "succeeded" not in states:
            yield f"job {row.id} is called succeeded, and is {states}"
    for row in rows.values():
        if row.state == "succeeded" and row.key not in works:
            yield f"job {row.id} is called succeeded, and never ran"
        if row.told == RESOLVED and RESOLVED not in heard.get(row.key, ()):
            yield f"job {row.id} is called told, and heard nothing"
