"""The episode: one firing of one fingerprint, from beginning to end."""

from collections.abc import Container

import msgspec

from app.models.cluster import FOREVER, Member


class Episode(msgspec.Struct, kw_only=True):
    """One firing of one strand, and the incident that it is part of.

    Attributes:
        id: its number.
        strand_id: whose episode it is.
        incident_id: the incident that it is part of.
        pin: the incident that a person put it into, or 0.
        home: the incident that it was in before that, or 0.
        because: why it is in that incident; empty for its first.
        source: the source that told it.
        fingerprint: the source's identity of it.
        target: the key of its target.
        problem: its problem class.
        name: what the monitoring system calls it.
        severity: the newest word on how bad it is.
        summary: one line for people.
        begins_at: by the source's clock.
        until: when it ended, FOREVER while it goes on.
        ended: why it ended: resolved, began again, stale.
        first_alert: the alert that was stored first.
        last_alert: the alert that was stored last.
        alerts: how many messages it is made of.
        seen_at: when the last of them came, by our clock.
    """

    id: int
    strand_id: int
    incident_id: int = 0
    pin: int = 0
    home: int = 0
    because: str = ""
    source: str
    fingerprint: str
    target: str
    problem: str
    name: str
    severity: str
    summary: str
    begins_at: int
    until: int = FOREVER
    ended: str = ""
    first_alert: int
    last_alert: int
    alerts: int
    seen_at: int

    @property
    def is_over(self) -> bool:
        """Tell whether it has ended."""
        return self.until != FOREVER

    def as_member(self, loosened: Container[int] = ()) -> Member:
        """Return what grouping needs of it.

        Args:
            loosened: incidents that may fall apart.
        """
        held = 0 if self.incident_id in loosened else self.incident_id
        return Member(
            self.id,
            self.problem,
            self.begins_at,
            self.until,
            self.pin,
            held,
        )
