"""What is generally known: which software, places and roles hold state.

Three lists of words, read once. They say of a thing that an alert names
what kind of thing it is; they name no alert and no site.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise

import msgspec


def words_in(text: str) -> tuple[str, ...]:
    """Return the words of a list that is written as one text."""
    return tuple(text.split())


# A first responder may restart, kill or clean these ...
DISPOSABLE = frozenset(
    words_in(
        "web proxy loadbalancer cache appserver worker agent exporter shipper"
        " dashboard printing desktop tool app ci monitoring jump print logs"
        " temporary packages images workspace cores spool-temporary root"
        " system-drive"
    )
)
UNKNOWN = "unknown"
BEGINNING = re.compile("^(win|srv|lin|lnx|my|prod|stage|test|dev)")
TOKEN = re.compile(r"[a-z]+|\d+")


class Software(msgspec.Struct, frozen=True):
    """One well-known piece of software.

    Attributes:
        name: its own name.
        kind: what it is: web, database, identity ...
        units: what its service unit is called, the usual one first.
    """

    name: str
    kind: str
    units: tuple[str, ...]


class Knowledge:
    """Answers which kind of thing a name stands for."""

    def __init__(
        self,
        software: Iterable[str],
        places: Iterable[str],
        roles: Iterable[str],
    ) -> None:
        """Take the lines of the three lists."""
        self._by_word: dict[str, Software] = {}
        self._by_program: dict[str, Software] = {}
        for columns in _rows(software, 5):
            self._learn(*columns)
        self._phrases = sorted(self._by_word, key=len, reverse=True)
        self._places = [
            (re.compile(pattern, re.IGNORECASE), kind)
            for pattern, kind in _pairs(places)
        ]
        self._roles: dict[str, tuple[str, bool]] = {
            word.lower(): (kind.rstrip("!"), kind.endswith("!"))
            for word, kind in _pairs(roles)
        }

    def _learn(
        self, name: str, kind: str, words: str, units: str, programs: str
    ) -> None:
        """Take in one line of the list of software."""
        found = Software(name, kind, tuple(_listed(units)))
        for word in {name, *_listed(words)}:
            self._by_word.setdefault(_spelling(word), found)
        for program in {name, *found.units, *_listed(programs)}:
            self._by_program.setdefault(program.lower(), found)

    def place(self, path: str) -> str:
        """Return the kind of a path or drive."""
        text = path.replace("\\", "/")
        for pattern, kind in self._places:
            if pattern.search(text):
                return kind
        return UNKNOWN

    def program(self, name: str) -> Software | None:
        """Return the software that a unit or a process belongs to."""
        for text in _spellings_of_program(name):
            found = self._by_program.get(text) or self._by_word.get(
                _spelling(text)
            )
            if found is not None:
                return found
        return None

    def named(self, text: str) -> Software | None:
        """Return the software that a text names, the longest name first."""
        return next(iter(self.all_named(text)), None)

    def all_named(self, text: str) -> list[Software]:
        """Return all software that a text names, by whole words."""
        # MySQL is one word, ApacheDown two, MySQLDown one of each.
        ways = (text, split_words(text), " ".join(_joined(text)))
        spelled = f" {' | '.join(_spelling(way) for way in ways)} "
        found: dict[str, Software] = {}
        for phrase in self._phrases:
            if f" {phrase} " in spelled:
                one = self._by_word[phrase]
                found.setdefault(one.name, one)
                spelled = spelled.replace(f" {phrase} ", "  ")
        return list(found.values())

    def role(self, word: str) -> tuple[str, bool]:
        """Return the kind of a word of a host's name, and if it is vital."""
        return self._roles.get(word.lower(), (UNKNOWN, False))

    def roles_in(self, name: str) -> list[tuple[str, bool]]:
        """Return what the words of a name of a host or label stand for."""
        words = [self._singular(w) for w in TOKEN.findall(name.lower())]
        found = [self._roles[word] for word in words if word in self._roles]
        if not found:
            # winsql, windc, mydb: a known word behind a usual beginning.
            ends = (BEGINNING.sub("", word) for word in words)
            found = [self._roles[end] for end in ends if end in self._roles]
        return found

    def _singular(self, word: str) -> str:
        """Return a word without its s, where only that is known."""
        is_plural = word not in self._roles and len(word) > 4
        return word.removesuffix("s") if is_plural else word


def split_words(text: str) -> str:
    """Return a text with CamelCase, dashes and digits parted into words."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    text = re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    return re.sub(r"[^\w.+#]+|_", " ", text).lower()


def _joined(text: str) -> Iterator[str]:
    """Yield the neighbours in each CamelCase word as one: mysql, sqldown."""
    for word in re.findall(r"[A-Za-z0-9]+", text):
        parts = split_words(word).split()
        yield from (one + other for one, other in pairwise(parts))


def _spellings_of_program(name: str) -> Iterator[str]:
    """Yield what a unit or process may be known by, the exact name first."""
    text = name.lower().removesuffix(".service").removesuffix(".exe")
    yield text
    yield text.partition("$")[0]  # MSSQL$PROD
    yield re.sub(r"@.*$|[\d.]+", "", text).strip("-_")  # php8.2-fpm
    while "." in text:
        text = text.rpartition(".")[0]  # actions.runner.X
        yield text


def _spelling(word: str) -> str:
    """Return how a word is compared."""
    return re.sub(r"[^a-z0-9]+", " ", word.lower()).strip()


def _listed(text: str) -> Iterator[str]:
    """Yield the parts of a list in a column."""
    if text != "-":
        yield from (part.strip() for part in text.split(",") if part.strip())


def _rows(lines: Iterable[str], columns: int) -> Iterator[list[str]]:
    """Yield the columns of each line that is no comment."""
    for line in lines:
        if line.strip() and not line.startswith("#"):
            found = [part.strip() for part in line.split(" | ")]
            if len(found) != columns:
                raise ValueError(f"not {columns} columns: {line!r}")
            yield found


def _pairs(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the two columns of each line; a pattern may hold a bar."""
    for line in lines:
        if line.strip() and not line.startswith("#"):
            first, _, last = line.rpartition(" | ")
            yield first.strip(), last.strip()


def is_disposable(kind: str) -> bool:
    """Tell whether a first responder may restart or clean such a thing."""
    return kind in DISPOSABLE


@cache
def read_knowledge() -> Knowledge:
    """Return what the lists of this folder say."""
    here = files(__package__)
    lists: Mapping[str, list[str]] = {
        name: (here / f"{name}.txt").read_text("utf-8").splitlines()
        for name in ("software", "places", "roles")
    }
    return Knowledge(lists["software"], lists["places"], lists["roles"])
