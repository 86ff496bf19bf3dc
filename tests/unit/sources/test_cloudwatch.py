"""CloudWatch through SNS: alarms and subscriptions."""

import asyncio
import json
from typing import Any

import pytest

from app.core.errors import OutgoingFailed, Refused
from app.models.alert import Alert, Status
from app.models.delivery import Parsed, Unparsed
from tests.unit.sources.aws import (
    FOREIGN,
    SUBSCRIBE,
    TOPIC,
    Web,
    amazon,
    deliver,
    envelope,
    make,
)

ARN = "arn:aws:cloudwatch:eu-central-1:210987654321:alarm:orders-late"


def alarm(**changes: Any) -> dict[str, Any]:
    """Return an alarm as CloudWatch writes it."""
    return {
        "AlarmName": "orders-late",
        "AlarmDescription": "Orders wait too long",
        "AWSAccountId": "210987654321",
        "NewStateValue": "ALARM",
        "OldStateValue": "OK",
        "NewStateReason": "Threshold crossed",
        "StateChangeTime": "2026-11-21T02:14:02.418+0000",
        "Region": "EU (Frankfurt)",
        "AlarmArn": ARN,
        "Trigger": {
            "MetricName": "QueueDepth",
            "Namespace": "AWS/SQS",
            "Dimensions": [{"name": "QueueName", "value": "orders"}],
            "Period": 60,
        },
        **changes,
    }


def parse(fields: Any, **options: Any) -> Parsed:
    """Return what is read out of a delivery, without a network."""
    return make(Web({}), **options).parse(deliver(fields))


def only_alert(fields: Any) -> Alert:
    """Return the one alert of a raw delivery."""
    (alert,) = parse(fields).alerts
    return alert


def test_a_listed_topic_is_confirmed() -> None:
    """The address that Amazon signed is called, once."""
    web = amazon()
    web.pages[SUBSCRIBE] = b"<ConfirmSubscriptionResponse/>"
    source = make(web)
    parsed = source.parse(deliver(envelope("SubscriptionConfirmation")))
    assert parsed.alerts == ()
    assert parsed.note == "subscription confirmation"
    assert parsed.confirm == SUBSCRIBE
    asyncio.run(source.confirm(parsed.confirm))
    assert web.asked == [SUBSCRIBE]


@pytest.mark.parametrize("topics", [[], [f"{TOPIC}-2"]])
def test_no_other_topic_is_confirmed(topics: list[str]) -> None:
    """An empty list confirms nothing, and the note says why."""
    fields = envelope("SubscriptionConfirmation")
    parsed = parse(fields, topics=topics)
    assert parsed.confirm == ""
    assert "options.topics" in parsed.note


@pytest.mark.parametrize("address", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_foreign_address_is_never_called(address: str) -> None:
    """Neither is it read out of a message, nor called when asked to."""
    web = Web({address: b""})
    source = make(web)
    fields = envelope("SubscriptionConfirmation", SubscribeURL=address)
    with pytest.raises(Unparsed) as caught:
        source.parse(deliver(fields))
    assert caught.value.flaw.reason == "foreign_address"
    assert caught.value.flaw.field == "$.SubscribeURL"
    with pytest.raises(Refused):
        asyncio.run(source.confirm(address))
    assert web.asked == []


def test_a_confirmation_that_fails_says_so() -> None:
    """The caller learns it, so that the sender comes again."""
    with pytest.raises(OutgoingFailed):
        asyncio.run(make(Web({})).confirm(SUBSCRIBE))


def test_the_end_of_a_subscription_is_only_noted() -> None:
    """Nothing is called: that would subscribe again."""
    parsed = parse(envelope("UnsubscribeConfirmation"))
    assert parsed == Parsed(note="unsubscribe confirmation")


def test_an_alarm_comes_in_an_envelope_or_raw() -> None:
    """Both ways it is the same alert."""
    fields = envelope(Message=json.dumps(alarm()))
    (alert,) = parse(fields).alerts
    assert alert == only_alert(alarm())
    assert alert.fingerprint == ARN
    assert alert.name == "orders-late"
    assert alert.occurrence == "2026-11-21T02:14:02.418+0000"
    assert alert.summary == "Orders wait too long"
    assert alert.annotations == {
        "description": "Orders wait too long",
        "reason": "Threshold crossed",
    }
    assert alert.labels == {
        "QueueName": "orders",
        "namespace": "AWS/SQS",
        "metric": "QueueDepth",
        "region": "eu-central-1",
        "account": "210987654321",
    }


@pytest.mark.parametrize(
    ("state", "status", "has_start", "has_end"),
    [
        ("ALARM", Status.FIRING, True, False),
        ("OK", Status.RESOLVED, False, True),
        ("INSUFFICIENT_DATA", Status.UPDATED, False, False),
    ],
)
def test_each_state_has_a_status(
    state: str, status: Status, *, has_start: bool, has_end: bool
) -> None:
    """The moment of the change is the start or the end."""
    alert = only_alert(alarm(NewStateValue=state))
    moment = 1_795_227_242_418_000
    assert alert.status is status
    assert alert.starts_at == (moment if has_start else None)
    assert alert.ends_at == (moment if has_end else None)


def test_an_older_alarm_has_no_arn() -> None:
    """Account, region and name identify it then."""
    fields = alarm()
    del fields["AlarmArn"]
    alert = only_alert(fields)
    assert alert.fingerprint == "210987654321:EU (Frankfurt):orders-late"
    assert alert.labels["region"] == "EU (Frankfurt)"


def test_a_composite_alarm_has_a_rule_and_no_metric() -> None:
    """What it is made of stands in the annotations."""
    rule = "ALARM(orders-late) AND ALARM(disk-full)"
    fields = alarm(AlarmRule=rule, AlarmDescription=None)
    del fields["Trigger"]
    alert = only_alert(fields)
    assert alert.annotations["rule"] == rule
    assert alert.labels == {
        "region": "eu-central-1",
        "account": "210987654321",
    }
    assert alert.summary == "Threshold crossed"


def test_a_metric_cannot_speak_for_another_region() -> None:
    """A dimension does not overwrite where the alarm is."""
    dimensions = [{"name": "region", "value": "elsewhere"}]
    alert = only_alert(alarm(Trigger={"Dimensions": dimensions}))
    assert alert.labels["region"] == "eu-central-1"


@pytest.mark.parametrize("text", ["", "soon", "9999-12-31T23:59:59-12:00"])
def test_an_odd_time_does_not_lose_the_alarm(text: str) -> None:
    """It is an alarm all the same, without a start."""
    alert = only_alert(alarm(StateChangeTime=text))
    assert alert.starts_at is None
    assert alert.occurrence == (text or None)


@pytest.mark.parametrize(
    ("message", "reason", "field"),
    [
        ("Disk is full", "not_json", "$.Message"),
        ("", "not_json", "$.Message"),
        ("[" * 100_000, "wrong_shape", "$.Message"),
        ('{"a":' * 100_000, "not_json", "$.Message"),
        ("[]", "wrong_shape", "$.Message"),
        ('{"Records": []}', "not_an_alarm", "$.Message.AlarmName"),
        (
            json.dumps(alarm(NewStateValue="s3cret")),
            "unknown_status",
            "$.Message.NewStateValue",
        ),
        (
            json.dumps(alarm(Trigger={"Dimensions": [{"name": "s3cret"}]})),
            "wrong_shape",
            "$.Message.Trigger.Dimensions[0]",
        ),
    ],
)
def test_another_message_of_aws_is_told_apart(
    message: str, reason: str, field: str
) -> None:
    """The flaw names the place in the inner message and quotes nothing."""
    with pytest.raises(Unparsed) as caught:
        parse(envelope(Message=message))
    flaw = caught.value.flaw
    assert (flaw.reason, flaw.field) == (reason, field)
    assert "s3cret" not in flaw.detail
