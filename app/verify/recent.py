"""The recent past: what whoever watches this machine has just measured.

Where nobody watches, or has not lately, a check measures by itself.
"""

from app.ports import Readings

# Short, so that what was before an action is not in it for long.
RECENT_SECONDS = 5.0


def recent(readings: Readings | None, name: str) -> float | None:
    """Return the mean of the past seconds; None when nobody watches."""
    if readings is None:
        return None
    return readings.mean(name, RECENT_SECONDS)
