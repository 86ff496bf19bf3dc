"""Amazon SNS: its envelope, its signature, its subscriptions.

Amazon signs for every topic of every customer: a signature alone says that
a message went through SNS, and only the topic says whose it is.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import msgspec

from app.core.clock import Clock, to_moment
from app.core.errors import Refused
from app.core.signing import Signer

# A region, not any word: somebody's bucket of the name "sns" answers at
# sns.s3-us-west-2.amazonaws.com.
HOSTS = re.compile(r"sns\.[a-z]+(-[a-z]+)+-[0-9]+\.amazonaws\.com(\.cn)?")
DIGESTS = {"1": "sha1", "2": "sha256"}
NOTIFICATION = "Notification"
SUBSCRIPTION = "SubscriptionConfirmation"
FAREWELL = "UnsubscribeConfirmation"
HANDSHAKE = "Message MessageId SubscribeURL Timestamp Token TopicArn Type"
SIGNED_NAMES = {
    NOTIFICATION: "Message MessageId Subject Timestamp TopicArn Type",
    SUBSCRIPTION: HANDSHAKE,
    FAREWELL: HANDSHAKE,
}
REFUSALS = {
    "unsigned": "It is no message that SNS signed.",
    "unknown_topic": "The topic is not one that may send here.",
    "stale": "The message is too old, or a clock is wrong.",
    "foreign_address": "The address is not one of SNS.",
}


class Envelope(msgspec.Struct, rename="pascal"):
    """What SNS wraps around a message; a raw delivery has no type."""

    type: str = ""
    topic_arn: str = ""
    message: str = ""
    message_id: str = ""
    timestamp: str = ""
    subject: str | None = None
    token: str | None = None
    subscribe_url: str = msgspec.field(default="", name="SubscribeURL")
    signature_version: str = ""
    signature: str = ""
    signing_cert_url: str = msgspec.field(default="", name="SigningCertURL")


class Sns:
    """Rules on envelopes, and answers subscriptions."""

    def __init__(
        self,
        topics: Sequence[str],
        tolerance_seconds: int,
        signer: Signer,
        fetch: Callable[[str], Awaitable[bytes]],
        clock: Clock,
    ) -> None:
        """Take the topics that may send, and the world."""
        self._topics = frozenset(topics)
        self._tolerance = tolerance_seconds * 1_000_000
        self._fetch = fetch
        self._clock = clock
        self._signer = signer

    def owns(self, address: str) -> bool:
        """Tell whether an address is one of SNS itself."""
        return self._signer.owns(address)

    def wants(self, envelope: Envelope) -> bool:
        """Tell whether a topic is listed, and so may be subscribed to."""
        return envelope.topic_arn in self._topics

    async def check(self, envelope: Envelope) -> None:
        """Return when Amazon signed it lately, for a topic that may send.

        Raises:
            Refused: it did not.
            TooBusy: the certificate cannot be had at the moment.
        """
        digest = DIGESTS.get(envelope.signature_version)
        if envelope.type not in SIGNED_NAMES or digest is None:
            raise refused("unsigned", "$.SignatureVersion")
        # Any customer of Amazon can have it sign a message of his topic.
        if not self.wants(envelope):
            raise refused("unknown_topic", "$.TopicArn")
        # The cheap looks come first: a stranger starts no outgoing call.
        if not self._is_fresh(envelope):
            raise refused("stale", "$.Timestamp")
        await self._signer.check(
            signed_text(envelope),
            envelope.signature,
            digest,
            envelope.signing_cert_url,
        )

    def _is_fresh(self, envelope: Envelope) -> bool:
        """Tell whether a message was published lately."""
        published = _moment(envelope.timestamp)
        if published is None:
            return False
        return abs(self._clock.now() - published) <= self._tolerance

    async def confirm(self, address: str) -> None:
        """Tell Amazon that a subscription is wanted.

        Raises:
            Refused: the address is not one of SNS.
            OutgoingFailed: SNS did not answer as it should.
        """
        if not self.owns(address):
            raise refused("foreign_address", "$.SubscribeURL")
        await self._fetch(address)


def signed_text(envelope: Envelope) -> bytes:
    """Return what Amazon signs: names and values, in its order."""
    values = msgspec.to_builtins(envelope)
    return "".join(
        f"{name}\n{values[name]}\n"
        for name in SIGNED_NAMES[envelope.type].split()
        if values[name] is not None
    ).encode()


def _moment(text: str) -> int | None:
    """Return a time as Amazon writes it, None when it is none."""
    try:
        return to_moment(datetime.fromisoformat(text))
    except ValueError:
        return None


def refused(reason: str, field: str) -> Refused:
    """Return the refusal of a message that is not shown to be Amazon's."""
    return Refused(
        401,
        reason,
        REFUSALS[reason],
        field=field,
        remedy="Check the topics and the clock of the receiver.",
    )
