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
_NAMED = (
    rf"(?i)\b([\w-]{{0,32}}(?:{_WORDS}))"
    r"(['\"]?\s{0,3}(?:=|:|\bis\b)\s{0,3})"
    r"(?:\"[^\"]{1,256}\"|'[^']{1,256}'|[^\s,;'\"&]{1,256})"
)
# Each of these is written so that no text makes it slow.
_SECRETS: tuple[tuple[str, str], ...] = (
    (
        r"-----BEGIN [A-Z ]{1,40}-----.*?(?:-----END [A-Z ]{1,40}-----|$)",
        SHOWN,
    ),
    (r"\beyJ[\w-]{8,4000}\.[\w-]{4,4000}(?:\.[\w-]{0,4000})?", SHOWN),
    (r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b", SHOWN),
    (r"\bgh[pousr]_\w{16,255}", SHOWN),
    (r"\bgithub_pat_\w{16,255}", SHOWN),
    (r"\bglpat-[\w-]{16,255}", SHOWN),
    (r"\bxox[abeoprs]-[\w-]{8,255}", SHOWN),
    (r"\b(?:sk|pk|rk)[-_][\w-]{16,255}", SHOWN),
    (r"\bAIza[\w-]{30,64}", SHOWN),
    (r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,4000}", rf"\1 {SHOWN}"),
    (r"(?i)(://)[^\s/@:]{0,256}:[^\s/@]{1,256}@", rf"\1{SHOWN}@"),
    (_NAMED, rf"\1\2{SHOWN}"),
)
_PERSONAL: tuple[tuple[str, str], ...] = (
    (r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}", EMAIL),
    (r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b", NUMBER),
    (r"\b(?:0x)?[0-9a-fA-F]{32,4000}\b", HEX),
)
# What a header of a request carries; prompts show no headers.
_HEADER = (
    r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]{0,32}key)"
    r"(['\"]?[ \t]{0,3}:[ \t]{0,3})[^\r\n]{1,4000}"
)


def _compile(
    rules: tuple[tuple[str, str], ...],
) -> list[tuple[re.Pattern[str], str]]:
    """Return rules that can be applied."""
    return [(re.compile(text, re.DOTALL), instead) for text, instead in rules]


_RULES = _compile(_SECRETS + _PERSONAL)
_OUTPUT_RULES = _compile(((_HEADER, rf"\1\2{SHOWN}"), *_SECRETS))
_CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")
_LONG = re.compile(r"[A-Za-z0-9+/_=-]{40,4000}")


def redact(text: str) -> str:
    """Return a text without secrets, addresses and card numbers."""
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    text = _CARD.sub(_only_if(_is_card, NUMBER), text)
    return _LONG.sub(_only_if(_is_random, SHOWN), text)


def hide_secrets(text: str) -> str:
    """Return a text without secrets; names and numbers of things stay."""
    for pattern, instead in _OUTPUT_RULES:
        text = pattern.sub(instead, text)
    return _LONG.sub(_only_if(_is_random, SHOWN), text)


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
