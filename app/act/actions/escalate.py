"""Hand over to people, with the evidence."""

from app.models.action import ActionSpec, Risk


def plugin(_env: object) -> ActionSpec:
    """Return what is declared of it."""
    return ActionSpec(
        name="escalate",
        purpose="Hand over to people, with the evidence.",
        when_to_use="Data, databases, replication, quorum, security,"
        " certificates, hardware, network, backups, capacity, anything"
        " ambiguous, and whatever no other action safely fits.",
        when_not_to_use="Nothing is wrong, or a well-known safe action fits.",
        risk=Risk.OBSERVE,
        cooldown_seconds=0,
    )
