"""Step 1: who, how large, what, may it; then the disk; then the answer."""

import asyncio
import json
from string import ascii_lowercase
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from app.core.errors import OutgoingFailed, Refused, StorageFailed
from app.core.settings import Limits
from app.ingest.allowance import Allowance
from app.ingest.auth import AuthSettings, Own, make_authenticator
from app.ingest.counters import Counters
from app.ingest.cutting import NOTE
from app.ingest.intake import Entrance, Intake
from app.ingest.sources.alertmanager import EXAMPLE, Alertmanager
from app.ingest.sources.cloudevents import CloudEvents, Options
from app.ingest.sources.generic import Generic
from app.ingest.sources.generic import Options as GenericOptions
from app.models.delivery import (
    Delivery,
    Flaw,
    Headers,
    Parsed,
    Receipt,
    Unparsed,
)
from tests.fakes import FakeClock, FakeIntray, make_alert

Result = Receipt | Refused


class Scripted(Alertmanager):
    """A source that says, or raises, what it was told to."""

    def __init__(self, result: Parsed | Exception) -> None:
        self.result = result

    def parse(self, delivery: Delivery) -> Parsed:
        """Say it."""
        del delivery
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


class Counter:
    """A reception: an intake, an entrance, and the answers given."""

    def __init__(self, source: Any, *, strict: bool = False) -> None:
        self.intray = FakeIntray()
        self.registry = CollectorRegistry()
        self.answers: list[Result] = []
        auth = AuthSettings(kind="none")
        self.entrance = Entrance(
            name="am",
            kind="alertmanager",
            source=source,
            authenticator=make_authenticator(auth, [], FakeClock()),
            allowance=Allowance({}),
            is_strict=strict,
            counters=Counters(self.registry).of("am"),
        )

    def deliver(
        self,
        body: bytes = EXAMPLE,
        peer: str = "127.0.0.1",
        headers: Headers = (),
    ) -> Result:
        """Deliver a body and return the answer."""
        intake = Intake(self.intray, Limits(depth=5))
        delivery = Delivery(
            source="am", body=body, received_at=1, peer=peer, headers=headers
        )
        try:
            intake.accept(self.entrance, delivery, self.answers.append)
        except Refused as refusal:
            return refusal
        return self.answers[-1]

    def count(self, name: str, **labels: str) -> float | None:
        """Return a counter of this source."""
        return self.registry.get_sample_value(
            f"smokejumper_{name}_total", {"source": "am", **labels}
        )


def test_a_delivery_is_filed_and_answered() -> None:
    """With its bytes, its alerts, and a hash of both source and bytes."""
    counter = Counter(Alertmanager())
    counter.intray.result = Receipt(delivery=7, accepted=1, alerts=(3,))
    assert counter.deliver() == counter.intray.result
    (filing,) = counter.intray.filings
    assert filing.delivery.body == EXAMPLE
    assert [a.name for a in filing.parsed.alerts] == ["DiskAlmostFull"]
    assert len(filing.key) == 32
    assert counter.count("deliveries") == counter.count("alerts_accepted") == 1


def test_repeats_are_counted_apart() -> None:
    """They are no new deliveries."""
    counter = Counter(Alertmanager())
    counter.intray.result = Receipt(delivery=7, repeat=True, repeated=2)
    counter.deliver()
    assert counter.count("deliveries") == 0
    assert counter.count("deliveries_repeated") == 1
    assert counter.count("alerts_repeated") == 2


def test_a_stranger_is_refused_before_anything_is_read() -> None:
    """Nothing reaches the parser or the disk."""
    counter = Counter(Scripted(AssertionError("was read")))
    refusal = counter.deliver(peer="192.0.2.1")
    assert isinstance(refusal, Refused)
    assert refusal.status == 401
    assert counter.intray.filings == []
    assert counter.count("deliveries_refused", reason="not_loopback") == 1


def test_what_is_not_understood_is_kept() -> None:
    """Accepted, with the flaw counted by reason and place."""
    flaw = Flaw("wrong_shape", "$.alerts[12].startsAt", "Expected `str`")
    counter = Counter(Scripted(Unparsed(flaw)))
    counter.intray.result = Receipt(delivery=1, unparsed=1)
    assert isinstance(counter.deliver(), Receipt)
    assert counter.intray.filings[0].parsed.unparsed == (flaw,)
    place = {"reason": "wrong_shape", "field": "$.alerts[].startsAt"}
    assert counter.count("alerts_unparsed", **place) == 1


def test_a_sender_makes_no_series_without_end() -> None:
    """The name of a header of a CloudEvent is whatever he likes."""
    counter = Counter(CloudEvents(Options()))
    counter.intray.result = Receipt(delivery=1, unparsed=1)
    letters = [(a + b).encode() for a in ascii_lowercase for b in "abcdefgh"]
    for name in letters:
        odd = (b"ce-" + name, b"%ff")
        counter.deliver(b"", headers=((b"ce-specversion", b"1.0"), odd))
    (family,) = (
        one
        for one in counter.registry.collect()
        if one.name == "smokejumper_alerts_unparsed"
    )
    assert len(family.samples) <= 101
    assert sum(one.value for one in family.samples) == len(letters) == 208
    place = {"reason": "bad_header", "field": "other"}
    assert counter.count("alerts_unparsed", **place) == 108


def test_a_strict_source_answers_422() -> None:
    """Its sender wants to hear of it; nothing is kept."""
    flaw = Flaw("wrong_shape", "$.name", "is missing")
    counter = Counter(Scripted(Unparsed(flaw)), strict=True)
    refusal = counter.deliver()
    assert isinstance(refusal, Refused)
    assert (refusal.status, refusal.field) == (422, "$.name")
    assert counter.intray.filings == []


@pytest.mark.parametrize(
    "error", [KeyError("x"), ValueError(), TypeError(), RecursionError()]
)
def test_a_parser_with_a_bug_loses_nothing(error: Exception) -> None:
    """The delivery goes into quarantine and can be replayed."""
    counter = Counter(Scripted(error))
    assert isinstance(counter.deliver(), Receipt)
    (flaw,) = counter.intray.filings[0].parsed.unparsed
    assert flaw.reason == "parser_surprised"
    assert flaw.detail == type(error).__name__


def test_deep_json_is_refused() -> None:
    """Before a parser sees it."""
    counter = Counter(Scripted(AssertionError("was read")))
    refusal = counter.deliver(b"[" * 6)
    assert isinstance(refusal, Refused)
    assert refusal.reason == "over_depth"


@pytest.mark.parametrize(
    "body",
    [
        b'{"x":"\\u0000"}',
        b'{"x":"[\\"\\\\u0000\\"]"}',
        b'{"x":"\\\\\\u00750000"}',
        b'{"data_base64":"AA=="}',
    ],
)
def test_nul_is_shown_as_a_symbol(body: bytes) -> None:
    """PostgreSQL's text cannot hold it; the raw body still does."""
    alert = make_alert("f\0", labels={"a\0": "b\0"}, summary="\0")
    counter = Counter(Scripted(Parsed(alerts=(alert,))))
    counter.deliver(body)
    (filing,) = counter.intray.filings
    (clean,) = filing.parsed.alerts
    assert clean.fingerprint == "f␀"
    assert clean.labels == {"a␀": "b␀"}
    assert clean.summary == "␀"
    assert filing.delivery.body == body


def test_a_broken_disk_is_answered_503() -> None:
    """The sender is told to come again."""
    counter = Counter(Alertmanager())
    counter.intray.result = StorageFailed("disk full")
    refusal = counter.deliver()
    assert isinstance(refusal, Refused)
    assert refusal.status == 503
    assert counter.count("deliveries_refused", reason="storage") == 1
    assert counter.count("deliveries") == 0


def test_a_full_queue_is_answered_503() -> None:
    """At once, and counted."""
    counter = Counter(Alertmanager())
    counter.intray.full = True
    refusal = counter.deliver()
    assert isinstance(refusal, Refused)
    assert refusal.status == 503
    assert counter.count("deliveries_refused", reason="queue_full") == 1


class Signed(Scripted):
    """A source with a signature of its own that wants a call back."""

    def __init__(self, *failures: Exception | None) -> None:
        super().__init__(Parsed(note="hello", confirm="https://x/"))
        self.signature_error, self.confirm_error = failures
        self.confirmed: list[str] = []

    async def authenticate(self, delivery: Delivery) -> None:
        """Accept or refuse as planned."""
        del delivery
        if self.signature_error:
            raise self.signature_error

    async def confirm(self, address: str) -> None:
        """Call back, or fail as planned."""
        if self.confirm_error:
            raise self.confirm_error
        self.confirmed.append(address)


def deliver_signed(source: Signed) -> tuple[Counter, Result]:
    """Deliver to a source that checks its own signature."""
    counter = Counter(source)
    entrance = counter.entrance
    counter.entrance = Entrance(
        entrance.name, entrance.kind, source, Own(),
        entrance.allowance, entrance.is_strict, entrance.counters,
    )  # fmt: skip

    async def work() -> Result:
        """Wait for the answer."""
        future = asyncio.get_running_loop().create_future()
        intake = Intake(counter.intray, Limits())
        delivery = Delivery(source="am", body=b"{}", received_at=1)
        intake.accept(counter.entrance, delivery, future.set_result)
        result: Result = await asyncio.wait_for(future, 5)
        return result

    return counter, asyncio.run(work())


def test_a_signed_source_is_filed_then_confirmed() -> None:
    """The call back comes after the disk."""
    source = Signed(None, None)
    counter, result = deliver_signed(source)
    assert isinstance(result, Receipt)
    assert len(counter.intray.filings) == 1
    assert source.confirmed == ["https://x/"]


def test_a_wrong_signature_keeps_nothing_and_calls_nobody() -> None:
    """It is refused like any other wrong secret."""
    source = Signed(Refused(401, "wrong_signature", "no"), None)
    counter, result = deliver_signed(source)
    assert isinstance(result, Refused)
    assert result.status == 401
    assert counter.intray.filings == []
    assert source.confirmed == []


def test_a_confirmation_that_fails_is_asked_for_again() -> None:
    """503: the sender repeats it; what it sent is on disk already."""
    counter, result = deliver_signed(Signed(None, OutgoingFailed("down")))
    assert isinstance(result, Refused)
    assert result.status == 503
    assert len(counter.intray.filings) == 1


def test_a_signed_message_that_is_not_understood_is_kept() -> None:
    """It is answered like any other, from the quarantine."""
    source = Signed(None, None)
    source.result = Unparsed(Flaw("wrong_shape", "$", "is no alarm"))
    counter, result = deliver_signed(source)
    assert isinstance(result, Receipt)
    assert len(counter.intray.filings[0].parsed.unparsed) == 1


def test_a_name_without_end_is_kept_in_short() -> None:
    """No page has to show a megabyte, and the delivery has all of it."""
    counter = Counter(Generic("am", GenericOptions()))
    counter.intray.result = Receipt(delivery=7, accepted=1, alerts=(3,))
    long = {"name": "n" * 900_000, "message": "password=hunter2 " + "m" * 99}
    body = json.dumps(long).encode()
    with capture_logs() as said:
        assert counter.deliver(body) == counter.intray.result
    (filing,) = counter.intray.filings
    (alert,) = filing.parsed.alerts
    assert len(alert.name) <= 500
    assert "hunter2" not in alert.summary
    assert alert.annotations[NOTE] == "left out: name of 900000 letters"
    assert filing.delivery.body == body
    assert [one["alerts"] for one in said if one["event"] == "delivery.cut"]
