"""What becomes of a dispatch whose letter did not go out. Pure.

A letter that nobody knows about goes out again: told twice is better than
not told, and its key lets the other end drop the second copy.
"""

import msgspec

from app.core.brief import brief
from app.core.errors import NotAccepted, OutgoingFailed
from app.models.message import URGENT, Dispatch, DispatchState
from app.report.settings import SECOND, RetrySettings

REASON_CHARS = 500
# What doubles so often is longer than any pause.
MOST_DOUBLINGS = 40


def after_failure(
    settings: RetrySettings,
    dispatch: Dispatch,
    error: OutgoingFailed,
    now: int,
    chance: float,
) -> Dispatch:
    """Return a dispatch after a try that failed, which is counted.

    What is urgent outlives an outage: it does not die of failures that may
    be gone later before it is old, however often it was tried.

    Args:
        settings: how often, and how long between two tries.
        dispatch: as it was before the try.
        error: why it failed.
        now: the present.
        chance: from 0 to 1, drawn anew for each try: where in the pause
            the next try lies (full jitter), so that not all come at once.
    """
    tries = dispatch.tries + 1
    has_ended = tries >= settings.tries
    if dispatch.kind in URGENT:
        age = now - dispatch.created_at
        has_ended = has_ended and age >= settings.urgent
    reason = brief(str(error), REASON_CHARS)
    is_final = isinstance(error, NotAccepted) and not error.may_retry
    if is_final or has_ended:
        return msgspec.structs.replace(
            dispatch,
            state=DispatchState.DEAD.value,
            reason=reason if is_final else f"after {tries} tries: {reason}",
            tries=tries,
            due_at=None,
            ended_at=now,
        )
    asked = error.after_seconds if isinstance(error, NotAccepted) else 0.0
    seconds = max(pause(settings, tries) * chance, asked)
    return msgspec.structs.replace(
        dispatch,
        state=DispatchState.WAITING.value,
        reason=reason,
        tries=tries,
        due_at=now + max(round(seconds * SECOND), 1),
    )


def pause(settings: RetrySettings, tries: int) -> float:
    """Return the longest pause after so many tries, in seconds."""
    doublings = 1 << min(max(tries - 1, 0), MOST_DOUBLINGS)
    return min(settings.first_seconds * doublings, settings.most_seconds)
