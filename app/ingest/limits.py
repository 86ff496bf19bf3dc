"""What one delivery may hold; over it the sender is told which and why."""

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
    for index, alert in enumerate(parsed.alerts):
        if len(alert.labels) > limits.labels:
            _refuse(
                "labels",
                f"alert {index}: labels",
                f"{len(alert.labels)} labels are more than {limits.labels}.",
            )
        _check_names(alert, index, limits)
        if size > limits.identity_chars:
            _check_identity(alert, index, limits)
        if size > limits.label_value_chars or size > limits.annotation_chars:
            _check_texts(alert, index, limits)


def _check_names(alert: Alert, index: int, limits: Limits) -> None:
    """Raise Refused when a label has too long a name."""
    longest = max(map(len, alert.labels), default=0)
    field = f"alert {index}: labels"
    _check_length(longest, "label_name_chars", field, limits)


def _check_identity(alert: Alert, index: int, limits: Limits) -> None:
    """Raise Refused when a text that alerts are found by is too long."""
    longest = max(len(alert.fingerprint), len(alert.occurrence or ""))
    field = f"alert {index}: fingerprint"
    _check_length(longest, "identity_chars", field, limits)


def _check_texts(alert: Alert, index: int, limits: Limits) -> None:
    """Raise Refused when a label or an annotation is too long."""
    longest = max(map(len, alert.labels.values()), default=0)
    field = f"alert {index}: labels"
    _check_length(longest, "label_value_chars", field, limits)
    longest = max(map(len, alert.annotations.values()), default=0)
    field = f"alert {index}: annotations"
    _check_length(longest, "annotation_chars", field, limits)


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
