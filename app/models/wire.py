"""What several sources read alike: label sets, moments, lists of alerts.

Alertmanager, Prometheus and Grafana describe an alert in nearly the same
way; what is the same stands here once.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from app.core.clock import to_moment
from app.core.errors import Refused
from app.models.alert import Alert, Status
from app.models.delivery import Flaw, Parsed, Unparsed
from app.models.payload import as_text, read_json

T = TypeVar("T")
STATUSES = {"firing": Status.FIRING, "resolved": Status.RESOLVED}
# What a decoder or a reader raises when not all of a payload is as expected.
SPOILED = (
    msgspec.MsgspecError,
    RecursionError,
    UnicodeDecodeError,
    Unparsed,
)
FNV_OFFSET, FNV_PRIME = 14695981039346656037, 1099511628211
SEPARATOR = b"\xff"  # cannot occur in UTF-8
# A longer label set is hashed each time: the cache must not grow with it.
REMEMBERED_BYTES = 2_048
LAST_MOMENT = to_moment(datetime.max.replace(tzinfo=UTC))
NOT_SPELLED = str.maketrans("", "", "-_. ")
ANY: "msgspec.json.Decoder[Any]" = msgspec.json.Decoder()
# Values by the squeezed names of their parameters.
Parameters = Mapping[str, Any]
NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
# Numbers below a limit are of the unit that takes so many microseconds.
UNITS = (
    (10**11, Decimal(1_000_000)),
    (10**14, Decimal(1_000)),
    (10**17, Decimal(1)),
    (10**20, Decimal("0.001")),
)


def to_status(word: str) -> Status:
    """Return the status of a word, or raise Unparsed."""
    status = STATUSES.get(word)
    if status is None:
        raise Unparsed(
            Flaw("unknown_status", "$.status", "is not firing or resolved")
        )
    return status


def to_fingerprint(labels: Mapping[str, str]) -> str:
    """Return Alertmanager's own fingerprint of a label set.

    It is the FNV-1a hash of 64 bits over the sorted names and values.

    Raises:
        Unparsed: there is no label, so nothing could be told apart.
    """
    if not labels:
        raise Unparsed(Flaw("missing", "$.labels", "has no label"))
    parts = [part.encode() for pair in sorted(labels.items()) for part in pair]
    text = SEPARATOR.join((*parts, b""))
    if len(text) > REMEMBERED_BYTES:
        return _fnv(text)
    return _remembered(text)


def _fnv(text: bytes) -> str:
    """Return the FNV-1a hash of 64 bits as 16 hexadecimal digits."""
    found = FNV_OFFSET
    for byte in text:
        found = (found ^ byte) * FNV_PRIME & 0xFFFFFFFFFFFFFFFF
    return f"{found:016x}"


# Prometheus sends the same alerts again every minute.
_remembered = lru_cache(maxsize=4_096)(_fnv)


def to_summary(annotations: Mapping[str, str]) -> str:
    """Return the annotation that says it in one line."""
    return annotations.get("summary") or annotations.get("message", "")


def real_moment(when: datetime | None) -> int | None:
    """Return a moment; the zero time of Go means that there is none."""
    if when is None or when.year == 1:
        return None
    moment = to_moment(when)
    # The last day of the calendar, west of Greenwich: no date can show it.
    return moment if moment <= LAST_MOMENT else None


def whole_milliseconds(when: datetime | None) -> int | None:
    """Return a moment as exactly as Alertmanager's API tells it.

    Its notifications tell more digits: one beginning must not be two.
    """
    moment = real_moment(when)
    return None if moment is None else moment - moment % 1_000


def read_moment(value: Any) -> int | None:
    """Return the moment of an ISO 8601 text or a number since 1970.

    The size of a number tells whether it counts seconds, milliseconds,
    microseconds or nanoseconds.
    """
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        try:
            return real_moment(datetime.fromisoformat(value))
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    number = Decimal(value)
    if not number.is_finite() or number <= 0:
        return None
    for limit, factor in UNITS:
        if number < limit:
            return round(number * factor)
    return None


def check_count(count: int, most: int) -> None:
    """Raise Refused when a delivery holds more alerts than it may."""
    if count > most:
        raise Refused(
            422,
            "over_alerts",
            f"{count} alerts are more than {most}.",
            field="$.alerts",
            remedy="Send less at once, or raise server.limits.alerts.",
        )


def read_each(
    items: Sequence[T], place: str, read: Callable[[T], Alert], most: int
) -> Parsed:
    """Return the good alerts of a list, and the place of each flaw."""
    check_count(len(items), most)
    alerts = []
    flaws = []
    for index, item in enumerate(items):
        try:
            alerts.append(read(item))
        except Unparsed as error:
            flaw = error.flaw
            field = f"{place}[{index}]{flaw.field.removeprefix('$')}"
            flaws.append(Flaw(flaw.reason, field, flaw.detail))
    return Parsed(alerts=tuple(alerts), unparsed=tuple(flaws))


def squeeze(name: str) -> str:
    """Return a parameter's name without what only its spelling is."""
    return name.translate(NOT_SPELLED).lower()


def as_scalar(value: Any) -> str:
    """Return a JSON value as text; lists and objects have none."""
    return "" if isinstance(value, (dict, list)) else as_text(value)


def first(known: Parameters, names: str) -> str:
    """Return the first of some parameters that has a value, or nothing."""
    for name in _split(names):
        text = as_scalar(known.get(name))
        if text:
            return text
    return ""


# Only our own tables come here: the cache holds each of them once.
_split = lru_cache(maxsize=256)(str.split)


def all_of(known: Parameters, names: str) -> str:
    """Return some parameters as one text."""
    return " ".join(filter(None, (first(known, n) for n in _split(names))))


def collect(known: Parameters, table: Mapping[str, str]) -> dict[str, str]:
    """Return by our names what a table names; nothing else gets through."""
    found = {name: first(known, theirs) for name, theirs in table.items()}
    return {name: text for name, text in found.items() if text}


def read_pairs(tags: Any) -> list[tuple[str, str]]:
    """Return the names and values of tags, in one of their usual shapes.

    They are an object, a list of objects, either of them as a JSON text, or
    a text such as ``a:b, c:d``.
    """
    if isinstance(tags, str) and tags.startswith(("[", "{")):
        try:
            tags = read_json(tags.encode(), ANY)
        except Unparsed:
            return []
    if isinstance(tags, dict):
        return [(name, as_scalar(value)) for name, value in tags.items()]
    if isinstance(tags, list):
        return [
            (as_scalar(tag.get("tag")), as_scalar(tag.get("value")))
            for tag in tags
            if isinstance(tag, dict)
        ]
    if not isinstance(tags, str):
        return []
    parts = (part.partition(":") for part in tags.split(", "))
    return [(name.strip(), value) for name, _, value in parts if name]
