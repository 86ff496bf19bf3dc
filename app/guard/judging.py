"""The rules of the policy and the ladder of trust, asked about a motion."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from app.guard.conditions import Untold, show
from app.guard.counting import Books, lately, recent, touched
from app.guard.finding import Finding
from app.guard.policy import Policy
from app.guard.policyfile import AskPart, LadderPart, RulePart
from app.models.ruling import Mode, Motion, Outcome, Question

# What a step of the ladder allows at most.
CEILINGS: Mapping[Mode, Outcome] = {
    Mode.AUTO: Outcome.ALLOW,
    Mode.APPROVE: Outcome.ASK,
    Mode.SUGGEST: Outcome.SUGGEST,
    Mode.OBSERVE: Outcome.OBSERVE,
}


class Judged(msgspec.Struct, frozen=True):
    """What the rules say.

    Attributes:
        findings: of the rule that matches, and of rules that nobody can
            tell about.
        trail: what was looked at, for people.
    """

    findings: tuple[Finding, ...]
    trail: tuple[str, ...]


def usual_question(policy: Policy) -> Question:
    """Return whom to ask when no rule says so."""
    return _question(policy.says.ask, None)


def judge(policy: Policy, books: Books) -> Judged:
    """Return what the first rule that matches says.

    A rule that restricts, and whose condition cannot be evaluated here, is
    not as if it were not there: then at least people are asked, no fewer
    and no others than if it did match.
    """
    try:
        seen = show(make_view(policy, books))
    except Untold as error:
        why = f"No rule can be asked about it: {error}"
        unfit = Finding(Outcome.ESCALATE, "rules", why)
        return Judged((unfit,), (f"rules: {why}",))
    findings: list[Finding] = []
    trail: list[str] = []
    for rule in policy.rules:
        if not _fits(rule.says, books.motion):
            continue
        try:
            matches = rule.condition.holds(seen)
        except Untold as error:
            trail.append(f"rule {rule.says.name}: cannot be told: {error}")
            findings += _closed(policy, rule.says, str(error))
            continue
        if matches:
            trail.append(f"rule {rule.says.name}: matches")
            findings.append(_finding(policy, rule.says))
            return Judged(tuple(findings), tuple(trail))
        trail.append(f"rule {rule.says.name}: does not match")
    trail.append(f"rules: none of {len(policy.rules)} matches")
    return Judged(tuple(findings), tuple(trail))


def trusted(policy: Policy, motion: Motion) -> LadderPart:
    """Return how far the ladder trusts an action where it would run."""
    for line in policy.says.trust.ladder:
        if _is_meant(line, motion):
            return line
    return LadderPart(mode=policy.says.trust.otherwise)


def ceiling(mode: Mode, motion: Motion) -> Finding | None:
    """Return what the ladder allows at most; None: everything."""
    outcome = CEILINGS[mode]
    if outcome is Outcome.ALLOW:
        return None
    where = motion.environment or "an environment that is not known"
    why = f"{motion.action} is trusted to {mode.value} in {where}."
    return Finding(outcome, f"trust:{mode.value}", why)


def make_view(policy: Policy, books: Books) -> dict[str, Any]:
    """Return what the conditions of a policy look at, and no more.

    What nobody looked at, as in a motion that an older release kept, is not
    there: what asks for it cannot be told.
    """
    seen = {
        name: look(policy, books)
        for name, look in VIEWS.items()
        if name in policy.names
    }
    return {name: one for name, one in seen.items() if one is not None}


def _view_alert(_policy: Policy, books: Books) -> dict[str, Any]:
    """Return what conditions may look at of the alert."""
    motion = books.motion
    return {
        "source": motion.source,
        "name": motion.name,
        "labels": dict(motion.labels),
        "severity": motion.severity,
        "problem": motion.problem,
    }


def _view_incident(_policy: Policy, books: Books) -> dict[str, Any]:
    """Return what conditions may look at of the incident."""
    motion = books.motion
    return {
        "state": motion.state,
        "firing": motion.firing,
        "is_flapping": motion.is_flapping,
        "siblings": motion.siblings,
    }


def _view_target(policy: Policy, books: Books) -> dict[str, Any]:
    """Return what conditions may look at of the target.

    Inventories write names of places as they like: they are shown as the
    conditions write them.
    """
    motion = books.motion
    return {
        "name": motion.target,
        "environment": policy.spelled(motion.environment),
        "team": policy.spelled(motion.team),
        "role": policy.spelled(motion.role),
    }


def _view_action(_policy: Policy, books: Books) -> dict[str, Any]:
    """Return what conditions may look at of the action."""
    motion = books.motion
    risk = "" if motion.spec is None else motion.spec.risk.value
    return {
        "name": motion.action,
        "risk": risk,
        "arguments": dict(motion.arguments),
    }


def _view_decision(_policy: Policy, books: Books) -> dict[str, Any]:
    """Return what conditions may look at of the decision."""
    motion = books.motion
    confidence = -1.0 if motion.confidence is None else motion.confidence
    return {
        # A whole number would be of another kind.
        "confidence": float(confidence),
        "asks": motion.asks,
        "why": motion.why,
        "proposer": motion.proposer,
    }


VIEWS: Mapping[str, Callable[[Policy, Books], Any]] = {
    "alert": _view_alert,
    "incident": _view_incident,
    "target": _view_target,
    "action": _view_action,
    "decision": _view_decision,
    "now": lambda policy, books: policy.clock(books.motion.now),
    "maintenance": lambda _policy, books: books.motion.at_work,
    "recent": lambda _policy, books: recent(books),
    "runs": lambda _policy, books: lately(books),
    "targets": lambda _policy, books: touched(books),
}


def _fits(rule: RulePart, motion: Motion) -> bool:
    """Tell whether a motion is among the lists of a rule."""
    risk = "" if motion.spec is None else motion.spec.risk
    pairs = (
        (rule.actions, motion.action),
        (rule.risks, risk),
        (rule.sources, motion.source),
        (rule.severities, motion.severity),
    )
    places = (
        (rule.environments, motion.environment),
        (rule.teams, motion.team),
    )
    return all(not some or one in some for some, one in pairs) and all(
        not some or one.casefold() in map(str.casefold, some)
        for some, one in places
    )


def _is_meant(line: LadderPart, motion: Motion) -> bool:
    """Tell whether a line of the ladder is about a motion."""
    if line.action and line.action != motion.action:
        return False
    where = line.environment.casefold()
    if where and where != motion.environment.casefold():
        return False
    if line.risk is None:
        return True
    return motion.spec is not None and motion.spec.risk is line.risk


def _finding(policy: Policy, rule: RulePart) -> Finding:
    """Return what a rule says that matches."""
    outcome = Outcome(rule.outcome)
    asks = outcome is Outcome.ASK
    question = _question(policy.says.ask, rule) if asks else None
    return Finding(outcome, rule.name, rule.reason, question)


def _closed(policy: Policy, rule: RulePart, why: str) -> list[Finding]:
    """Return that people are asked where a restriction cannot be told.

    Those whom the rule names; one that would not have asked names nobody,
    and asks as usual.
    """
    if rule.outcome == "allow":
        return []
    text = f"Nobody can tell whether rule {rule.name} forbids it: {why}"
    question = _question(policy.says.ask, rule)
    return [Finding(Outcome.ASK, rule.name, text, question)]


def _question(usual: AskPart, rule: RulePart | None) -> Question:
    """Return whom to ask: as a rule says, else as usual."""
    if rule is None:
        return Question(
            whom=usual.whom, people=usual.people, seconds=usual.for_
        )
    return Question(
        whom=usual.whom if rule.whom is None else rule.whom,
        people=usual.people if rule.people is None else rule.people,
        seconds=usual.for_ if rule.for_ is None else rule.for_,
    )
