"""Command lines as people write them, without their secrets.

What runs a program for somebody else (sudo, timeout, env) has its whole
command line, and a shell has it in one word: cron starts each of its jobs
so. Each word of a line is looked at, also within such a word.
"""

import re
from collections.abc import Mapping, Sequence

from app.core.redaction import SHOWN, hide_secrets

COMMAND_CHARS = 160
# An option whose value is the next word, and nobody else's.
_ASKS = re.compile(
    r"(?i)--?[\w-]*(?:passw(?:or)?d|passphrase|pass(?:in|out)?|pwd|secret"
    r"|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|auth)"
)
# Programs that have an option for it which others use for something else: the
# next word is the secret.
_NEXT: Mapping[str, tuple[str, ...]] = {
    "curl": ("-u", "-U", "--user", "--proxy-user"),
    "wget": ("-u", "--user"),
    **dict.fromkeys(
        (
            "ldapsearch", "ldapadd", "ldapmodify", "ldapdelete",
            "ldappasswd", "ldapwhoami",
        ),
        ("-w",),
    ),
    **dict.fromkeys(
        (
            "mongo", "mongosh", "mongodump", "mongorestore", "mongoexport",
            "mongoimport", "mongostat", "mongotop", "sshpass",
        ),
        ("-p",),
    ),
    **dict.fromkeys(
        ("snmpget", "snmpwalk", "snmpbulkwalk"), ("-c", "-A", "-X")
    ),
    **dict.fromkeys(("sqlcmd", "ipmitool", "zip"), ("-P",)),
    "lftp": ("-u",),
    "redis-cli": ("-a",),
    "smbclient": ("-U",),
}  # fmt: skip
# Programs that take a secret in one word with the option.
_GLUED: Mapping[str, str] = {
    **dict.fromkeys(
        ("7z", "7za", "mariabackup", "rar", "sshpass", "unrar", "xtrabackup"),
        "-p",
    ),
    "curl": "-u",
    "redis-cli": "-a",
}
# All of their clients; the server has no such option.
_FAMILIES = ("mysql", "mariadb")
# Options of one letter may share a dash: curl -su.
_SHARED = re.compile(r"-[A-Za-z]{0,8}[uU]")
_SPACE = re.compile(r"\s")
# A word of a line of a shell; what stands in marks is a part of it.
_WORD = re.compile(r"(?s)(?:'[^']*'|\"[^\"]*\"|\\.|[^\s'\"\\]|['\"\\])+")
# What a shell writes before a program.
_BEFORE = "({$`'\";&|!"


def show_command(words: Sequence[str]) -> str:
    """Return a command line without what looks like a secret."""
    if not words:
        return ""
    line = _Line()
    shown = [line.take(word) for word in words]
    return hide_secrets(" ".join(shown))[:COMMAND_CHARS]


class _Line:
    """One command line, read from its beginning."""

    def __init__(self) -> None:
        """Begin before the first word."""
        self._next: tuple[str, ...] = ()
        self._glued = ""
        self._is_curl = False
        self._is_asked = False

    def take(self, word: str) -> str:
        """Return the next word as it is shown."""
        if not self._is_asked and _SPACE.search(word):
            # A line of a shell has words of its own.
            shown = _Line()
            return _WORD.sub(lambda found: shown.take_bare(found[0]), word)
        return self.take_bare(word)

    def take_bare(self, word: str) -> str:
        """Return a word as it is shown, whatever is in it."""
        if self._is_asked:
            self._is_asked = False
            return SHOWN
        bare = word.strip("'\"")
        self._note_program(word)
        self._is_asked = self._asks(bare)
        return word if self._is_asked else self._unglue(word, bare)

    def _note_program(self, word: str) -> None:
        """Know which options tell a secret from here on."""
        name = word.lstrip(_BEFORE).rstrip("'\"").rpartition("/")[2]
        is_client = name.startswith(_FAMILIES)
        if not is_client and name not in _NEXT and name not in _GLUED:
            return
        self._next = _NEXT.get(name, ())
        self._glued = "-p" if is_client else _GLUED.get(name, "")
        self._is_curl = name == "curl"

    def _asks(self, word: str) -> bool:
        """Tell whether the next word is the value of a secret option."""
        if _ASKS.fullmatch(word) or word in self._next:
            return True
        return self._is_curl and _SHARED.fullmatch(word) is not None

    def _unglue(self, word: str, bare: str) -> str:
        """Return a word; a secret that is glued to its option is hidden."""
        option = self._glued
        if option and bare.startswith(option) and bare != option:
            return f"{option}{SHOWN}"
        name, sign, _ = bare.partition("=")
        if sign and _ASKS.fullmatch(name):
            return f"{name}={SHOWN}"
        return word
