"""Take NUL out of texts: JSON may hold it, PostgreSQL's text may not.

The raw body keeps it; what people and queries see has a visible mark.
"""

import msgspec

from app.models.alert import Alert

MARK = "\N{SYMBOL FOR NULL}"


def clean_alert(alert: Alert) -> Alert:
    """Return the alert with every NUL shown as a symbol."""
    if not _has_nul(alert):
        return alert
    changes: dict[str, object] = {
        name: text.replace("\0", MARK)
        for name in ("fingerprint", "occurrence", "name", "summary", "url")
        if (text := getattr(alert, name)) is not None
    }
    changes["labels"] = _clean(alert.labels)
    changes["annotations"] = _clean(alert.annotations)
    return msgspec.structs.replace(alert, **changes)


def _has_nul(alert: Alert) -> bool:
    """Tell whether there is one: one look is quicker than many copies."""
    texts = (
        alert.fingerprint,
        alert.occurrence or "",
        alert.name,
        alert.summary,
        alert.url,
        *alert.labels,
        *alert.labels.values(),
        *alert.annotations,
        *alert.annotations.values(),
    )
    return "\0" in "".join(texts)


def _clean(texts: dict[str, str]) -> dict[str, str]:
    """Return names and values with every NUL shown as a symbol."""
    return {
        name.replace("\0", MARK): value.replace("\0", MARK)
        for name, value in texts.items()
    }
