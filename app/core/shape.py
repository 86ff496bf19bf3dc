"""Shapes: what a value must look like to name a host, a unit, a path ...

A value that has not the shape of what it is for is no candidate, whoever
says it: a host with a semicolon in it is no host. Shapes hold no ``/`` at
the beginning of a name, no blank, no control character, no letter that only
looks like another, and nothing that a program could read as an option.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address

import msgspec

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,126}"
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_ADDRESS6 = r"[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){2,7}(%[A-Za-z0-9_.-]{1,15})?"


class Shape(msgspec.Struct, frozen=True):
    """What a value must look like.

    Attributes:
        name: what the declaration of a parameter calls it.
        pattern: what the whole value must match.
        says: the rule in words, for whoever broke it.
        longest: how many characters it may have.
        clean: brings a source's spelling to ours before it is looked at.
        means: whether what fits the pattern can be what it is for.
    """

    name: str
    pattern: str
    says: str
    longest: int
    clean: Callable[[str], str] = str.strip
    means: Callable[[str], bool] = bool

    def fit(self, value: str) -> str | None:
        """Return a value in our spelling, or None when it does not fit."""
        text = self.clean(value)
        if not text or len(text) > self.longest or not text.isascii():
            return None
        if not re.fullmatch(self.pattern, text) or ".." in text:
            return None
        return text if self.means(text) else None


def _bare_host(value: str) -> str:
    """Return a host without scheme, path and port."""
    text = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://", "", value.strip())
    bracketed = re.fullmatch(r"\[([^\]]+)\](:\d{1,5})?", text)
    if bracketed:
        return bracketed[1]
    if text.count(":") == 1:
        text = re.sub(r":\d{1,5}$", "", text)
    return text.removesuffix(".")


def _is_somewhere(host: str) -> bool:
    """Tell whether a host is one machine: not whoever asks, not all."""
    name = host.lower().partition(".")[0]
    if name in ("localhost", "ip6-localhost", "localhost6") or host.isdigit():
        return False
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return True
    return not (
        found.is_loopback
        or found.is_unspecified
        or found.is_multicast
        or found.is_link_local
        or found == ip_address("255.255.255.255")
    )


def _bare_unit(value: str) -> str:
    """Return a unit without the suffix that all services have."""
    return re.sub(r"(\.service)+$", "", value.strip())


def _bare_path(value: str) -> str:
    """Return a path without the slash at its end."""
    text = value.strip()
    if re.fullmatch(r"[A-Za-z]:[\\/]?", text):
        return text[:2].upper()
    return text.rstrip("/") or "/" if text.startswith("/") else text


SHAPES: Mapping[str, Shape] = {
    shape.name: shape
    for shape in (
        Shape(
            "host",
            rf"{_HOST}(\.{_HOST}){{0,9}}|{_ADDRESS6}",
            "the name or address of one machine: letters, digits, - and .",
            253,
            _bare_host,
            _is_somewhere,
        ),
        Shape(
            "service",
            _NAME,
            "a unit's name: letters, digits and . _ @ : + -",
            127,
            _bare_unit,
        ),
        Shape(
            "program",
            _NAME,
            "a program's name: letters, digits and . _ @ : + -",
            127,
        ),
        Shape(
            "path",
            r"/([A-Za-z0-9_.@+:-]+(/[A-Za-z0-9_.@+:-]+)*)?|[A-Z]:",
            "an absolute path without blanks and .., or a drive",
            255,
            _bare_path,
        ),
        Shape(
            "container",
            r"/?[A-Za-z0-9][A-Za-z0-9_.-]{0,126}",
            "a container's name or id",
            128,
        ),
        Shape("namespace", _LABEL, "a Kubernetes namespace", 63),
        Shape(
            "pod",
            rf"{_LABEL}(\.{_LABEL})*",
            "a Kubernetes pod's name",
            253,
        ),
        Shape("word", r"[a-z][a-z0-9_-]{0,62}", "a word of a list", 63),
        Shape(
            "name",
            r"[A-Za-z0-9_][A-Za-z0-9_.@:+/-]{0,126}",
            "letters, digits and . _ @ : + / -",
            127,
        ),
    )
}
