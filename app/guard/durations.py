"""Lengths of time as people write them: 90, 90s, 30m, 2h, 1d."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
WRITTEN = re.compile(r"(\d{1,9})([smhd]?)")
LONGEST = 31 * 86_400


def read_seconds(written: Any) -> Any:
    """Return a length of time in seconds; what is none is left as it is."""
    if not isinstance(written, str):
        return written
    match = WRITTEN.fullmatch(written.strip())
    if match is None:
        raise ValueError("is no length of time; write 90s, 30m, 2h or 1d")
    return int(match[1]) * SECONDS[match[2] or "s"]


def say_seconds(seconds: int) -> str:
    """Return a length of time as people write it."""
    for unit in ("d", "h", "m"):
        if seconds and seconds % SECONDS[unit] == 0:
            return f"{seconds // SECONDS[unit]}{unit}"
    return f"{seconds}s"


Seconds = Annotated[
    int, BeforeValidator(read_seconds), Field(ge=1, le=LONGEST)
]
