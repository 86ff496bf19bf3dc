"""The score: how well the service did what the simulator knows it should.

    from simulator.score import score
    from simulator.score_reader import Reader, read_facts

    facts = read_facts("http://127.0.0.1:8099")
    with Reader("http://127.0.0.1:8080") as reader:
        found = score(facts, *reader.story(facts))

A pure function of plain records. What is not known is no success: a fault
whose end nobody saw is not fixed, and what was said to be fixed and went on
is a false "fixed".
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from simulator.joining import Joined, Joining, Limits, Owned
from simulator.records import Alert, Fact, Job, Story
from simulator.results import Outcome, Result, Score, outcome_of
from simulator.truth import CRASH, REMEDY

FIXED = "fixed"
VERDICT, ESCALATED = "verdict.given", "incident.escalated"
FIRING, RESOLVED = "firing", "resolved"


class Claim(StrEnum):
    """What the truth says of a verdict "fixed"."""

    TRUE = "true"  # it had gone by another's hand
    GONE = "gone"  # it had ended by itself
    FALSE = "false"  # it went on
    UNPROVEN = "unproven"  # nobody saw its end


def score(
    facts: Iterable[Fact],
    story: Story,
    read_at: datetime,
    limits: Limits | None = None,
) -> Score:
    """Return how well the service did.

    Args:
        facts: what really happened.
        story: what the service did meanwhile, to the end of the grace.
        read_at: when that was read.
        limits: how much room there is between what happened and was told.
    """
    limits = limits or Limits()
    joined = Joining(facts, story, limits).join()
    scoring = _Scoring(story, read_at, limits)
    return Score(
        read_at=read_at,
        results=tuple(scoring.result(owned) for owned in joined.owned),
        stray_actions=tuple(map(words_of, _strays(joined, limits))),
        unsure_alerts=tuple(
            f"{alert.name} ({alert.id})" for alert in joined.unsure
        ),
    )


class _Scoring:
    """Judges one fault after the other."""

    def __init__(
        self, story: Story, read_at: datetime, limits: Limits
    ) -> None:
        """Take what the service did, and until when that is known."""
        self._story = story
        self._read_at = read_at
        self._limits = limits
        self._verdicts = {
            line.number("job"): line
            for line in story.lines
            if line.kind == VERDICT
        }
        self._ruled = {
            ruling.decision: ruling.outcome
            for ruling in sorted(
                story.rulings, key=lambda one: one.id, reverse=True
            )
        }

    def result(self, owned: Owned) -> Result:
        """Return how it went with one fault."""
        fact = owned.fact
        claims = list(self._claims(owned))
        found = self._found(owned, claims)
        result = Result(
            **fact.model_dump(),
            **self._moments(owned, claims),
            **found,
            is_passive=fact.is_passive,
            incidents=tuple(self._incidents(owned)),
            outcome=Outcome.OPEN,
        )
        is_unproven = any(how is Claim.UNPROVEN for _, how in claims)
        outcome = outcome_of(result, is_unproven=is_unproven)
        return result.model_copy(update={"outcome": outcome})

    def _found(
        self, owned: Owned, claims: list[tuple[datetime, Claim]]
    ) -> dict[str, Any]:
        """Return what was done, and whether it was right."""
        fact = owned.fact
        first = next((one for one in owned.decisions if one.is_brains), None)
        verdicts = [job.verdict for job in owned.jobs if job.verdict]
        return {
            "alert": owned.alerts[0].name if owned.alerts else "",
            "first_action": (first.call or first.action) if first else "",
            "is_right_first": (
                owned.is_right(first) if first else fact.is_passive
            ),
            "ruled": self._ruled.get(first.id, "") if first else "",
            "jobs": tuple(map(words_of, owned.jobs)),
            "wrong_actions": tuple(
                words_of(job) for job in owned.jobs if _is_wrong(job, owned)
            ),
            "verdict": verdicts[-1] if verdicts else "",
            "is_false_fixed": any(how is Claim.FALSE for _, how in claims),
            "is_missed": not owned.alerts and not fact.may_be_unseen,
        }

    def _moments(
        self, owned: Owned, claims: list[tuple[datetime, Claim]]
    ) -> dict[str, float | None]:
        """Return how long after its beginning everything was."""
        moments: dict[str, Sequence[datetime | None]] = {
            "detected": [one.at for one in owned.alerts],
            "decided": [one.at for one in owned.decisions if one.is_brains],
            "acted": [job.started_at for job in owned.jobs if job.has_changed],
            "fixed": [at for at, how in claims if how is Claim.TRUE],
            "escalated": list(self._escalations(owned)),
            "resolved": self._resolutions(owned)[-1:],
            "ended": [owned.fact.ended_at],
        }
        began = owned.fact.began_at
        return {
            f"{name}_seconds": _since(began, found[0] if found else None)
            for name, found in moments.items()
        }

    def _claims(self, owned: Owned) -> Iterator[tuple[datetime, Claim]]:
        """Yield each verdict "fixed" of a fault, and what is true of it."""
        for job in owned.jobs:
            if job.has_changed and job.verdict == FIXED:
                line = self._verdicts.get(job.id)
                if line is None:
                    yield self._read_at, Claim.UNPROVEN
                else:
                    yield line.at, self._is_true(owned.fact, line.at)

    def _is_true(self, fact: Fact, moment: datetime) -> Claim:
        """Return what the truth says to "fixed" at a moment."""
        tolerance = self._limits.tolerance
        ended = fact.ended_at
        if ended is None:
            went_on = self._read_at > moment + tolerance
            return Claim.FALSE if went_on else Claim.UNPROVEN
        if ended > moment + tolerance:
            # A sweep after a crash says when it looked, not when it ended.
            is_seen = fact.ended_by != CRASH
            return Claim.FALSE if is_seen else Claim.UNPROVEN
        return Claim.TRUE if fact.ended_by == REMEDY else Claim.GONE

    def _incidents(self, owned: Owned) -> list[int]:
        """Return the incidents that a fault's alerts are in."""
        roots = {
            self._story.root(one.incident)
            for one in owned.alerts
            if one.incident
        }
        return sorted(roots)

    def _escalations(self, owned: Owned) -> Iterator[datetime]:
        """Yield when a fault was handed over to people."""
        jobs = {job.id for job in owned.jobs}
        decisions = {one.id for one in owned.decisions}
        incidents = self._incidents(owned)
        for line in self._story.lines:
            if line.kind != ESCALATED:
                continue
            job, decision = line.number("job"), line.number("decision")
            is_bare = not job and not decision
            if (
                job in jobs
                or decision in decisions
                or (
                    is_bare
                    and self._story.root(line.incident) in incidents
                    and line.at >= owned.alerts[0].at
                )
            ):
                yield line.at

    def _resolutions(self, owned: Owned) -> list[datetime]:
        """Return when its alerts were over; none when one goes on."""
        last = {one.fingerprint: one for one in owned.alerts}
        ends: list[datetime] = []
        for alert in last.values():
            after = [
                one
                for one in self._story.alerts
                if one.fingerprint == alert.fingerprint
                and one.status in (FIRING, RESOLVED)
                and _order(one) > _order(alert)
            ]
            following = min(after, key=_order, default=None)
            if following is None or following.status != RESOLVED:
                return []
            ends.append(following.at)
        return sorted(ends)


def words_of(job: Job) -> str:
    """Return a job in a few words."""
    said = [job.call or job.action, job.state, job.verdict]
    return ", ".join(filter(None, said))


def _is_wrong(job: Job, owned: Owned) -> bool:
    """Tell whether a job was not right; of a quiet fault none is."""
    if owned.fact.is_quiet:
        return job.started_at is not None
    return job.has_changed and not owned.is_right(job)


def _strays(joined: Joined, limits: Limits) -> Iterator[Job]:
    """Yield the jobs that were for no fault, and wrong.

    One that may be for several is right when it is for any of them. While
    nothing is wrong, every job is one too many.
    """
    facts = [owned.fact for owned in joined.owned]
    for job, maybe in joined.strays:
        if job.started_at is None or any(one.is_right(job) for one in maybe):
            continue
        meanwhile = [
            fact
            for fact in facts
            if fact.covers(job.started_at, limits.early, limits.grace)
        ]
        is_quiet = all(fact.is_quiet for fact in meanwhile)
        if meanwhile and (job.has_changed or is_quiet):
            yield job


def _order(alert: Alert) -> tuple[datetime, int]:
    """Return what puts alerts in the order in which they were accepted."""
    return alert.at, alert.id


def _since(began: datetime, moment: datetime | None) -> float | None:
    """Return seconds from one moment to another; clocks may differ a bit."""
    if moment is None:
        return None
    return round(max((moment - began).total_seconds(), 0.0), 3)
