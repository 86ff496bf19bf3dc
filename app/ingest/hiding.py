"""Take secrets out of what an alert says, before anything is kept of it.

Somebody logs a password, and the log line becomes an alert: pages, exports,
letters and backups would all show it. Only the delivery keeps it, byte for
byte, since signatures and replays need that (docs/security.md).
"""

from collections.abc import Iterable

import msgspec

from app.core.redaction import SHOWN, hide_known
from app.models.alert import Alert

# Labels and descriptions come again with each repeat and from each host: a
# text in which nothing was found needs no second look. Long ones are told
# once, so that it stays small: some megabytes.
LONGEST = 256
MOST = 8_192
HARMLESS: set[str] = set()


def hide_alerts(alerts: tuple[Alert, ...]) -> tuple[Alert, ...]:
    """Return alerts without secrets; what they are known by stays as it is.

    A label is called ``secret`` when it names one; an annotation that is
    called so holds one.
    """
    if _are_harmless(alerts):
        return alerts
    return tuple(map(_hide, alerts))


def _are_harmless(alerts: Iterable[Alert]) -> bool:
    """Tell whether no text of some alerts holds a secret."""
    texts: set[str] = set()
    for alert in alerts:
        texts.update(
            (alert.name, alert.summary, alert.url),
            alert.labels.values(),
            map("=".join, alert.annotations.items()),
        )
    texts -= HARMLESS
    # One look at all of them is many times quicker than one at each.
    whole = "\n".join(texts)
    is_harmless = not whole or hide_known(whole) == whole
    if is_harmless:
        _remember(texts)
    return is_harmless


def _hide(alert: Alert) -> Alert:
    """Return an alert without secrets."""
    if _are_harmless((alert,)):
        return alert
    return msgspec.structs.replace(
        alert,
        name=hide_known(alert.name),
        summary=hide_known(alert.summary),
        url=hide_known(alert.url),
        labels={name: hide_known(text) for name, text in alert.labels.items()},
        annotations={
            name: SHOWN if text and _names_secret(name) else hide_known(text)
            for name, text in alert.annotations.items()
        },
    )


def _remember(texts: set[str]) -> None:
    """Spare texts without a secret the next look."""
    short = [text for text in texts if len(text) <= LONGEST]
    if len(HARMLESS) + len(short) > MOST:
        HARMLESS.clear()
    HARMLESS.update(short[:MOST])


def _names_secret(name: str) -> bool:
    """Tell whether what is called so is a secret."""
    told = f"{name}=x"
    return hide_known(told) != told
