"""The alert: one normalised message of a source, immutable."""

from enum import StrEnum

import msgspec


class Status(StrEnum):
    """What a source says about one alert."""

    FIRING = "firing"
    RESOLVED = "resolved"
    UPDATED = "updated"  # people's words: acknowledged, severity changed ...


class Severity(StrEnum):
    """How bad it is, in one scale for all sources."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    UNKNOWN = "unknown"


class Alert(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One normalised message of a source about one problem.

    Attributes:
        fingerprint: the source's own identity of the problem.
        status: firing, resolved or updated.
        occurrence: what tells this message from the next one with the same
            fingerprint and status, such as the start time. None when the
            source says nothing of the kind: then a message repeats the last
            one of its fingerprint as long as the status stays the same.
        name: what the monitoring system calls the problem.
        severity: in our scale; the source's word stays in the labels.
        summary: one line for people; data, never an instruction.
        labels: the identifying fields, in the source's spelling.
        annotations: the free texts.
        starts_at: when the problem began, by the source's clock.
        ends_at: when it ended or will be taken for ended.
        url: where the source shows it.
        recurs: whether its source may tell of a new problem as it told of
            one that it said was over, with the same occurrence.
    """

    fingerprint: str
    status: Status
    occurrence: str | None
    name: str
    severity: Severity = Severity.UNKNOWN
    summary: str = ""
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    starts_at: int | None = None
    ends_at: int | None = None
    url: str = ""
    recurs: bool = False


WORDS = {
    Severity.CRITICAL: (
        "critical crit fatal emergency emerg alert disaster page p1 sev1 "
        "blocker"
    ),
    Severity.ERROR: "error err high major p2 sev2 severe",
    Severity.WARNING: "warning warn average medium minor p3 sev3",
    Severity.INFO: (
        "info information informational notice low none ok debug p4 p5 sev4 "
        "sev5"
    ),
}
SEVERITIES = {
    word: severity
    for severity, words in WORDS.items()
    for word in words.split()
}


def to_severity(word: str) -> Severity:
    """Return our scale's value for a source's own word."""
    found = SEVERITIES.get(word)
    if found is None:
        found = SEVERITIES.get(word.strip().lower(), Severity.UNKNOWN)
    return found
