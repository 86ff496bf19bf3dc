"""Zabbix's webhook media type.

There is no fixed shape: the script of the media type posts its parameters
as it likes, and each school spells them in its own way. So the names are
compared without case, dots, dashes and underscores.
"""

import re
from collections import defaultdict
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from pydantic import field_validator

from app.core.clock import to_iso
from app.core.configfile import Section
from app.models.alert import Alert, Severity, Status, to_severity
from app.models.delivery import Delivery, Flaw, Parsed, Unparsed
from app.models.example import Example
from app.models.payload import read_json
from app.models.wire import (
    Parameters,
    all_of,
    collect,
    first,
    read_moment,
    read_pairs,
    real_moment,
    squeeze,
)
from app.ports import Source, SourceEnv

EXAMPLE = b"""{
  "event_source": "0", "event_value": "1", "event_update_status": "0",
  "event_id": "41207", "event_name": "Mail queue is too long on relay-02",
  "event_severity": "High", "event_nseverity": "4",
  "event_date": "2026.11.21", "event_time": "02:44:09",
  "event_tags_json": "[{\\"tag\\": \\"component\\", \\"value\\": \\"mail\\"}]",
  "event_opdata": "1840 messages wait", "event_ack_status": "No",
  "event_recovery_id": "{EVENT.RECOVERY.ID}",
  "trigger_id": "20991", "trigger_description": "Postfix keeps its mail.",
  "host_host": "relay-02", "host_name": "Mail relay 02",
  "host_ip": "192.0.2.25", "hostgroups": "Mail servers",
  "item_key": "mail.queue.length", "zabbix_url": "http://zabbix.example.net"
}"""
# What we call it: what the parameters are called, the best one first.
PLAIN_LABELS = "host_ip host_conn host_id trigger_id item_key event_source"
LABELS = {name: squeeze(name) for name in PLAIN_LABELS.split()} | {
    "host": "hosthost host hostname",
    "host_name": "hostname hostvisiblename",
    "hostgroups": "hostgroups hostgroup triggerhostgroupname",
}
UPDATE_MESSAGE = "eventupdatemessage"
UPDATE_USER = "eventupdateuser userfullname"
ANNOTATIONS = {
    "opdata": "eventopdata opdata triggeropdata",
    "trigger_description": "triggerdescription triggerdesc",
    "trigger_url": "triggerurl",
    "item_value": "itemvalue itemlastvalue",
    "alert_message": "alertmessage",
    "event_ack_status": "eventackstatus eventack",
    "update_action": "eventupdateaction",
    "update_message": UPDATE_MESSAGE,
    "update_user": UPDATE_USER,
}
RESERVED = frozenset((*LABELS, "severity"))
TAGS = "eventtagsjson eventtags tags"
EVENT_ID = "eventid problemid"
NAMES = "eventname problemname triggername alertsubject"
STATUSES = dict.fromkeys(("1", "PROBLEM"), Status.FIRING)
STATUSES |= dict.fromkeys(("0", "OK", "RESOLVED"), Status.RESOLVED)
# Discovery, autoregistration and internal events: news, not problems.
NEWS = ("1", "2", "3")
SEVERITIES = "Not classified,Information,Warning,Average,High,Disaster"
SEVERITY_WORDS = dict(zip("012345", SEVERITIES.split(","), strict=True))
MACRO = re.compile(r"\{\$?[A-Z][A-Z0-9._]*([.:][^{}]*)?\}")
LONGEST_MACRO = 255  # the expression is slow on longer texts
UNKNOWN = "*UNKNOWN*"  # what Zabbix writes for a macro without a value
PARAMETERS = msgspec.json.Decoder(dict[str, Any])


class Options(Section):
    """What Zabbix does not say: where its server's clock stands."""

    timezone: str = "UTC"

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        """Return the name of a zone that this machine knows."""
        try:
            to_zone(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            text = "is no time zone here; write one such as Europe/Berlin"
            raise ValueError(text) from error
        return name


def to_zone(name: str) -> tzinfo:
    """Return a time zone; UTC also where no zones are installed."""
    return UTC if name == "UTC" else ZoneInfo(name)


class Zabbix:
    """Reads problems, updates and recoveries; one in each delivery."""

    example = Example(
        body=EXAMPLE, names=("Mail queue is too long on relay-02",)
    )
    paths: tuple[str, ...] = ()
    tells_once = True
    setup = (
        "Media types: Webhook: post JSON.stringify(parameters) to "
        "http://HOST:8080/webhooks/zabbix with Authorization: Bearer SECRET"
    )

    def __init__(self, options: Options) -> None:
        """Take the settings of this source."""
        self._zone = to_zone(options.timezone)

    def parse(self, delivery: Delivery) -> Parsed:
        """Return the alert; a test of the media type brings none."""
        body = read_json(delivery.body, PARAMETERS)
        known = {
            squeeze(name): value
            for name, value in reversed(body.items())
            if value is not None and value != "" and not is_macro(value)
        }
        if is_test(body, known):
            return Parsed(note="test message")
        return Parsed(alerts=(self._to_alert(known),))

    def _to_alert(self, known: Parameters) -> Alert:
        """Return the alert of a delivery, or raise Unparsed."""
        event_id = first(known, EVENT_ID)
        if not event_id:
            raise Unparsed(Flaw("missing", "$.event_id", "is not there"))
        status = to_status(known)
        word = to_word(known)
        name = first(known, NAMES)
        opdata = first(known, ANNOTATIONS["opdata"])
        is_news = first(known, "eventsource") in NEWS
        return Alert(
            fingerprint=event_id,
            status=status,
            occurrence=to_occurrence(known, status),
            name=name,
            severity=Severity.INFO if is_news else to_severity(word),
            summary=f"{name}: {opdata}" if opdata else name,
            labels=read_tags(known)
            | collect(known, LABELS)
            | ({"severity": word} if word else {}),
            annotations=self._annotations(known, status),
            starts_at=self._moment(known, "event"),
            ends_at=self._moment(known, "eventrecovery"),
            url=to_url(known, event_id),
        )

    def _annotations(
        self, known: Parameters, status: Status
    ) -> dict[str, str]:
        """Return the free texts, and when an update was made."""
        found = collect(known, ANNOTATIONS)
        if status is Status.UPDATED:
            updated_at = to_iso(self._moment(known, "eventupdate"))
            if updated_at:
                found["updated_at"] = updated_at
        return found

    def _moment(self, known: Parameters, prefix: str) -> int | None:
        """Return a moment that Zabbix tells in its server's local time."""
        stamp = first(known, f"{prefix}timestamp")
        date = first(known, f"{prefix}date").replace(".", "-")
        try:
            when = datetime.fromisoformat(
                f"{date}T{first(known, f'{prefix}time')}"
            )
        except ValueError:
            return read_moment(stamp)
        return read_moment(stamp) or real_moment(
            when.replace(tzinfo=when.tzinfo or self._zone)
        )


def is_macro(value: Any) -> bool:
    """Tell whether a text is a macro that Zabbix had no value for."""
    if not isinstance(value, str) or value[:1] not in ("{", "*"):
        return False
    if len(value) > LONGEST_MACRO:
        return False
    return value == UNKNOWN or MACRO.fullmatch(value) is not None


def is_test(body: Parameters, known: Parameters) -> bool:
    """Tell whether the form was sent that tests a media type: all macros."""
    if first(known, f"{EVENT_ID} {NAMES} {LABELS['host']}"):
        return False
    return any(
        squeeze(name) == "eventid" and is_macro(value)
        for name, value in body.items()
    )


def to_status(known: Parameters) -> Status:
    """Return the status; an update of a solved problem is no recovery."""
    update = first(known, "eventupdatestatus eventupdate")
    if update == "1" or (not update and "eventupdateaction" in known):
        return Status.UPDATED
    word = first(known, "eventvalue eventstatus triggerstatus").upper()
    if first(known, "eventsource") in NEWS:
        return STATUSES.get(word, Status.RESOLVED)
    if word not in STATUSES:
        text = "is neither 1 for a problem nor 0 for a recovery"
        raise Unparsed(Flaw("unknown_status", "$.event_value", text))
    return STATUSES[word]


def to_occurrence(known: Parameters, status: Status) -> str | None:
    """Return what tells this message from others about the same event."""
    if status is Status.FIRING:
        return ""
    if status is Status.RESOLVED:
        own_id = first(known, "eventrecoveryid")
        names = "eventrecoverydate eventrecoverytime"
        return own_id or all_of(known, names)
    names = "eventupdatedate eventupdatetime eventupdateaction"
    told = all_of(known, names)
    # Two people may write in one second; their texts tell them apart.
    texts = all_of(known, f"{UPDATE_USER} {UPDATE_MESSAGE}")
    return f"{told} {short_hash(texts)}" if told else None


def short_hash(text: str) -> str:
    """Return what tells one text from another, in a few letters."""
    return sha256(text.encode(errors="replace")).hexdigest()[:16]


def to_word(known: Parameters) -> str:
    """Return the severity in Zabbix's words, in English if possible."""
    digit = first(known, "eventnseverity nseverity severity")
    word = first(known, "eventseverity severity triggerseverity")
    return SEVERITY_WORDS.get(digit, word)


def to_url(known: Parameters, event_id: str) -> str:
    """Return where Zabbix shows the event, if it says where it is."""
    base = first(known, "zabbixurl").rstrip("/")
    trigger = first(known, "triggerid")
    if not trigger or not base.startswith(("http://", "https://")):
        return ""
    query = urlencode({"triggerid": trigger, "eventid": event_id})
    return f"{base}/tr_events.php?{query}"


def read_tags(known: Parameters) -> dict[str, str]:
    """Return the event's tags as labels; they never pose as the host's."""
    texts = (known.get(name) for name in TAGS.split())
    lists = (pairs for text in texts if (pairs := read_pairs(text)))
    found = defaultdict(set)
    for name, value in next(lists, []):
        key = f"tag_{name}" if name in RESERVED else name
        found[key].add(value)
    return {
        # A tag may come twice; the order of tags is not always the same.
        name: ",".join(sorted(values))
        for name, values in found.items()
        if name
    }


def plugin(env: SourceEnv) -> Source:
    """Return the source with the time zone of its settings."""
    return Zabbix(env.settings(Options))
