"""Make the case of an alert: the same for every brain, in one place.

Free texts are data: they are cleaned of what no eye sees, cut to a size and
kept apart from the labels, which alone can fill an argument.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from app.models.alert import Alert
from app.models.case import TEXT_CHARS, Case
from app.models.scraped import own_labels
from app.models.target import TARGET_RULES, Target, TargetRule, find_target

MOST_TEXTS = 8
MOST_LABELS = 64
LABEL_CHARS = 512
# What stands for a label that is not kept. It has the shape of nothing, so
# that no other label steps in for one that was made too long on purpose.
NOT_KEPT = "\N{HORIZONTAL ELLIPSIS}"
# What a source measured; the rest of the annotations is text.
VALUES = frozenset(
    {"value", "values", "opdata", "valuestring", "current_value"}
)
SUMMARIES = frozenset({"summary", "title", "message", "description"})


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One alert as a source told it, wherever it comes from."""

    source: str
    name: str
    status: str
    severity: str
    summary: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = {}
    starts_at: int | None = None


def told_by(source: str, alert: Alert) -> Told:
    """Return an alert as its source told it."""
    return Told(
        source=source,
        name=alert.name,
        status=alert.status.value,
        severity=alert.severity.value,
        summary=alert.summary,
        labels=alert.labels,
        annotations=alert.annotations,
        starts_at=alert.starts_at,
    )


def make_case(
    told: Told,
    now: int,
    rules: Sequence[TargetRule] = TARGET_RULES,
) -> Case:
    """Return the case of one alert, before history is added to it."""
    labels, notes = _labels(told.labels)
    texts = {
        name: text
        for name, text in told.annotations.items()
        if name.lower() not in VALUES and text.strip()
    }
    kept = sorted(texts, key=lambda name: name.lower() not in SUMMARIES)
    if len(kept) > MOST_TEXTS:
        notes.append(f"{len(kept) - MOST_TEXTS} texts left out")
    shown = {name: tidy(texts[name]) for name in kept[:MOST_TEXTS]}
    notes += [
        f"text {name} shortened"
        for name in kept[:MOST_TEXTS]
        if len(texts[name]) > TEXT_CHARS
    ]
    own = own_labels(told.labels, told.name)
    target = find_target(own, rules) or Target("alert", told.name)
    since = told.starts_at if told.starts_at is not None else now
    return Case(
        source=told.source,
        name=tidy(told.name),
        status=told.status,
        severity=told.severity,
        target_kind=target.kind,
        target=tidy(target.name),
        problem=tidy(told.name),
        labels=labels,
        summary=tidy(told.summary),
        texts=shown,
        values={
            name: tidy(text)[:LABEL_CHARS]
            for name, text in told.annotations.items()
            if name.lower() in VALUES and text.strip()
        },
        begins_at=told.starts_at,
        age_seconds=max(0, (now - since) // 1_000_000),
        notes=tuple(notes),
    )


def keep_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that a case has: not too many, none too long."""
    return _labels(labels)[0]


def _labels(
    labels: Mapping[str, str],
) -> tuple[dict[str, str], list[str]]:
    """Return the labels, those not kept with a mark, and what was not."""
    kept: dict[str, str] = {}
    notes = []
    places = MOST_LABELS
    for name, text in labels.items():
        if places and len(text) <= LABEL_CHARS:
            kept[name] = text
            places -= 1
            continue
        kept[name] = NOT_KEPT
        notes.append(f"label {tidy(name)[:64]} left out: too long or many")
    return kept, notes


def tidy(text: str, most: int = TEXT_CHARS) -> str:
    """Return a text without what no eye sees, on one line, cut to a size.

    Control, format and private characters, surrogates and the tag block of
    Unicode go: they hide orders from a reader and show them to a model.
    """
    kept = (" " if _is_blank(c) else c for c in text if not _is_hidden(c))
    line = " ".join("".join(kept).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _is_blank(character: str) -> bool:
    """Tell whether a character only parts words."""
    return character.isspace()


def _is_hidden(character: str) -> bool:
    """Tell whether a character is one that no eye sees."""
    if character.isspace():
        return False
    return unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Cn")


def all_texts(case: Case) -> Iterable[str]:
    """Yield every free text of a case."""
    yield case.summary
    yield from case.texts.values()
