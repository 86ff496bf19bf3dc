"""Show a case to a language model: minimised, typed, and as data only.

Each value stands on a line of its own and in quotes. Whatever could close
the case, open a message of another speaker, or look like a call is written
with other characters; secrets are gone before.
"""

import re
from collections.abc import Iterator, Mapping

import msgspec

from app.core.redaction import redact
from app.decide.casing import tidy
from app.models.case import Case, Happening
from app.models.menu import Menu

TEXT_CHARS = 600
LABEL_CHARS = 100
MOST_LABELS = 24
MOST_HISTORY = 5
MOST_CANDIDATES = 20
CHARS_PER_TOKEN = 3.5
# What tells a person where to click tells a model nothing.
_NOISE = re.compile(r"(?i)(url|uid|fingerprint|link|dashboard|checksum)$")
_LABEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,63}")
_PLAIN = re.compile(r"[\w .,@:;/%+=#()\[\]*~$!?&|\\^-]*")
_OTHERS = str.maketrans(
    {
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        "{": "(",
        "}": ")",
        '"': "'",
        "`": "'",
        "\N{FULLWIDTH LESS-THAN SIGN}": "(",
        "\N{FULLWIDTH GREATER-THAN SIGN}": ")",
        "\N{FULLWIDTH VERTICAL LINE}": "!",
    }
)
_MARKS = re.compile(r"\[(/?[A-Z_]{3,24})\]")
_FENCE = re.compile(r"([=#~-])\1{2,}")
_CALL = re.compile(r"\b([a-z][a-z0-9_]{1,47})\(")


class Line(msgspec.Struct, frozen=True):
    """One line of a case.

    Attributes:
        name: what it is.
        text: what it says, ready to be shown.
        is_free: whether it is free text and may be cut.
    """

    name: str
    text: str
    is_free: bool = False

    @property
    def shown(self) -> str:
        """Return the whole line."""
        return f"{self.name}: {self.text}"


def tokens_of(text: str) -> int:
    """Return about how many tokens a text has, rather too many.

    Letters outside of ASCII are a token each: models cut them small.
    """
    odd = sum(1 for c in text if not c.isascii())
    return int((len(text) - odd) / CHARS_PER_TOKEN) + odd + 1


def show_text(text: str, most: int = TEXT_CHARS) -> str:
    """Return a stranger's text in quotes, as data that can close nothing."""
    return f'"{tame(redact(tidy(text)), most)}"'


def tame(text: str, most: int) -> str:
    """Return a text that no reader of calls or messages takes for one."""
    plain = _MARKS.sub(r"(\1)", text.translate(_OTHERS))
    plain = _CALL.sub(r"\1 (", _FENCE.sub(r"\1\1", plain))
    return tidy(plain, most)


def lines_of(case: Case, menu: Menu) -> tuple[list[Line], list[Line]]:
    """Return what must be shown of a case, and what may be, best first."""
    return [*_facts(case), *_candidates(menu)], [
        *_texts(case),
        *_labels(case.labels),
        *_values(case.values),
        *_background(case),
    ]


def _facts(case: Case) -> Iterator[Line]:
    """Yield what every case has."""
    yield Line("source", show_text(case.source, 64))
    yield Line("alert", show_text(case.name, 200))
    yield Line("status", show_text(case.status, 16))
    yield Line("severity", show_text(case.severity, 16))
    if case.target:
        kind = tame(case.target_kind, 32) or "target"
        yield Line(f"target ({kind})", show_text(case.target, 200))
    yield Line("since", _age(case.age_seconds))
    if case.repeats:
        yield Line("told", f"{case.repeats} times")
    if case.episodes > 1 or case.is_flapping:
        flapping = ", it is flapping" if case.is_flapping else ""
        yield Line("came and went", f"{case.episodes} times{flapping}")
    if case.siblings:
        yield Line("same problem elsewhere", f"{case.siblings} incidents")
    if case.maintenance:
        yield Line("muted by", show_text(case.maintenance, 200))


def _candidates(menu: Menu) -> Iterator[Line]:
    """Yield which values each argument may have, equal ones once."""
    found: dict[str, dict[str, list[str]]] = {}
    for offer in menu.offers:
        for name, some in offer.candidates.items():
            if offer.parameter(name).is_listed:
                continue  # the menu itself says so
            shown = " | ".join(str(c.value) for c in some[:MOST_CANDIDATES])
            found.setdefault(name, {}).setdefault(shown, []).append(offer.name)
    for name, by_values in found.items():
        for shown, functions in by_values.items():
            of = "" if len(by_values) == 1 else f" for {', '.join(functions)}"
            yield Line(f"candidates of {name}{of}", tidy(shown, 600))


def _texts(case: Case) -> Iterator[Line]:
    """Yield the free texts."""
    if case.summary:
        yield Line("summary", show_text(case.summary), is_free=True)
    for name, text in case.texts.items():
        if text and text != case.summary and not _NOISE.search(name):
            label = _name(name)
            yield Line(f"text {label}", show_text(text), is_free=True)


def _labels(labels: Mapping[str, str]) -> Iterator[Line]:
    """Yield the labels; a value of an odd form is only said to be there."""
    shown = [name for name in labels if not _NOISE.search(name)]
    for number, name in enumerate(shown[:MOST_LABELS], 1):
        text = redact(tidy(labels[name]))
        if not _PLAIN.fullmatch(text):
            text = f"(VALUE_{number})"
        yield Line(f"label {_name(name)}", f'"{tame(text, LABEL_CHARS)}"')


def _values(values: Mapping[str, str]) -> Iterator[Line]:
    """Yield what was measured."""
    for name, text in values.items():
        yield Line(f"measured {_name(name)}", show_text(text, LABEL_CHARS))


def _background(case: Case) -> Iterator[Line]:
    """Yield what was before, and beside it."""
    for one in case.history[:MOST_HISTORY]:
        yield Line("earlier on this target", _happening(one))
    for action, verdicts in case.similar.items():
        told = ", ".join(f"{v} {n}" for v, n in verdicts.items())
        yield Line("same problem anywhere", tame(f"{action}: {told}", 120))
    if case.together:
        names = ", ".join(case.together[:10])
        yield Line("other alerts of it", show_text(names, 300))
    if case.runbook:
        yield Line("runbook", show_text(case.runbook, 1_200), is_free=True)
    for note in case.notes[:5]:
        yield Line("note", show_text(note, 120))


def _happening(one: Happening) -> str:
    """Return what was decided before, and what came of it."""
    inside = ", ".join(f"{n}={v}" for n, v in one.arguments.items())
    verdict = one.verdict or "nobody knows yet"
    return tame(f"{one.action} with {inside or 'nothing'}: {verdict}", 300)


def _name(name: str) -> str:
    """Return the name of a label, or what stands for an odd one."""
    return name if _LABEL_NAME.fullmatch(name) else "(odd name)"


def _age(seconds: int) -> str:
    """Return how long it goes on, roughly."""
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
