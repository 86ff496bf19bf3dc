"""Write letters: the text of a message as one channel sends it.

By this site's template where there is one, else by the built-in text. A
template that fails does not keep anybody from being told.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from app.core.redaction import hide_secrets
from app.models.alert import Severity
from app.models.message import URGENT, Dispatch, Facts, Kind, Letter, Message
from app.report.settings import ReportSettings
from app.report.templates import TemplateFailed, Templates
from app.report.wording import one_line, text_of, title_of

MOST_SAMPLED = 10
MOST_CHARS = 12_000
INCIDENTS = "/console/incidents"
MESSAGES = "/api/v1/messages"
CUT = "\n(the rest was left out)"
SEVERITIES = [one.value for one in Severity]
read_facts = msgspec.json.Decoder(Facts).decode
Sending = tuple[Dispatch, Message]


class Composer:
    """Writes the letters of this site."""

    def __init__(self, settings: ReportSettings, templates: Templates) -> None:
        """Take where links begin, and the texts of this site."""
        self._base_url = settings.base_url
        self._templates = templates

    def letter(self, dispatch: Dispatch, message: Message) -> Letter:
        """Return a message as its channel sends it."""
        facts = read_facts(message.facts)
        key = f"sj-{message.at:x}-{message.id}-{dispatch.id}"
        level = dispatch.level
        more = f"level {level}: nobody has acknowledged it" * (level > 1)
        return self._write(dispatch.channel, key, facts, more)

    def digest(self, channel: str, sendings: Sequence[Sending]) -> Letter:
        """Return many messages as one letter; one alone as it is.

        Raises:
            ValueError: there is none.
        """
        if not sendings:
            raise ValueError("a digest needs a message")
        if len(sendings) == 1:
            return self.letter(*sendings[0])
        ids = ",".join(str(one.id) for one, _ in sorted(sendings, key=_by_id))
        seal = hashlib.sha256(ids.encode()).hexdigest()[:24]
        at = max(message.at for _, message in sendings)
        facts = _sum_up([read_facts(message.facts) for _, message in sendings])
        links = (
            ("console", f"{self._base_url}{INCIDENTS}"),
            ("messages", f"{self._base_url}{MESSAGES}"),
        )
        facts = msgspec.structs.replace(facts, at=at, links=links)
        return self._write(channel, f"sj-{at:x}-digest-{seal}", facts)

    def _write(
        self, channel: str, key: str, facts: Facts, note: str = ""
    ) -> Letter:
        """Return a letter about facts, by template or built in."""
        facts = _without_secrets(facts)
        title, text = title_of(facts), text_of(facts, self._base_url)
        template = self._templates.find(channel, facts.kind)
        if template is not None:
            try:
                title, text = template.render(facts, title, text)
            except TemplateFailed as error:
                name = template.path.name
                text += f"\n\n(the template {name} failed, line {error})"
        text = f"{note}\n\n{text}" if note else text
        return Letter(
            key=key,
            kind=facts.kind,
            severity=facts.severity,
            title=hide_secrets(title),
            text=_cut(hide_secrets(text)),
            facts=facts,
        )


def _by_id(sending: Sending) -> int:
    """Return what dispatches are sorted by."""
    return sending[0].id


def _without_secrets(facts: Facts) -> Facts:
    """Return facts that a channel may send as they are."""
    found = msgspec.structs.asdict(facts)
    return Facts(**{name: _hide(value) for name, value in found.items()})


def _hide(value: Any) -> Any:
    """Return a value without secrets, also in the texts within."""
    if isinstance(value, str):
        return hide_secrets(value)
    return tuple(map(_hide, value)) if isinstance(value, tuple) else value


def _cut(text: str) -> str:
    """Return a text that is not too long, and says so when it was."""
    return text if len(text) <= MOST_CHARS else text[:MOST_CHARS] + CUT


def _sum_up(many: Sequence[Facts]) -> Facts:
    """Return what is said of many: how many of what, and the first titles.

    What a person must do something about comes first, the worst of it
    before the rest; among equals the oldest.
    """
    ordered = sorted(
        many,
        key=lambda one: (one.kind not in URGENT, _rank(one.severity), one.at),
    )
    kinds = Counter(one.kind for one in many)
    severities = Counter(one.severity or "unknown" for one in many)
    by_kind = ", ".join(f"{n} {kind}" for kind, n in kinds.most_common())
    by_severity = ", ".join(
        f"{severities[name]} {name}" for name in sorted(severities, key=_rank)
    )
    return Facts(
        kind=Kind.DIGEST.value,
        at=ordered[0].at,
        title=f"{len(many)} messages: {by_kind}",
        severity=min((one.severity for one in many), key=_rank),
        happened=f"{len(many)} messages came together: {by_kind};"
        f" {by_severity}",
        questions=tuple(sorted({one.approval for one in many} - {0})),
        sampled=tuple(_said(one) for one in ordered[:MOST_SAMPLED]),
        more=max(len(many) - MOST_SAMPLED, 0),
    )


def _said(facts: Facts) -> str:
    """Return one message in one line of a digest."""
    # Before it is cut: half a secret is not known for one.
    facts = _without_secrets(facts)
    ask = f"; question {facts.approval}" if facts.approval else ""
    return one_line(title_of(facts) + ask)


def _rank(severity: str) -> int:
    """Return how far from the worst a severity is."""
    known = severity in SEVERITIES
    return SEVERITIES.index(severity) if known else len(SEVERITIES)
