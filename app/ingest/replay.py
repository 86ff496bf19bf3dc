"""Read the quarantine again, after a parser or the settings were mended."""

from collections.abc import Iterator, Mapping

import msgspec

from app.core.errors import Refused
from app.core.settings import Limits
from app.ingest.intake import Entrance, key_of, read
from app.models.delivery import Filing, Flaw, Receipt, StoredDelivery
from app.models.intray import Inbox

PAGE = 100


class Replayed(msgspec.Struct, frozen=True):
    """What became of one delivery of the quarantine.

    Attributes:
        delivery: its id.
        source: the source that sent it.
        receipt: what it brought now, None when it stays as it was.
        flaw: what is still not understood, or None.
    """

    delivery: int
    source: str
    receipt: Receipt | None
    flaw: Flaw | None


def replay(
    inbox: Inbox,
    entrances: Mapping[str, Entrance],
    limits: Limits,
    where: Mapping[str, object],
) -> Iterator[Replayed]:
    """Read deliveries of the quarantine again, oldest first.

    An alert that is known by now is counted as repeated, so that a replay
    may be broken off and started again at any point.
    """
    after = 0
    while page := inbox.find_unparsed(after, PAGE, where):
        for stored in page:
            yield _replay(
                inbox, entrances.get(stored.delivery.source), stored, limits
            )
        after = page[-1].id


def _replay(
    inbox: Inbox,
    entrance: Entrance | None,
    stored: StoredDelivery,
    limits: Limits,
) -> Replayed:
    """Read one delivery again and file what it says now."""
    delivery = stored.delivery
    if entrance is None:
        flaw = Flaw("unknown_source", "source", "is not configured any more")
        return Replayed(stored.id, delivery.source, None, flaw)
    try:
        parsed = read(entrance, delivery, limits)
    except Refused as refusal:
        flaw = Flaw(refusal.reason, refusal.field, refusal.detail)
        return Replayed(stored.id, delivery.source, None, flaw)
    if parsed.unparsed and not parsed.alerts:
        # Nothing is gained, and what it brought before must stay.
        flaw = parsed.unparsed[0]
        return Replayed(stored.id, delivery.source, None, flaw)
    filing = Filing(delivery, key_of(delivery), parsed)
    receipt = inbox.refile(stored.id, filing)
    return Replayed(stored.id, delivery.source, receipt, filing.first_flaw)
