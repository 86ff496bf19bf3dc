"""The recent past: what whoever watches this machine has just measured.

Where nobody watches, or has not lately, a check measures by itself. So it
does right after an action: what was before it says nothing about it.
"""

from app.core.clock import Clock
from app.models.verdict import Subject
from app.ports import Readings

RECENT_SECONDS = 5.0
SECOND = 1_000_000


def recent(
    readings: Readings | None, name: str, subject: Subject, clock: Clock
) -> float | None:
    """Return the mean of the past seconds; None when nobody watches.

    Args:
        readings: what is measured here.
        name: of what.
        subject: says since when it counts.
        clock: the time.
    """
    if readings is None:
        return None
    seconds = RECENT_SECONDS
    if subject.since:
        ago = (clock.now() - subject.since) / SECOND
        seconds = min(seconds, ago)
    return readings.mean(name, seconds) if seconds > 0 else None
