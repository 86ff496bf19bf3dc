"""Amounts as people write them."""

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def size(count: float) -> str:
    """Return a number of bytes, such as 3.1 GB."""
    sign = "-" if count < 0 else ""
    count = abs(count)
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            break
        count /= 1000
    digits = 0 if unit == "B" or count >= 100 else 1
    return f"{sign}{count:.{digits}f} {unit}"


def span(seconds: float) -> str:
    """Return how long something takes, such as 58 min."""
    seconds = abs(seconds)
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7_200:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3_600:.0f} h"
    return f"{seconds / 86_400:.0f} days"


def percent(value: float) -> str:
    """Return a share, such as 12 %; small ones keep a digit."""
    return f"{value:.1f} %" if 0 < abs(value) < 9.95 else f"{value:.0f} %"
