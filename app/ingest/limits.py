"""What one delivery may hold; over it the sender is told which and why."""

from collections.abc import Iterable
from itertools import accumulate

from app.core.errors import Refused
from app.core.settings import Limits
from app.models.alert import Alert
from app.models.delivery import Parsed
from app.models.wire import check_count

OPEN, CLOSE = b"[{", b"]}"
NOT_BRACKETS = bytes(set(range(256)) - set(OPEN + CLOSE))
NOT_TOKENS = bytes(set(range(256)) - set(OPEN + CLOSE + b'"'))
STEPS = [0] * 256
for _byte in OPEN:
    STEPS[_byte] = 1
for _byte in CLOSE:
    STEPS[_byte] = -1
REMEDY = "Send less at once, or raise server.limits.{} in the settings."


def check_depth(body: bytes, limits: Limits) -> None:
    """Raise Refused when JSON is nested deeper than a payload ever is."""
    brackets = body.translate(None, NOT_BRACKETS)
    if len(brackets) <= limits.depth:
        return
    # Brackets inside strings count here: a cheap first look.
    if _deepest(brackets) <= limits.depth:
        return
    without_escapes = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    tokens = without_escapes.translate(None, NOT_TOKENS)
    outside_strings = b"".join(tokens.split(b'"')[::2])
    if _deepest(outside_strings) > limits.depth:
        _refuse("depth", "$", f"JSON is nested deeper than {limits.depth}.")


def _deepest(brackets: bytes) -> int:
    """Return the deepest nesting of a run of brackets."""
    return max(accumulate(map(STEPS.__getitem__, brackets)), default=0)


def check_alerts(parsed: Parsed, size: int, limits: Limits) -> None:
    """Raise Refused when there are too many alerts, or one is too large.

    Args:
        parsed: what a delivery says.
        size: the length of its body: no text in it is longer.
        limits: what is allowed.
    """
    check_count(len(parsed.alerts), limits.alerts)
    is_short = size <= min(limits.label_value_chars, limits.annotation_chars)
    for index, alert in enumerate(parsed.alerts):
        if not _has_room(alert, limits):
            _refuse_alert(alert, index, limits)
        if not is_short and not _has_short_texts(alert, limits):
            _refuse_texts(alert, index, limits)


def _has_room(alert: Alert, limits: Limits) -> bool:
    """Tell whether the number and the names of what is told are allowed."""
    return (
        len(alert.labels) <= limits.labels
        and _longest(alert.labels) <= limits.label_name_chars
        and len(alert.fingerprint) <= limits.identity_chars
        and len(alert.occurrence or "") <= limits.identity_chars
    )


def _has_short_texts(alert: Alert, limits: Limits) -> bool:
    """Tell whether no label and no annotation is too long."""
    return (
        _longest(alert.labels.values()) <= limits.label_value_chars
        and _longest(alert.annotations.values()) <= limits.annotation_chars
    )


def _refuse_alert(alert: Alert, index: int, limits: Limits) -> None:
    """Raise Refused, since an alert has no room."""
    count = len(alert.labels)
    field = f"alert {index}: labels"
    if count > limits.labels:
        detail = f"{count} labels are more than {limits.labels}."
        _refuse("labels", field, detail)
    _check_length(_longest(alert.labels), "label_name_chars", field, limits)
    longest = _longest((alert.fingerprint, alert.occurrence or ""))
    field = f"alert {index}: fingerprint"
    _check_length(longest, "identity_chars", field, limits)


def _refuse_texts(alert: Alert, index: int, limits: Limits) -> None:
    """Raise Refused, since a label or an annotation is too long."""
    longest = _longest(alert.labels.values())
    field = f"alert {index}: labels"
    _check_length(longest, "label_value_chars", field, limits)
    longest = _longest(alert.annotations.values())
    field = f"alert {index}: annotations"
    _check_length(longest, "annotation_chars", field, limits)


def _longest(texts: Iterable[str]) -> int:
    """Return the length of the longest of some texts."""
    return max(map(len, texts), default=0)


def _check_length(length: int, limit: str, field: str, limits: Limits) -> None:
    """Raise Refused when a text is longer than a limit."""
    most: int = getattr(limits, limit)
    if length > most:
        _refuse(limit, field, f"A text of {length} is longer than {most}.")


def _refuse(limit: str, field: str, detail: str) -> None:
    """Raise Refused over one of the limits."""
    raise Refused(
        422,
        f"over_{limit}",
        detail,
        field=field,
        remedy=REMEDY.format(limit),
    )
