"""Do nothing: nothing is wrong."""

from app.models.action import ActionSpec, Risk


def plugin(_env: object) -> ActionSpec:
    """Return what is declared of it."""
    return ActionSpec(
        name="no_action",
        purpose="Do nothing: it is over, a test, or pure information.",
        when_to_use="Watchdogs, inhibitors, tests, notices of versions,"
        " restarts and changes, successes, what is resolved.",
        when_not_to_use="Anything that somebody must look at or decide.",
        risk=Risk.OBSERVE,
        cooldown_seconds=0,
    )
