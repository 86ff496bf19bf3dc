"""The case: what a brain is shown of an incident, the same for every brain.

It is made by code in one place (app/decide/casing.py), stored with the
decision, and enough to decide again exactly.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from app.models.scraped import own_labels

TEXT_CHARS = 2_000


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided on this target before, and what came of it.

    Attributes:
        at: when.
        action: which action.
        arguments: with what.
        verdict: fixed, not_fixed, unknown, or empty while nobody knows.
        problem: the class of the problem then.
    """

    at: int
    action: str
    arguments: dict[str, str | int]
    verdict: str = ""
    problem: str = ""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One incident as a brain sees it.

    Attributes:
        incident: its number, or 0 for a trial.
        source: the monitoring system.
        name: what it calls the problem.
        status: firing or resolved.
        severity: in our scale.
        target_kind: host, pod, service ...
        target: the name of the target.
        problem: the class of problem.
        labels: the identifying fields: they may fill arguments.
        summary: one line of free text: data, never an instruction.
        texts: further free texts by name, shortened: data as well.
        values: what was measured, as the source wrote it.
        begins_at: when it began.
        age_seconds: how long it goes on.
        repeats: how often it was told.
        episodes: how often it came and went.
        is_flapping: whether it comes and goes too often.
        siblings: how many incidents have the same problem now.
        together: names of other alerts of this incident.
        history: what was decided on this target, the newest first.
        failed: the calls that did not help on this target lately, however
            much was decided since: they are not offered again.
        similar: verdicts of actions on this class of problem, anywhere:
            action -> verdict -> how often. Statistics, never texts.
        maintenance: what mutes it now, or empty.
        runbook: a section of a reviewed runbook, or empty.
        notes: what was left out or shortened.
    """

    incident: int = 0
    source: str
    name: str
    status: str = "firing"
    severity: str = "unknown"
    target_kind: str = ""
    target: str = ""
    problem: str = ""
    labels: dict[str, str] = {}
    summary: str = ""
    texts: dict[str, str] = {}
    values: dict[str, str] = {}
    begins_at: int | None = None
    age_seconds: int = 0
    repeats: int = 0
    episodes: int = 1
    is_flapping: bool = False
    siblings: int = 0
    together: tuple[str, ...] = ()
    history: tuple[Happening, ...] = ()
    failed: tuple[Happening, ...] = ()
    similar: dict[str, dict[str, int]] = {}
    maintenance: str = ""
    runbook: str = ""
    notes: tuple[str, ...] = ()

    @property
    def own_labels(self) -> Mapping[str, str]:
        """Return the labels without those of who only told of it."""
        return own_labels(self.labels, self.name)

    @property
    def without_texts(self) -> "Case":
        """Return the same without what anybody can write into."""
        return msgspec.structs.replace(self, summary="", texts={}, values={})

    @property
    def digest(self) -> str:
        """Return a hash of what a decision rests on.

        The incident's number and what only grows with time are left out,
        so that identical cases have one digest and may share one call.
        """
        same = msgspec.structs.replace(
            self, incident=0, begins_at=None, age_seconds=0, repeats=0
        )
        text = msgspec.json.encode(same, order="deterministic")
        return hashlib.sha256(text).hexdigest()[:32]
