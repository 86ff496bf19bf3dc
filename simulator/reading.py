"""Read what is typed: durations, moments and options."""

import re
from datetime import UTC, datetime, timedelta

from simulator.problem import Refused
from simulator.truth import parse_iso

UNITS = {"s": 1, "m": 60, "h": 3600, "": 1}
TOKEN = re.compile(r"[!-~]+", re.ASCII)
# Longer ago than anything that is scored.
MOST_SECONDS = 10 * 366 * 86_400
DURATION = re.compile(r"(\d{1,6})(s|m|h|)", re.ASCII)


def read_duration(text: str, field: str = "--for") -> int:
    """Return seconds out of 90, 90s, 2m, 1h or 1m30s."""
    left = text.strip()
    total = 0
    while found := DURATION.match(left):
        total += int(found[1]) * UNITS[found[2]]
        left = left[found.end() :]
        if not found[2]:
            break
    if left or not total:
        raise Refused(
            f"{text!r} is no duration",
            field=field,
            remedy="Write it as 90s, 2m or 1m30s",
        )
    return total


def read_moment(text: str) -> datetime:
    """Return a moment out of 10m (so long ago) or 2026-11-21T20:00:00Z."""
    try:
        return parse_iso(text)
    except ValueError:
        seconds = min(read_duration(text, "--since"), MOST_SECONDS)
        return datetime.now(UTC) - timedelta(seconds=seconds)


def bearer(token: str) -> dict[str, str]:
    """Return the header that shows a token, none where there is none."""
    if not token:
        return {}
    if not TOKEN.fullmatch(token):
        raise Refused(
            "a token has printable ASCII characters only, no spaces",
            field="token",
            remedy="Look at what the variable, or the file, holds",
        )
    return {"authorization": f"Bearer {token}"}


def read_options(given: list[str]) -> dict[str, str]:
    """Return options out of words such as shape=hang."""
    found: dict[str, str] = {}
    for word in given:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise Refused(
                f"{word!r} is no option",
                field="--option",
                remedy="Write it as NAME=VALUE",
            )
        if name in found:
            raise Refused(f"{name} is said twice", field="--option")
        found[name] = value
    return found
