"""The text of a condition: its strings, its parts, and the names in it.

Only as much of the language as it takes to say what a condition is made
of; what it means is left to the library that evaluates it.
"""

import re
from collections.abc import Iterable, Iterator

STRINGS = re.compile(
    r"""[rR]'[^'\n]*'|[rR]"[^"\n]*"|"""
    r"""'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*\""""
)
BOUND = re.compile(
    r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*(\w+)\s*,"
)
FIELD = re.compile(r"(?<![\w.'\"])([A-Za-z_]\w*)\s*\.\s*([A-Za-z_]\w*)")
AFTER_DOT = re.compile(r"\.\s*([A-Za-z_]\w*)")
HIDDEN = "~"


def mask(text: str) -> str:
    """Return a text of the same length, with nothing in its strings."""
    return STRINGS.sub(_hide, text)


def _hide(match: "re.Match[str]") -> str:
    """Return a string of the same length with nothing in it."""
    written = match[0]
    return written[0] + HIDDEN * (len(written) - 2) + written[-1]


def strings(text: str) -> Iterator[str]:
    """Yield what stands between quotation marks."""
    for match in STRINGS.finditer(text):
        yield match[0].lstrip("rR")[1:-1]


def spellings(words: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the ways in which some words are written, by their letters."""
    found: dict[str, set[str]] = {}
    for word in words:
        found.setdefault(word.casefold(), set()).add(word)
    return {key: frozenset(ways) for key, ways in found.items()}


def bound_names(text: str) -> list[str]:
    """Return the names that macros such as ``exists`` introduce."""
    return BOUND.findall(mask(text))


def fields(text: str) -> list[tuple[str, str]]:
    """Return each name with the one behind its dot."""
    return FIELD.findall(mask(text))


def words_after_dots(text: str) -> list[str]:
    """Return every name that stands behind a dot."""
    return AFTER_DOT.findall(mask(text))


def atoms(text: str) -> Iterator[str]:
    """Yield the smallest parts that are true or false by themselves."""
    shown = bare(text)
    for sign in ("||", "&&"):
        parts = split(shown, sign)
        if len(parts) > 1:
            for part in parts:
                yield from atoms(part)
            return
    yield shown


def spelled(text: str) -> str:
    """Return a part with one blank where there are many, outside strings."""
    inside = (match[0] for match in STRINGS.finditer(text))
    kept = " ".join(STRINGS.sub(HIDDEN, text).split())
    kept = re.sub(r"\s*(==|!=|<=|>=|<|>|\|\||&&|[().,\[\]])\s*", r"\1", kept)
    return re.sub(HIDDEN, lambda _: next(inside), kept)


def bare(text: str) -> str:
    """Return a text without the parentheses that are around all of it."""
    shown = text.strip()
    while shown.startswith("(") and _closes_at(shown) == len(shown) - 1:
        shown = shown[1:-1].strip()
    return shown


def _closes_at(text: str) -> int:
    """Return where the first parenthesis of a text is closed."""
    depth = 0
    for at, sign in enumerate(mask(text)):
        depth += (sign in "([{") - (sign in ")]}")
        if depth == 0:
            return at
    return -1


def split(text: str, sign: str) -> list[str]:
    """Return the parts between a sign that is in no parentheses.

    A text with a weaker sign is one part: so is ``a ? b : c`` always, and
    ``a || b`` when it is split at ``&&``.
    """
    flat, depth = [], 0
    for one in mask(text):
        depth -= one in ")]}"
        flat.append(one if depth == 0 else HIDDEN)
        depth += one in "([{"
    shown = "".join(flat)
    if "?" in shown or (sign == "&&" and "||" in shown):
        return [text]
    parts, start = [], 0
    for match in re.finditer(re.escape(sign), shown):
        parts.append(text[start : match.start()].strip())
        start = match.end()
    return [*parts, text[start:].strip()]
