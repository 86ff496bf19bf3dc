"""Amounts as people write them, and command lines without their secrets."""

import re
from collections.abc import Sequence
from pathlib import PurePath

from app.core.redaction import SHOWN, hide_secrets

COMMAND_CHARS = 160
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
# An option whose value is the next word, and nobody else's.
_ASKS = re.compile(
    r"(?i)--?[\w-]*(?:passw(?:or)?d|passphrase|pass|pwd|secret|token"
    r"|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|auth)"
)
# The same for programs that have a short option for it.
_SHORT = {
    "sshpass": "-p",
    "redis-cli": "-a",
    "curl": "-u",
    "wget": "-u",
    "ldapsearch": "-w",
    "smbclient": "-U",
}
# Programs that take a secret in one word with the option.
_GLUED = {
    "mysql": "-p",
    "mysqldump": "-p",
    "mysqladmin": "-p",
    "mariadb": "-p",
    "mariadb-dump": "-p",
    "sshpass": "-p",
    "curl": "-u",
    "redis-cli": "-a",
}


def size(count: float) -> str:
    """Return a number of bytes, such as 3.1 GB."""
    sign = "-" if count < 0 else ""
    count = abs(count)
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            break
        count /= 1000
    digits = 0 if unit == "B" or count >= 100 else 1
    return f"{sign}{count:.{digits}f} {unit}"


def span(seconds: float) -> str:
    """Return how long something takes, such as 58 min."""
    seconds = abs(seconds)
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7_200:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3_600:.0f} h"
    return f"{seconds / 86_400:.0f} days"


def percent(value: float) -> str:
    """Return a share, such as 12 %; small ones keep a digit."""
    return f"{value:.1f} %" if 0 < abs(value) < 9.95 else f"{value:.0f} %"


def show_command(words: Sequence[str]) -> str:
    """Return a command line without what looks like a secret."""
    if not words:
        return ""
    program = PurePath(words[0]).name
    shown = [words[0]]
    is_asked = False
    for word in words[1:]:
        shown.append(SHOWN if is_asked else _unglue(program, word))
        is_asked = not is_asked and _asks(program, word)
    return hide_secrets(" ".join(shown))[:COMMAND_CHARS]


def _asks(program: str, word: str) -> bool:
    """Tell whether the next word is the value of a secret option."""
    if _ASKS.fullmatch(word):
        return True
    is_user = program in ("curl", "wget") and word == "--user"
    return is_user or word == _SHORT.get(program)


def _unglue(program: str, word: str) -> str:
    """Return a word; a secret that is glued to its option is hidden."""
    option = _GLUED.get(program)
    if option and word.startswith(option) and word != option:
        return f"{option}{SHOWN}"
    name, sign, _ = word.partition("=")
    if sign and _ASKS.fullmatch(name):
        return f"{name}={SHOWN}"
    return word
