"""What the API shows of the rows: times as ISO 8601, JSON as JSON."""

from typing import Any, Self

import msgspec
from pydantic import BaseModel, Field

from app.api.entries import EntryView
from app.core.clock import to_iso
from app.models.brevity import clip

# Of an alert in a list: letters of a line, and of all its annotations. Labels
# are bounded when they come.
LINES = ("name", "summary", "url")
MOST_LINE = 2_000
MOST_TEXTS = 10_000


class DeliveryView(BaseModel):
    """One request of a source; its body is under /deliveries/ID/body."""

    id: int
    source: str
    received_at: str
    peer: str
    outcome: str = Field(description="parsed, or unparsed: in quarantine")
    reason: str = Field(description="why parts were not taken, or empty")
    field: str = Field(description="where in the payload, or empty")
    accepted: int
    repeated: int
    rejected: int
    unparsed: int
    truncated: int = Field(description="alerts that the sender left out")
    alerts: list[int] = Field(description="the ids of its alerts")
    repeats: int = Field(description="how often the same bytes came again")
    last_seen_at: str

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a row as the API shows it."""
        values = {
            name: getattr(row, name)
            for name in cls.model_fields
            if name != "alerts" and not name.endswith("_at")
        }
        return cls(
            **values,
            alerts=msgspec.json.decode(row.alerts),
            received_at=_time(row.received_at),
            last_seen_at=_time(row.last_seen_at),
        )


SAME = (
    "id",
    "delivery_id",
    "incident_id",
    "source",
    "fingerprint",
    "occurrence",
    "status",
    "name",
    "severity",
    "summary",
    "url",
    "repeats",
)


class AlertView(BaseModel):
    """One normalised message of a source."""

    id: int
    delivery_id: int
    incident_id: int | None = Field(
        description="that it is part of; null before it is folded"
    )
    source: str
    fingerprint: str
    occurrence: str = Field(description="what tells it from the next one")
    status: str = Field(description="firing, resolved or updated")
    name: str
    severity: str
    summary: str
    labels: dict[str, str]
    annotations: dict[str, str]
    received_at: str = Field(description="when it came, by our clock")
    starts_at: str | None = Field(description="by the source's clock")
    ends_at: str | None
    url: str
    repeats: int = Field(description="how often it was said again")
    last_seen_at: str

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a row as the API shows it."""
        return cls(**_told(row))


class AlertItem(AlertView):
    """An alert in a list: what it says at length is cut."""

    cut: list[str] = Field(
        description="what is not whole here; /alerts/ID has all of it"
    )

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a row as a list shows it: of bounded size."""
        whole = _told(row)
        shown: dict[str, Any] = {
            name: clip(whole[name], MOST_LINE) for name in LINES
        }
        shown["annotations"] = _brief(whole["annotations"])
        cut = [name for name, said in shown.items() if said != whole[name]]
        return cls(**whole | shown, cut=cut)


class CountView(BaseModel):
    """How many rows match in all."""

    value: int
    kind: str = Field(description="estimated or exact")


class DeliveryPage(BaseModel):
    """Some deliveries, newest first."""

    seq: int = Field(description="the last entry of the log at this moment")
    items: list[DeliveryView]
    next: str | None = Field(description="the address of the next page")
    count: CountView | None


class AlertPage(BaseModel):
    """Some alerts, newest first."""

    seq: int = Field(description="the last entry of the log at this moment")
    items: list[AlertItem]
    next: str | None = Field(description="the address of the next page")
    count: CountView | None


class EntryPage(BaseModel):
    """Some lines of the action log, newest first."""

    seq: int = Field(description="the last entry of the log at this moment")
    items: list[EntryView]
    next: str | None = Field(description="the address of the next page")
    count: CountView | None


class SourceView(BaseModel):
    """One configured source."""

    name: str
    type: str
    paths: list[str]
    setup: str = Field(description="how to point the system here")


def _told(row: Any) -> dict[str, Any]:
    """Return what an alert says, by name, from its row."""
    decode: Any = msgspec.json.decode
    return {
        **{name: getattr(row, name) for name in SAME},
        "labels": decode(row.labels),
        "annotations": decode(row.annotations),
        "received_at": _time(row.received_at),
        "last_seen_at": _time(row.last_seen_at),
        "starts_at": to_iso(row.starts_at),
        "ends_at": to_iso(row.ends_at),
    }


def _brief(texts: dict[str, str]) -> dict[str, str]:
    """Return the first of some texts, as far as there is room for them."""
    found: dict[str, str] = {}
    room = MOST_TEXTS
    for name, text in texts.items():
        room -= min(MOST_LINE, len(name)) + min(MOST_LINE, len(text))
        if room < 0:
            break
        found[clip(name, MOST_LINE)] = clip(text, MOST_LINE)
    return found


def _time(moment: int) -> str:
    """Return a moment that is always there."""
    return to_iso(moment) or ""
