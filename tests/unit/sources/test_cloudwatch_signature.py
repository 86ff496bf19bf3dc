"""CloudWatch: only what Amazon signed lately, for our topic, is let in."""

import asyncio

import pytest

from app.core.errors import Refused, TooBusy
from app.models.delivery import Delivery
from app.ports import SignedSource
from tests.unit.sources.aws import (
    CERTIFICATE,
    FOREIGN,
    HOME,
    ORDER,
    SUBSCRIBE,
    TOPIC,
    Web,
    amazon,
    deliver,
    envelope,
    make,
    make_certificate,
    sign,
)

KINDS = tuple(ORDER)
NOT_A_CERTIFICATE = {
    "no .pem": f"{HOME}/key",
    "a query": f"{HOME}/?Action=x.pem",
    "a fragment": f"{HOME}/x#.pem",
    "a query behind": f"{HOME}/x.pem?next=.pem",
    "parameters": f"{HOME}/x;.pem",
}


def refusal(source: SignedSource, delivery: Delivery) -> Refused:
    """Return why a delivery is not let in."""
    with pytest.raises(Refused) as caught:
        asyncio.run(source.authenticate(delivery))
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [None, "Grüße: ALARM", ""])
def test_what_amazon_signed_is_let_in(
    kind: str, version: str, subject: str | None
) -> None:
    """Both digests, all kinds of message, with and without a subject."""
    if kind != "Notification":
        subject = None
    fields = envelope(kind, SignatureVersion=version, Subject=subject)
    web = amazon()
    asyncio.run(make(web).authenticate(deliver(sign(fields))))
    assert web.asked == [CERTIFICATE]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for kind, names in ORDER.items()
        for name in names
        if name not in ("Subject", "TopicArn", "Type")
    ],
)
def test_a_changed_field_is_noticed(kind: str, name: str) -> None:
    """Every field that means something is signed."""
    changed = "2026-11-21T02:29:59.120Z" if name == "Timestamp" else "other"
    signed = {**sign(envelope(kind)), name: changed}
    refused = refusal(make(amazon()), deliver(signed))
    assert (refused.status, refused.reason) == (401, "bad_signature")


def test_an_added_subject_is_noticed() -> None:
    """A field that was not signed cannot be slipped in."""
    signed = {**sign(envelope()), "Subject": "OK"}
    assert refusal(make(amazon()), deliver(signed)).reason == "bad_signature"


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_cannot_pass_for_one_of_another_kind(kind: str) -> None:
    """A notification never becomes a subscription, nor the reverse."""
    other = KINDS[(KINDS.index(kind) + 1) % len(KINDS)]
    extra = {"Token": "74f", "SubscribeURL": SUBSCRIBE}
    signed = {**extra, **sign(envelope(kind)), "Type": other}
    assert refusal(make(amazon()), deliver(signed)).reason == "bad_signature"


def test_another_topic_of_the_list_cannot_be_claimed() -> None:
    """The topic is signed too."""
    source = make(amazon(), topics=[TOPIC, f"{TOPIC}-2"])
    signed = {**sign(envelope()), "TopicArn": f"{TOPIC}-2"}
    assert refusal(source, deliver(signed)).reason == "bad_signature"


@pytest.mark.parametrize(
    "changes",
    [
        {"Signature": ""},
        {"Signature": "AAAA"},
        {"Signature": "no base64!"},
        {"Signature": "ü"},
    ],
)
def test_a_broken_signature_is_refused(changes: dict[str, str]) -> None:
    """Whatever stands in its place, the answer is 401."""
    refused = refusal(make(amazon()), deliver({**sign(envelope()), **changes}))
    assert (refused.status, refused.reason) == (401, "bad_signature")


def test_the_signature_of_somebody_else_is_refused() -> None:
    """Only the key of the certificate counts."""
    signed = sign(envelope(), owner="somebody")
    assert refusal(make(amazon()), deliver(signed)).reason == "bad_signature"


def test_a_digest_cannot_be_exchanged() -> None:
    """A signature of version 1 is none of version 2."""
    signed = {**sign(envelope()), "SignatureVersion": "2"}
    assert refusal(make(amazon()), deliver(signed)).reason == "bad_signature"


@pytest.mark.parametrize("address", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_foreign_certificate_is_not_even_fetched(address: str) -> None:
    """Whoever signs with his own key shows it at an address of his own."""
    web = Web({address: make_certificate("evil")})
    signed = sign(envelope(SigningCertURL=address), owner="evil")
    refused = refusal(make(web), deliver(signed))
    assert (refused.status, refused.reason) == (401, "bad_certificate")
    assert web.asked == []


@pytest.mark.parametrize(
    "address", NOT_A_CERTIFICATE.values(), ids=NOT_A_CERTIFICATE.keys()
)
def test_only_a_pem_file_of_amazon_is_a_certificate(address: str) -> None:
    """An answer of the API that echoes a text is no certificate."""
    web = Web({address: make_certificate("evil")})
    signed = sign(envelope(SigningCertURL=address), owner="evil")
    assert refusal(make(web), deliver(signed)).reason == "bad_certificate"
    assert web.asked == []


@pytest.mark.parametrize(
    "host",
    [
        "sns.us-east-1.amazonaws.com",
        "sns.us-gov-west-1.amazonaws.com",
        "sns.ap-southeast-2.amazonaws.com",
        "sns.cn-north-1.amazonaws.com.cn",
    ],
)
def test_every_region_of_amazon_is_right(host: str) -> None:
    """China and the government's regions are Amazon's too."""
    address = f"https://{host}/SimpleNotificationService-1.pem"
    web = Web({address: make_certificate("amazon")})
    signed = sign(envelope(SigningCertURL=address))
    asyncio.run(make(web).authenticate(deliver(signed)))
    assert web.asked == [address]


@pytest.mark.parametrize(
    ("text", "is_fresh"),
    [
        ("2026-11-21T01:30:00.000Z", True),
        ("2026-11-21T01:29:59.999Z", False),
        ("2026-11-21T03:30:00.001Z", False),
        ("2025-11-21T02:29:58.120Z", False),
        ("yesterday", False),
        ("0001-01-01T00:00:00+23:59", False),
        ("", False),
    ],
)
def test_an_old_message_is_refused(text: str, *, is_fresh: bool) -> None:
    """A message that was caught cannot be sent again the next day."""
    web = amazon()
    delivery = deliver(sign(envelope(Timestamp=text)))
    if is_fresh:
        asyncio.run(make(web).authenticate(delivery))
    else:
        assert refusal(make(web), delivery).reason == "stale"
        assert web.asked == []


def test_the_tolerance_is_a_setting() -> None:
    """Who wants it stricter says so."""
    delivery = deliver(sign(envelope(Timestamp="2026-11-21T02:28:00.000Z")))
    source = make(amazon(), tolerance_seconds=60)
    assert refusal(source, delivery).reason == "stale"
    asyncio.run(make(amazon(), tolerance_seconds=120).authenticate(delivery))


def test_a_topic_that_is_not_listed_is_refused() -> None:
    """Amazon signs for everybody's topic."""
    web = amazon()
    signed = sign(envelope(TopicArn=f"{TOPIC}-of-somebody-else"))
    refused = refusal(make(web), deliver(signed))
    assert (refused.status, refused.reason) == (401, "unknown_topic")
    assert refused.field == "$.TopicArn"
    assert web.asked == []


def test_without_a_list_no_topic_may_send() -> None:
    """Any customer of Amazon can have it sign a message of his own."""
    signed = sign(envelope(TopicArn="arn:aws:sns:eu-west-1:1:any"))
    web = amazon()
    with pytest.raises(Refused) as caught:
        asyncio.run(make(web, topics=[]).authenticate(deliver(signed)))
    assert caught.value.reason == "unknown_topic"
    assert web.asked == []


def test_the_certificate_is_fetched_once() -> None:
    """Also when many messages come at the same time."""
    web = amazon()

    async def many() -> None:
        """Let messages in side by side, and one more after them."""
        source = make(web)
        delivery = deliver(sign(envelope()))
        calls = [source.authenticate(delivery) for _ in range(20)]
        await asyncio.gather(*calls)
        await source.authenticate(delivery)

    asyncio.run(many())
    assert web.asked == [CERTIFICATE]


def test_only_a_few_certificates_are_kept() -> None:
    """The oldest of too many is fetched again, the newest is not."""
    addresses = [f"{HOME}/key-{number}.pem" for number in range(17)]
    web = Web(dict.fromkeys(addresses, make_certificate("amazon")))

    async def all_of_them() -> None:
        """Show every certificate once, then the last and the first."""
        source = make(web)
        for address in (*addresses, addresses[-1], addresses[0]):
            fields = sign(envelope(SigningCertURL=address))
            await source.authenticate(deliver(fields))

    asyncio.run(all_of_them())
    assert web.asked == [*addresses, addresses[0]]


def test_a_certificate_that_cannot_be_fetched_is_asked_for_again() -> None:
    """The sender is told to come later, and nothing wrong is kept."""
    web = Web({})
    delivery = deliver(sign(envelope()))

    async def twice() -> TooBusy:
        """Fail, mend the network, succeed."""
        source = make(web)
        with pytest.raises(TooBusy) as caught:
            await source.authenticate(delivery)
        web.pages[CERTIFICATE] = make_certificate("amazon")
        await source.authenticate(delivery)
        return caught.value

    assert asyncio.run(twice()).status == 503
    assert web.asked == [CERTIFICATE, CERTIFICATE]


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"<html>",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        make_certificate("weak", bits=1024),
    ],
    ids=["empty", "HTML", "broken", "weak key"],
)
def test_what_is_no_certificate_is_refused(page: bytes) -> None:
    """An odd answer is no reason to fail."""
    refused = refusal(
        make(Web({CERTIFICATE: page})), deliver(sign(envelope()))
    )
    assert (refused.status, refused.reason) == (401, "bad_signature")


@pytest.mark.parametrize(("days_ago", "days"), [(40, 30), (-1, 30)])
def test_a_certificate_counts_between_its_dates(
    days_ago: int, days: int
) -> None:
    """One that is over, or not yet begun, proves nothing."""
    page = make_certificate("amazon", 2048, days_ago, days)
    refused = refusal(
        make(Web({CERTIFICATE: page})), deliver(sign(envelope()))
    )
    assert refused.reason == "bad_certificate"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"x"',
        b'{"Type": "Notif',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"Type": "Notification"}',
        b'{"Type": "Notification", "SignatureVersion": "3"}',
        b'{"Type": "Rumour", "SignatureVersion": "1"}',
        b'{"Type": 1}',
        b'{"AlarmName": "orders-late", "NewStateValue": "ALARM"}',
    ],
)
def test_what_is_not_signed_is_refused(body: bytes) -> None:
    """A raw delivery has no signature either."""
    web = amazon()
    delivery = Delivery(source="cloudwatch", body=body, received_at=0)
    refused = refusal(make(web), delivery)
    assert (refused.status, refused.reason) == (401, "unsigned")
    assert web.asked == []
