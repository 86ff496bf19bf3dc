"""The word: what a person said or decided about an incident.

Words are never changed. What the columns of an incident say about people
follows from them; no alert ever takes a word away.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec


class Kind(StrEnum):
    """What sort of word it is."""

    NOTE = "note"
    CORRECTION = "correction"
    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    OWNER = "owner"
    SPLIT = "split"
    MERGE = "merge"


# Notes and corrections only add; these decide something.
DECISIONS = (
    Kind.ACKNOWLEDGE,
    Kind.UNACKNOWLEDGE,
    Kind.OWNER,
    Kind.SPLIT,
    Kind.MERGE,
)
# Nobody stands behind what was said under such a name.
NOBODY = frozenset({"", "somebody", "nobody", "anonymous", "unknown"})
ON_ACKNOWLEDGING = (Kind.ACKNOWLEDGE, Kind.UNACKNOWLEDGE)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks for.

    Attributes:
        incident: which incident it is about.
        kind: what sort of word it is.
        author: who says it.
        text: what is said, perhaps empty.
        details: what belongs to its kind: owner, episodes, into ...
        key: makes a second try of the same call the same word; or empty.
        version: the version of the incident that the person saw, or None.
    """

    incident: int
    kind: Kind
    author: str
    text: str = ""
    details: dict[str, Any] = {}
    key: str = ""
    version: int | None = None


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said, as it is kept.

    Attributes:
        id: its number.
        incident_id: the incident that it was said about.
        at: when; a monitoring system's own time when it came through one.
        author: who said it.
        kind: what sort of word it is.
        text: what was said, perhaps empty.
        alert_id: the alert that brought it, or 0.
        details: what belongs to its kind.
        version: the version of the incident that came of it.
        key: the key that the caller chose, or empty.
    """

    id: int
    incident_id: int
    at: int
    author: str
    kind: str
    text: str = ""
    alert_id: int = 0
    details: dict[str, Any] = {}
    version: int
    key: str = ""

    def answers(self, call: Call) -> bool:
        """Tell whether this is the word that a call asks for."""
        told = (self.kind, self.author, self.text)
        if told != (call.kind.value, call.author, call.text):
            return False
        return call.details.items() <= self.details.items()

    @property
    def rank(self) -> tuple[int, bool, int, bool, str]:
        """Return what orders the words on acknowledging.

        The order in which a monitoring system's messages came plays no
        part: of one second, taking back counts as the later one.
        """
        is_own = not self.alert_id
        takes_back = self.kind == Kind.UNACKNOWLEDGE
        number = self.id if is_own else 0
        return self.at, is_own, number, takes_back, self.author


def newest(words: Iterable[Word]) -> Word | None:
    """Return the word on acknowledging that counts, or None."""
    return max(words, key=lambda word: word.rank, default=None)
