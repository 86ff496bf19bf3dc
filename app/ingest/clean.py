"""Take NUL out of texts: JSON may hold it, PostgreSQL's text may not.

The raw body keeps it; what people and queries see has a visible mark.
"""

import msgspec

from app.models.alert import Alert

MARK = "\N{SYMBOL FOR NULL}"


def clean_alert(alert: Alert) -> Alert:
    """Return the alert with every NUL shown as a symbol."""
    changes: dict[str, object] = {
        name: text.replace("\0", MARK)
        for name in ("fingerprint", "occurrence", "name", "summary", "url")
        if (text := getattr(alert, name)) is not None
    }
    changes["labels"] = _clean(alert.labels)
    changes["annotations"] = _clean(alert.annotations)
    return msgspec.structs.replace(alert, **changes)


def _clean(texts: dict[str, str]) -> dict[str, str]:
    """Return names and values with every NUL shown as a symbol."""
    return {
        name.replace("\0", MARK): value.replace("\0", MARK)
        for name, value in texts.items()
    }
