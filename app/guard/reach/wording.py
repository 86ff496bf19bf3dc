"""Say which words of a rule there are not, and what never decides in it."""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from app.guard.known import Known
from app.guard.reach.facts import (
    ACTION,
    SOURCE,
    TODAY,
    Settled,
    Words,
    find_fact,
)
from app.guard.reach.formula import AMONG, Formula, Part, Truth, walk
from app.guard.reach.searching import values_of

Wrong = tuple[str, str]
FORMS: Mapping[str, str] = {
    ACTION: "there is no action {!r} in the catalogue",
    SOURCE: "there is no source {!r} in the settings",
}
OUT = "Correct it, or take it out."
# What certain names look like, and how to write one.
SPELLED: Mapping[str, tuple[re.Pattern[str], str]] = {
    "target.name": (
        re.compile(r"|host:[^:A-Z][^A-Z]*|(?!host:)[a-z][a-z0-9_]*:.*", re.S),
        "Write it as 'host:web-1', in small letters.",
    ),
    "decision.proposer": (
        re.compile(r"undo|(brain|person|code):.+", re.S),
        "Write it as 'brain:cascade', 'person:ana' or 'undo'.",
    ),
}


def find_bad_parts(formula: Formula, known: Known) -> Iterator[Wrong]:
    """Yield what is wrong in parts of a condition, each with a remedy."""
    for part in walk(formula):
        words = list(_missing_words(part, known))
        yield from words or _idle(part)


def _missing_words(part: Part, known: Known) -> Iterator[Wrong]:
    """Yield the words of a part that there are not."""
    for word in part.constants:
        if not isinstance(word, str):
            continue
        if part.field == TODAY:
            remedy = "Write it as '2026-11-21'."
            yield f"`{part.text}`: {word!r} is no day", remedy
        for what, remedy in find_missing(part.field, word, known):
            yield f"`{part.text}`: {what}", remedy
        if part.how == AMONG and part.field in SPELLED:
            pattern, remedy = SPELLED[part.field]
            if not pattern.fullmatch(word):
                what = f"{part.field} is never {word!r}"
                yield f"`{part.text}`: {what}", remedy


def find_missing(field: str, word: str, known: Known) -> Iterator[Wrong]:
    """Yield that a name is never a word, if that is certain."""
    words = _words_of(field, known)
    if not words or word in words:
        return
    form = FORMS.get(field, f"{field} is never {{!r}}")
    yield form.format(word), _suggest(word, words)


def _words_of(field: str, known: Known) -> Collection[str]:
    """Return all that a name may be; nothing: anything."""
    if field == ACTION:
        return known.risks.keys()
    if field == SOURCE:
        return known.sources
    fact = find_fact(field)
    return fact.known if isinstance(fact, Words) else ()


def _suggest(word: str, words: Collection[str]) -> str:
    """Return the remedy for a word that there is not."""
    small = word.lower()
    # As 'wednesday' begins with 'wed'.
    close = [one for one in words if small.startswith(one)]
    close += get_close_matches(small, words, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known: {', '.join(sorted(words))}."


def _idle(part: Part) -> Iterator[Wrong]:
    """Yield that a part says the same of everything, if it does."""
    values = values_of(part, part.constants)
    truths = {part.say_of(one) for one in values}
    fact = find_fact(part.field)
    if fact is None or len(truths) > 1:
        return
    why = fact.says
    if not isinstance(fact, Settled):
        why = f"{part.field} {why}"
    often = "always" if Truth.YES in truths else "never"
    yield f"`{part.text}` is {often} true: {why}", OUT
