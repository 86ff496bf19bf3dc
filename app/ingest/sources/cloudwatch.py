"""Amazon CloudWatch alarms, as SNS delivers them.

SNS wraps an alarm into an envelope, as a JSON string; with raw delivery it
posts the alarm alone and unsigned. Amazon signs for every topic of every
customer: who sends is settled only by ``options.topics``.
"""

import msgspec
from pydantic import Field

from app.core import signing, sns
from app.core.configfile import Section
from app.core.log import get_log
from app.models.alert import Alert, Status
from app.models.delivery import Delivery, Flaw, Parsed, Unparsed
from app.models.example import Example
from app.models.payload import read_json
from app.models.wire import read_moment
from app.ports import SignedSource, SourceEnv

log = get_log("cloudwatch")

EXAMPLE_ALARM = """{
  "AlarmName": "queue-backlog",
  "AWSAccountId": "210987654321",
  "NewStateValue": "ALARM",
  "NewStateReason": "2 datapoints were above 5000",
  "StateChangeTime": "2026-11-21T02:14:02.418+0000",
  "Region": "EU (Frankfurt)",
  "AlarmArn": "arn:aws:cloudwatch:eu-central-1:210987654321:alarm:backlog",
  "Trigger": {
    "Namespace": "AWS/SQS",
    "MetricName": "ApproximateNumberOfMessagesVisible",
    "Dimensions": [{"name": "QueueName", "value": "orders"}]
  }
}"""
EXAMPLE = {
    "Type": "Notification",
    "MessageId": "0b6f2d0e-53f1-5c0c-9a65-7d1f6f6a1c11",
    "TopicArn": "arn:aws:sns:eu-central-1:210987654321:pager",
    "Message": EXAMPLE_ALARM,
    "Timestamp": "2026-11-21T02:14:03.001Z",
    "SignatureVersion": "1",
    "Signature": "c2lnbmVkIGJ5IEFtYXpvbg==",
    "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/now.pem",
}
STATUSES = {
    "ALARM": Status.FIRING,
    "OK": Status.RESOLVED,
    "INSUFFICIENT_DATA": Status.UPDATED,
}


class Settings(Section):
    """Which topics may send, and how old a message may be."""

    topics: tuple[str, ...] = ()
    # SNS gives up on an HTTP endpoint after an hour.
    tolerance_seconds: int = Field(3_600, ge=1, le=86_400)


class Dimension(msgspec.Struct):
    """One identifying field of a metric."""

    name: str
    value: str


class Trigger(msgspec.Struct, rename="pascal"):
    """The metric that an alarm watches; a composite alarm has none."""

    namespace: str | None = None
    metric_name: str | None = None
    dimensions: list[Dimension] = []


class Alarm(msgspec.Struct, rename="pascal"):
    """A change of an alarm's state."""

    alarm_name: str = ""
    new_state_value: str = ""
    account: str = msgspec.field(default="", name="AWSAccountId")
    region: str = ""
    alarm_arn: str | None = None
    state_change_time: str = ""
    alarm_description: str | None = None
    new_state_reason: str | None = None
    alarm_rule: str | None = None
    trigger: Trigger | None = None


ENVELOPE = msgspec.json.Decoder(sns.Envelope)
ALARM = msgspec.json.Decoder(Alarm)


class Cloudwatch:
    """Reads alarms, checks Amazon's signature, confirms subscriptions."""

    example = Example(
        body=msgspec.json.encode(EXAMPLE), names=("queue-backlog",)
    )
    paths: tuple[str, ...] = ()
    tells_once = True
    setup = (
        "SNS: list the alarms' topic in options.topics, then subscribe "
        "https://HOST/webhooks/cloudwatch to it"
    )

    def __init__(self, service: sns.Sns) -> None:
        """Take what checks the envelopes."""
        self._sns = service

    def parse(self, delivery: Delivery) -> Parsed:
        """Return the alarm, or the address that confirms a subscription."""
        envelope = read_json(delivery.body, ENVELOPE)
        if envelope.type == sns.SUBSCRIPTION:
            return self._subscription(envelope)
        if envelope.type == sns.FAREWELL:
            return Parsed(note="unsubscribe confirmation")
        if envelope.type == sns.NOTIFICATION:
            alert = to_alert(envelope.message.encode(), "$.Message")
        else:
            alert = to_alert(delivery.body, "$")
        return Parsed(alerts=(alert,))

    def _subscription(self, envelope: sns.Envelope) -> Parsed:
        """Return the address to call, if the topic is wanted."""
        if not self._sns.owns(envelope.subscribe_url):
            place = "$.SubscribeURL"
            raise Unparsed(Flaw("foreign_address", place, "is not of SNS"))
        note = "subscription confirmation"
        if self._sns.wants(envelope):
            return Parsed(note=note, confirm=envelope.subscribe_url)
        return Parsed(note=f"{note} of a topic that is not in options.topics")

    async def authenticate(self, delivery: Delivery) -> None:
        """Return when Amazon signed it lately, for a wanted topic."""
        try:
            envelope = read_json(delivery.body, ENVELOPE)
        except Unparsed as error:
            raise sns.refused("unsigned", error.flaw.field) from error
        await self._sns.check(envelope)
        is_subscription = envelope.type == sns.SUBSCRIPTION
        if is_subscription and not self._sns.wants(envelope):
            # Told here and not by parse, which a replay calls too.
            log.warning("subscription.not_confirmed", lacks="options.topics")

    async def confirm(self, address: str) -> None:
        """Tell Amazon that the subscription is wanted."""
        await self._sns.confirm(address)
        log.info("subscription.confirmed")


def to_alert(body: bytes, where: str) -> Alert:
    """Return an alarm in our words."""
    alarm = _read_alarm(body, where)
    moment = read_moment(alarm.state_change_time)
    status = STATUSES[alarm.new_state_value]
    reason = alarm.new_state_reason
    about = alarm.alarm_description
    texts = {"description": about, "reason": reason, "rule": alarm.alarm_rule}
    place = f"{alarm.account}:{alarm.region}:{alarm.alarm_name}"
    return Alert(
        fingerprint=alarm.alarm_arn or place,
        status=status,
        occurrence=alarm.state_change_time or None,
        name=alarm.alarm_name,
        summary=about or reason or "",
        labels=_labels(alarm),
        annotations={name: text for name, text in texts.items() if text},
        # Without data nobody knows whether there is a problem.
        starts_at=moment if status is Status.FIRING else None,
        ends_at=moment if status is Status.RESOLVED else None,
    )


def _read_alarm(body: bytes, where: str) -> Alarm:
    """Return an alarm, or say what the message has in its place."""
    try:
        alarm = read_json(body, ALARM)
    except Unparsed as error:
        flaw = error.flaw
        place = where + flaw.field.removeprefix("$")
        raise Unparsed(Flaw(flaw.reason, place, flaw.detail)) from error
    if not alarm.alarm_name:
        place = f"{where}.AlarmName"
        raise Unparsed(Flaw("not_an_alarm", place, "is missing or empty"))
    if alarm.new_state_value not in STATUSES:
        place = f"{where}.NewStateValue"
        raise Unparsed(Flaw("unknown_status", place, "is no alarm state"))
    return alarm


def _labels(alarm: Alarm) -> dict[str, str]:
    """Return what identifies an alarm's metric and its place."""
    trigger = alarm.trigger or Trigger()
    labels = {pair.name: pair.value for pair in trigger.dimensions}
    labels["namespace"] = trigger.namespace or ""
    labels["metric"] = trigger.metric_name or ""
    labels["account"] = alarm.account
    # The ARN has the code of the region, the alarm itself its name.
    arn = (alarm.alarm_arn or "").split(":")
    labels["region"] = arn[3] if len(arn) > 3 else alarm.region
    return {name: value for name, value in labels.items() if value}


def plugin(env: SourceEnv) -> SignedSource:
    """Return the source with its topics."""
    found = env.settings(Settings)
    signer = signing.Signer(sns.HOSTS, env.fetch, env.clock)
    topics, seconds = found.topics, found.tolerance_seconds
    return Cloudwatch(sns.Sns(topics, seconds, signer, env.fetch, env.clock))
