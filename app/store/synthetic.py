"""What is the canary's among rows of the store: no list counts it in."""

from typing import Any

from sqlalchemy import ColumnElement, not_

from app.models.canary import ANSWER, CANARY, CHANNEL, PROBLEM
from app.models.target import Target

# The first of these that a table has says it.
SAYING = (
    ("source", CANARY),
    ("problem", PROBLEM),
    ("channel", CHANNEL),
    ("action", ANSWER),
)
# Of a message its labels say it: no alert can give itself a source.
SOURCE = f'"source":"{CANARY}"'
TARGET = Target(CANARY, "").key


def is_real(columns: Any) -> ColumnElement[bool]:
    """Return the condition that a row is about no canary.

    Args:
        columns: those of its table.
    """
    found: ColumnElement[bool]
    for name, ours in SAYING:
        if name in columns:
            found = columns[name] != ours
            return found
    if "labels" in columns:
        found = not_(columns.labels.contains(SOURCE, autoescape=True))
    else:
        found = not_(columns.target.startswith(TARGET, autoescape=True))
    return found
