"""Play Amazon SNS: sign messages with a certificate that is made here."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from app.core.clock import Clock, to_moment
from app.core.errors import OutgoingFailed
from app.ingest.sources.cloudwatch import plugin
from app.models.delivery import Delivery
from app.ports import Settings, SignedSource

NOW = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-central-1:210987654321:pager"
HOME = "https://sns.eu-central-1.amazonaws.com"
CERTIFICATE = f"{HOME}/SimpleNotificationService-5a17.pem"
SUBSCRIBE = f"{HOME}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=74f"
# Written out here a second time on purpose, from Amazon's documentation.
ORDER = {
    "Notification": (
        "Message",
        "MessageId",
        "Subject",
        "Timestamp",
        "TopicArn",
        "Type",
    ),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
ORDER["UnsubscribeConfirmation"] = ORDER["SubscriptionConfirmation"]
# Where nobody but an impostor keeps his certificate.
FOREIGN = {
    "another host": "https://evil.example.net/x.pem",
    "http": "http://sns.eu-central-1.amazonaws.com/x.pem",
    "no scheme": "sns.eu-central-1.amazonaws.com/x.pem",
    "file": "file:///etc/x.pem",
    "Amazon as a prefix": "https://sns.eu-central-1.amazonaws.com.evil.net/x",
    "Amazon as a suffix": "https://evilsns.eu-central-1.amazonaws.com/x.pem",
    "deeper": "https://a.sns.eu-central-1.amazonaws.com/x.pem",
    "another ending": "https://sns.eu-central-1.amazonaws.com.de/x.pem",
    "another service": "https://s3.eu-central-1.amazonaws.com/x.pem",
    "a bucket called sns": "https://sns.s3-us-west-2.amazonaws.com/x.pem",
    "a short bucket": "https://sns.s3.amazonaws.com/x.pem",
    "no region": "https://sns.amazonaws.com/x.pem",
    "a user": "https://sns.eu-central-1.amazonaws.com@evil.net/x.pem",
    "its user": "https://evil@sns.eu-central-1.amazonaws.com/x.pem",
    "a port": "https://sns.eu-central-1.amazonaws.com:8443/x.pem",
    "a backslash": "https://evil.net\\.sns.eu-central-1.amazonaws.com/x.pem",
    "a line end": "https://sns.eu-central-1\n.amazonaws.com/x.pem",
    "a blank before": " https://sns.eu-central-1.amazonaws.com/x.pem",
    "a fullwidth dot": "https://sns\uff0eeu-central-1.amazonaws.com/x.pem",
    "an open bracket": "https://[sns.eu-central-1.amazonaws.com/x.pem",
    "long": f"{HOME}/{'a' * 5_000}.pem",
    "nothing": "",
}


@cache
def make_key(owner: str, bits: int) -> RSAPrivateKey:
    """Return the private key of somebody, always the same one."""
    assert owner
    return generate_private_key(public_exponent=65_537, key_size=bits)


@cache
def make_certificate(
    owner: str, bits: int = 2048, days_ago: int = 1, days: int = 30
) -> bytes:
    """Return a certificate that somebody signed for himself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, owner)])
    key = make_key(owner, bits)
    starts = NOW - timedelta(days=days_ago)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(starts)
        .not_valid_after(starts + timedelta(days=days))
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def envelope(
    kind: str = "Notification", **changes: str | None
) -> dict[str, str | None]:
    """Return an unsigned message; a change to None leaves a field out."""
    fields: dict[str, str | None] = {
        "Type": kind,
        "MessageId": "4d3b-1",
        "TopicArn": TOPIC,
        "Message": "{}",
        "Timestamp": "2026-11-21T02:29:58.120Z",
        "SignatureVersion": "1",
        "SigningCertURL": CERTIFICATE,
    }
    if kind != "Notification":
        fields |= {"Token": "74f", "SubscribeURL": SUBSCRIBE}
    fields |= changes
    return {name: text for name, text in fields.items() if text is not None}


def sign(
    fields: Mapping[str, str | None], owner: str = "amazon"
) -> dict[str, str | None]:
    """Return a message with the signature of somebody."""
    names = ORDER[fields["Type"] or ""]
    text = "".join(
        f"{name}\n{fields[name]}\n" for name in names if name in fields
    )
    digest = SHA1() if fields["SignatureVersion"] == "1" else SHA256()
    made = make_key(owner, 2048).sign(text.encode(), PKCS1v15(), digest)
    return {**fields, "Signature": b64encode(made).decode()}


def deliver(fields: Mapping[str, Any]) -> Delivery:
    """Return a message as SNS posts it."""
    return Delivery(
        source="cloudwatch",
        body=json.dumps(fields).encode(),
        received_at=to_moment(NOW),
        headers=((b"content-type", b"text/plain; charset=UTF-8"),),
    )


class Web:
    """The outside world: pages by address, and a list of who was asked."""

    def __init__(self, pages: Mapping[str, bytes]) -> None:
        self.pages = dict(pages)
        self.asked: list[str] = []

    async def fetch(self, address: str) -> bytes:
        """Return a page, or fail as a network does."""
        self.asked.append(address)
        await asyncio.sleep(0)  # as a network does, it lets others run
        if address not in self.pages:
            raise OutgoingFailed("status 404")
        return self.pages[address]


class Still:
    """A clock that stands still."""

    def now(self) -> int:
        """Return the moment of the tests."""
        return to_moment(NOW)

    def monotonic(self) -> float:
        """Return no seconds at all."""
        return 0.0


class Surroundings:
    """What a source is made with."""

    def __init__(self, web: Web, options: Mapping[str, Any]) -> None:
        self.name = "cloudwatch"
        self.clock: Clock = Still()
        self.fetch: Callable[[str], Awaitable[bytes]] = web.fetch
        self._options = options

    def settings(self, model: type[Settings]) -> Settings:
        """Return the settings of the source."""
        return model.model_validate(self._options)


def make(web: Web, **options: Any) -> SignedSource:
    """Return the source in a world; the usual topic is listed."""
    return plugin(Surroundings(web, {"topics": [TOPIC], **options}))


def amazon() -> Web:
    """Return a world in which Amazon shows its certificate."""
    return Web({CERTIFICATE: make_certificate("amazon")})
