"""Cut what nobody is told apart by, and say what was cut.

A label that is too long is refused, since it says which alert it is. A long
title, summary or link, or a heap of annotations, is no reason to lose one:
it is kept in short, and the delivery has it byte for byte.
"""

import msgspec

from app.core.settings import Limits
from app.models.alert import Alert
from app.models.brevity import clip, shorten

NOTE = "smokejumper_cut"


def cut_alerts(
    alerts: tuple[Alert, ...], size: int, limits: Limits
) -> tuple[Alert, ...]:
    """Return alerts with what a page can bear, each with a note of the rest.

    Args:
        alerts: as their source read them, without secrets: half of one is
            not known for one any more.
        size: the length of the body they came in: no text is longer.
        limits: how long texts may be, and how many annotations.
    """
    is_short = size <= min(limits.label_value_chars, limits.annotation_chars)
    most = limits.annotations
    if is_short and all(
        len(one.annotations) <= most and NOTE not in one.annotations
        for one in alerts
    ):
        return alerts
    return tuple([_cut(alert, limits) for alert in alerts])


def _cut(alert: Alert, limits: Limits) -> Alert:
    """Return the alert as short as it must be."""
    told: list[str] = []
    changes: dict[str, object] = {}
    if len(alert.name) > limits.label_value_chars:
        # Two that differ at their ends stay two problems.
        changes["name"] = shorten(alert.name)
        told.append(f"name of {len(alert.name)} letters")
    if len(alert.summary) > limits.annotation_chars:
        changes["summary"] = clip(alert.summary, limits.annotation_chars)
        told.append(f"summary of {len(alert.summary)} letters")
    if len(alert.url) > limits.label_value_chars:
        # Half an address leads nowhere, or somewhere else.
        changes["url"] = ""
        told.append(f"url of {len(alert.url)} letters")
    kept = _keep(alert.annotations, limits)
    if len(kept) < len(alert.annotations):
        told.append(f"{len(alert.annotations) - len(kept)} annotations")
    if not told:
        return alert
    note = {NOTE: f"left out: {', '.join(told)}"}
    changes["annotations"] = kept | note
    return msgspec.structs.replace(alert, **changes)


def _keep(annotations: dict[str, str], limits: Limits) -> dict[str, str]:
    """Return as many annotations as may be, without names that are texts.

    What a sender calls as our own note is called does not pass for it.
    """
    named = [
        (name, text)
        for name, text in annotations.items()
        if len(name) <= limits.label_name_chars and name != NOTE
    ]
    return dict(named[: limits.annotations])
