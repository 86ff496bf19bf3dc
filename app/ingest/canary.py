"""The source of the canary: what it sends, and who may send it."""

import msgspec

from app.ingest.allowance import Allowance
from app.ingest.auth import HeaderSecret
from app.ingest.counters import SourceCounters
from app.ingest.intake import Entrance
from app.models.alert import Alert, Severity, Status
from app.models.canary import CANARY, PROBLEM, hour_of, name_of
from app.models.delivery import Delivery, Flaw, Parsed, Unparsed
from app.models.example import Example

BODY = b'{"begins_at":1795227242000000,"status":"firing"}'


class Beat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One delivery of the canary.

    Attributes:
        begins_at: when it was sent.
        status: firing, or resolved.
        ends_at: when it was taken back.
    """

    begins_at: int
    status: Status
    ends_at: int | None = None


class Canary:
    """The source: it is in no settings, and no list has it."""

    example = Example(body=BODY, names=(PROBLEM,))
    paths: tuple[str, ...] = ()
    tells_once = False
    setup = "It is built in."

    def parse(self, delivery: Delivery) -> Parsed:
        """Return the alert of a delivery, or raise Unparsed."""
        try:
            beat = msgspec.json.decode(delivery.body, type=Beat)
        except msgspec.MsgspecError as error:
            raise Unparsed(Flaw("not_a_canary", "$", "It is none.")) from error
        hour = hour_of(beat.begins_at)
        alert = Alert(
            fingerprint=name_of(hour),
            status=beat.status,
            occurrence=str(beat.begins_at),
            name=PROBLEM,
            severity=Severity.INFO,
            summary="A synthetic alert: it shows that the pipe works.",
            labels={"alertname": PROBLEM, CANARY: hour},
            starts_at=beat.begins_at,
            ends_at=beat.ends_at,
        )
        return Parsed(alerts=(alert,))


def make_entrance(secret: str) -> Entrance:
    """Return the way in, for whoever has a secret: this process alone."""
    return Entrance(
        name=CANARY,
        kind=CANARY,
        source=Canary(),
        authenticator=HeaderSecret("Bearer", [secret]),
        allowance=Allowance({}),
        is_strict=True,
        # It is counted by none of the sources' figures.
        counters=SourceCounters(),
    )
