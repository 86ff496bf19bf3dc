"""Redaction: what a model must not see, and what nobody should store.

Secrets and what names a person leave a text before it goes into a prompt,
whoever runs the model; secrets leave the output of a job before it is kept.
What is left says that something was there.
"""

import re
from collections.abc import Callable

EMAIL = "(EMAIL)"
# Stands where a secret was.
SHOWN = "(SECRET)"
HEX = "(HEX)"
NUMBER = "(NUMBER)"
_WORDS = (
    r"passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|client[_-]?secret|credentials?"
)
# "The token is expired" tells no token.
_STATES = (
    r"a|about|almost|already|an|being|close|correct|due|empty|expired|expiring"
    r"|going|in|incorrect|invalid|missing|near|no|not|null|old|on|out|required"
    r"|revoked|rotated|set|soon|stale|still|the|to|too|unknown|unset|used"
    r"|valid|weak|wrong"
)
# Within JSON that is itself a text in JSON a quote has backslashes before it.
_QUOTE = r"\\{0,7}['\"]"
_NAMED = (
    # What stands before the word is part of a name, and is not looked at.
    rf"(?i)({_WORDS})"
    rf"((?:{_QUOTE})?\s{{0,3}}"
    rf"(?:=|:|\bis\b(?!\s{{1,3}}(?:{_STATES})\b))\s{{0,3}})"
    rf"(?!(?P<empty>{_QUOTE})(?P=empty))"
    r"(?:\"(?:[^\"\\\n]|\\[^\n]){1,4000}\"|\"[^\"]{1,256}\""
    r"|'(?:[^'\\\n]|\\[^\n]){1,4000}'|'[^']{1,256}'"
    r"|(?P<within>\\{1,7}['\"])[^\n]{1,4000}?(?<!\\)(?P=within)"
    # What is quoted and has no end was cut.
    rf"|(?:{_QUOTE})?[^\s,;'\"&]{{1,4000}})"
)
# The words of the rule above, as short as they can be told.
_NAMES = ("passw", "passphrase", "pwd", "secret", "token", "key", "credential")
# What a text must have in it, in small letters and any of it, before a rule is
# worth its time; what is looked for; and what stands there then. Each of them
# is written so that no text makes it slow.
_Rule = tuple[tuple[str, ...], str, str]
_SECRETS: tuple[_Rule, ...] = (
    (
        ("-----begin",),
        r"-----BEGIN [A-Z ]{1,40}-----.*?(?:-----END [A-Z ]{1,40}-----|$)",
        SHOWN,
    ),
    (
        ("eyj",),
        # Each word is walked through once, and only when a dot ends it. What
        # looks ahead never takes back; `*+` is wrong in Python before 3.11.5.
        (
            r"(?<![\w-])(?=[\w-]+\.[\w-]{4})"
            r"(?=((?:(?!\beyJ)[\w-])*))\1"
            r"eyJ(?=([\w-]{8,}))\2\.[\w-]{4,4000}(?:\.[\w-]{0,4000})?"
        ),
        rf"\1{SHOWN}",
    ),
    (
        ("akia", "asia", "aroa", "aida"),
        r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b",
        SHOWN,
    ),
    (
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        r"\bgh[pousr]_\w{16,255}",
        SHOWN,
    ),
    (("github_pat_",), r"\bgithub_pat_\w{16,255}", SHOWN),
    (("glpat-",), r"\bglpat-[\w-]{16,255}", SHOWN),
    (("xox",), r"\bxox[abeoprs]-[\w-]{8,255}", SHOWN),
    (
        ("sk-", "sk_", "pk-", "pk_", "rk-", "rk_"),
        # The first letter first: so it is looked for by its letters.
        r"[spr]k[-_](?<=\b..[-_])[\w-]{16,255}",
        SHOWN,
    ),
    (("aiza",), r"\bAIza[\w-]{30,64}", SHOWN),
    (
        ("bearer", "basic"),
        r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,4000}",
        rf"\1 {SHOWN}",
    ),
    (("@",), r"(?i)(://)[^\s/@:]{0,256}:[^\s/@]{1,256}@", rf"\1{SHOWN}@"),
    (_NAMES, _NAMED, rf"\1\2{SHOWN}"),
)
_PERSONAL: tuple[_Rule, ...] = (
    (("@",), r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}", EMAIL),
    (
        ("",),
        r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b",
        NUMBER,
    ),
    (("",), r"\b(?:0x)?[0-9a-fA-F]{32,4000}\b", HEX),
)
# What a header of a request carries; prompts show no headers.
_HEADER: _Rule = (
    ("authorization", "cookie", "x-"),
    (
        r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]{0,32}key)"
        r"(['\"]?[ \t]{0,3}:[ \t]{0,3})[^\r\n]{1,4000}"
    ),
    rf"\1\2{SHOWN}",
)


class _Remover:
    """One rule, which is tried only where it can find something."""

    def __init__(self, rule: _Rule) -> None:
        """Take a rule."""
        self._hints, text, self._instead = rule
        self._pattern = re.compile(text, re.DOTALL)

    def remove(self, text: str, folded: str) -> str:
        """Return a text without what the rule finds.

        Args:
            text: the text.
            folded: the same, as it was at first, in small letters.
        """
        # A generator in any() would take several times as long.
        for hint in self._hints:
            if hint in folded:
                return self._pattern.sub(self._instead, text)
        return text


_REMOVERS = [_Remover(rule) for rule in _SECRETS + _PERSONAL]
_OUTPUT_REMOVERS = [_Remover(rule) for rule in (_HEADER, *_SECRETS)]
_CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")
_LONG = re.compile(r"[A-Za-z0-9+/_=-]{40,4000}")


def redact(text: str) -> str:
    """Return a text without secrets, addresses and card numbers."""
    folded = text.casefold()
    for remover in _REMOVERS:
        text = remover.remove(text, folded)
    text = _CARD.sub(_only_if(_is_card, NUMBER), text)
    return _LONG.sub(_only_if(_is_random, SHOWN), text)


def hide_secrets(text: str) -> str:
    """Return a text without secrets; names and numbers of things stay."""
    return _LONG.sub(_only_if(_is_random, SHOWN), hide_known(text))


def hide_known(text: str) -> str:
    """Return a text without what is a secret by its form or its name.

    Quick enough for every alert. Long words that look drawn by lot stay: in
    an alert they are paths, and ids of clouds.
    """
    folded = text.casefold()
    for remover in _OUTPUT_REMOVERS:
        text = remover.remove(text, folded)
    return text


def _only_if(
    is_meant: Callable[[str], bool], instead: str
) -> Callable[[re.Match[str]], str]:
    """Return what replaces a match only when more than its form fits."""
    return lambda match: instead if is_meant(match[0]) else match[0]


def _is_card(text: str) -> bool:
    """Tell whether the digits have the checksum of a card."""
    digits = [int(c) for c in reversed(text) if c.isdigit()]
    doubled = (d * 2 - 9 if d > 4 else d * 2 for d in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_random(text: str) -> bool:
    """Tell whether a long word looks drawn by lot, as keys do."""
    kinds = (str.isdigit, str.isupper, str.islower)
    return all(sum(map(kind, text)) >= 4 for kind in kinds)
