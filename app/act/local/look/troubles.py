"""Troubles: which lines of a log are errors, said before all the rest."""

import re
from collections.abc import Sequence

from app.act.local.look.probe import Notes, whole_words
from app.core.look.amounts import span

MOST_ERRORS = 20
MOST_LAST = 30
MOST_CHARS = 499
# In so few lines nobody looks for the errors.
FEW = 5
# An error of an older file is no news.
NEWS_SECONDS = 86_400.0
ERROR = re.compile(
    r"\b(?:emerg\w*|crit(?:ical)?|fatal|panic\w*|err(?:or)?s?|traceback"
    r"|\w+error|\w*exception|fail(?:ed|s|ures?)?|refused|denied|segfault"
    r"|time(?:d[ -]?)?[ -]?out|unreachable|unavailable|killed|aborted"
    r"|core dumped|no space left|out of memory|oom|exhausted"
    r"|too many|cannot|can't|could not|unable to)\b|\[alert\]",
    re.IGNORECASE,
)
# What a program itself calls no trouble, and what says that there is none.
FINE = re.compile(
    r"\b(?:level|severity|lvl)\"?\s*[=:]\s*\"?(?:info|debug|notice|trace)\b"
    r"|[\[<](?:info|debug|notice|trace)[\]>]"
    r"|\b(?:0|no|without) (?:err(?:or)?s?|fail(?:ed|ures?))\b"
    r"|\b(?:err(?:or)?s?|fail(?:ed|ures?))\"?\s*[=:]\s*(?:0|none|null)\b"
    r"|(?-i:\b(?:INFO|DEBUG|NOTICE|TRACE)\b)",
    re.IGNORECASE,
)


def is_error(line: str) -> bool:
    """Tell whether a line of a log says that something went wrong."""
    return ERROR.search(line) is not None and FINE.search(line) is None


def note_log(
    notes: Notes,
    name: str,
    lines: Sequence[str],
    *,
    weight: float = 0.0,
    age: float = 0.0,
) -> None:
    """Note the errors of a log, then its end.

    Args:
        notes: where it is noted.
        name: whose log it is.
        lines: its last lines, the newest last.
        weight: how bad it is that there are errors; 0 for not at all.
        age: how many seconds ago it was written to.
    """
    title = f"log of {name}"
    # Its lines were cut: the last word may be the half of a secret.
    whole = [whole_words(line, MOST_CHARS) for line in lines]
    errors = [line for line in whole if is_error(line)]
    if age >= NEWS_SECONDS:
        notes.say(title, f"nothing was written for {span(age)}")
    many = f"errors in {len(errors)} of its last {len(whole)} lines"
    if errors and len(whole) > FEW:
        notes.say(title, f"{many}, the newest first:")
        notes.say(title, *reversed(errors[-MOST_ERRORS:]))
        notes.say(title, "the end of it, the newest last:")
    if errors and weight and age < NEWS_SECONDS:
        notes.odd(weight, f"log of {name}: {many}, the newest: {errors[-1]}")
    notes.say(title, *(whole[-MOST_LAST:] or ("it wrote nothing",)))
