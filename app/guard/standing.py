"""The steps that look at the motion alone: may anything start at all?

Each returns a finding, or None when it has nothing against it.
"""

from app.guard.durations import say_seconds
from app.guard.finding import Finding
from app.guard.policyfile import EvidencePart
from app.models.incident import State
from app.models.proposer import SURE
from app.models.ruling import Motion, Outcome

NOT_FIRING, PRECONDITION = "not-firing", "precondition"


def halted(motion: Motion) -> Finding | None:
    """Stop everything while the kill switch is on."""
    if not motion.halted:
        return None
    return Finding(Outcome.DENY, "halted", f"All is halted: {motion.halted}")


def ungrounded(motion: Motion) -> Finding | None:
    """Refuse what is not declared, or whose arguments are out of the air."""
    if motion.spec is None:
        why = f"{motion.action} is not in the catalogue any more"
    elif motion.ungrounded:
        why = motion.ungrounded
    else:
        return None
    return Finding(Outcome.ESCALATE, "ungrounded", why)


def not_firing(motion: Motion) -> Finding | None:
    """Refuse what nothing is wrong for any more."""
    if motion.state != State.OPEN:
        why = f"The incident is {motion.state}, not open."
    elif motion.firing <= 0:
        why = "None of its alerts is firing."
    elif motion.over:
        why = f"{motion.over} is over, and it was chosen for that."
    else:
        return None
    return Finding(Outcome.DENY, NOT_FIRING, why)


def stale_evidence(motion: Motion, limits: EvidencePart) -> Finding | None:
    """Hand over what was decided on the state of long ago."""
    most = limits.granted if motion.approved else limits.decided
    if motion.evidence_seconds <= most:
        return None
    why = (
        f"It was decided {motion.evidence_seconds} s ago; what was seen then"
        f" counts for {say_seconds(most)}."
    )
    return Finding(Outcome.ESCALATE, "stale-evidence", why)


def precondition(motion: Motion) -> Finding | None:
    """Refuse what must hold and does not; ask when nobody can tell."""
    for one in motion.preconditions:
        if one.holds is False:
            why = f"{one.name} does not hold. {one.says}".strip()
            return Finding(Outcome.DENY, PRECONDITION, why)
    for one in motion.preconditions:
        if one.holds is None:
            why = f"Nobody can tell whether {one.name} holds. {one.says}"
            return Finding(Outcome.ASK, PRECONDITION, why.strip())
    return None


def no_backend(motion: Motion) -> Finding | None:
    """Leave to people what cannot be run from here."""
    spec = motion.spec
    if motion.has_backend or spec is None or spec.run is None:
        return None
    names = " and ".join(run.backend for run in spec.ways)
    why = f"{names}: not configured for it here, or not reaching the target."
    return Finding(Outcome.SUGGEST, "no-backend", why)


def flapping(motion: Motion) -> Finding | None:
    """Hand over what comes and goes by itself."""
    if not motion.is_flapping:
        return None
    why = "The problem comes and goes; an action would prove nothing."
    return Finding(Outcome.ESCALATE, "flapping", why)


def maintenance(motion: Motion) -> Finding | None:
    """Touch nothing that people are working on."""
    if not motion.maintenance:
        return None
    why = f"It is muted: {motion.maintenance}"
    return Finding(Outcome.DENY, "maintenance", why)


def unsure(motion: Motion) -> Finding | None:
    """Ask when the brain wants it, or when it does not say how sure it is."""
    if motion.asks:
        return Finding(Outcome.ASK, "brain-asks", "The brain wants a person.")
    is_sure = motion.proposer.startswith(SURE)
    if motion.confidence is None and not is_sure:
        why = "The brain does not say how sure it is."
        return Finding(Outcome.ASK, "no-confidence", why)
    return None
