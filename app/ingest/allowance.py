"""What a source may speak for: a source of one cluster names no other."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import translate

import msgspec

from app.core.errors import Refused
from app.models.delivery import Flaw, Parsed


class Allowance:
    """The labels that every alert of a source must carry."""

    def __init__(self, allowed: Mapping[str, Sequence[str]]) -> None:
        """Take patterns of values by label; none allows everything."""
        self._patterns = {
            label: re.compile("|".join(translate(p) for p in patterns))
            for label, patterns in allowed.items()
        }
        # A star is any value; that there is none must be said.
        self._optional = {
            label for label, patterns in allowed.items() if "" in patterns
        }

    def keep(self, parsed: Parsed) -> Parsed:
        """Return what the source may say; the rest is named as rejected.

        Raises:
            Refused: it may say nothing of it.
        """
        if not self._patterns or not parsed.alerts:
            return parsed
        kept = []
        flaws = []
        for index, alert in enumerate(parsed.alerts):
            label = self._missing(alert.labels)
            if label is None:
                kept.append(alert)
            else:
                detail = "this source may not speak for its value"
                field = f"alert {index}: labels.{label}"
                flaws.append(Flaw("not_allowed", field, detail))
        if flaws and not kept and not parsed.unparsed:
            raise Refused(
                403,
                "not_allowed",
                "This source may not speak for any of these alerts.",
                field=flaws[0].field,
                remedy="Widen 'allow' of the source in the settings, "
                "or send this from the source that it belongs to.",
            )
        return msgspec.structs.replace(
            parsed, alerts=tuple(kept), rejected=tuple(flaws)
        )

    def allows(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the source may speak for an alert's labels."""
        return self._missing(labels) is None

    def _missing(self, labels: Mapping[str, str]) -> str | None:
        """Return the label that an alert lacks or may not have, or None."""
        for label, pattern in self._patterns.items():
            value = labels.get(label, "")
            is_there = bool(value) or label in self._optional
            if not (is_there and pattern.match(value)):
                return label
        return None
