"""Words: what a text is searched by, and questions about them.

An index knows two kinds of words: those of people, which are runs of letters
and digits without case, and marks, which stand for the value of a column.
No text can hold a mark: its first letter is one of Unicode's private use.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

import msgspec

PRIVATE = "\ue000"
# A word that is longer is known by its beginning; a tsvector takes no more.
LONGEST = 400
# What one row is searched by, so that no sender can blow up an index.
MOST_PER_ROW = 2_000
MOST_WORDS = 12
SHORTEST_BEGINNING = 3
# The width of the buckets that PostgreSQL finds pages by, as powers of two.
LEVELS = (14, 17, 20, 23)
# Without the letters that SQLite's index does not know as such.
_run = re.compile(r"[^\W_\u19b0-\u19c9\u1cf2\u1cf3]+")
# Marks that SQLite's index drops without ending the word.
_marks = re.compile("[\u0300-\u0331]")


class Word(msgspec.Struct, frozen=True):
    """A word to look for.

    Attributes:
        text: the word, or the mark.
        is_beginning: whether longer words count, too.
    """

    text: str
    is_beginning: bool = False


# All of these must occur, of each of them any.
Question = tuple[tuple[Word, ...], ...]


def split(text: str) -> list[str]:
    """Return the words of a text, in lower case."""
    composed = unicodedata.normalize("NFC", text.lower())
    return _run.findall(_marks.sub("", composed))


def fold(word: str) -> str:
    """Return a word without accents, as SQLite's index has it."""
    if word.isascii():
        return word[:LONGEST]
    parts = unicodedata.normalize("NFD", word)
    bare = "".join(one for one in parts if not unicodedata.combining(one))
    return unicodedata.normalize("NFC", bare)[:LONGEST]


def ask_for(text: str) -> tuple[Word, ...]:
    """Return the words that a person looks for; a star ends a beginning."""
    wanted: list[Word] = []
    for part in text.split():
        found = split(part)
        wanted += [Word(one) for one in found[:-1]]
        if found:
            wanted.append(Word(found[-1], part.endswith("*")))
    return tuple(dict.fromkeys(wanted))


def find_flaw(text: str) -> str:
    """Return why a text cannot be looked for, empty when it can."""
    words = ask_for(text)
    if not words:
        return "has no word in it: letters or digits"
    if len(words) > MOST_WORDS:
        return f"has more than {MOST_WORDS} words"
    if any(
        word.is_beginning and len(word.text) < SHORTEST_BEGINNING
        for word in words
    ):
        return f"needs {SHORTEST_BEGINNING} letters before a star"
    return ""


def mark_text(letter: str, value: object) -> str:
    """Return the mark of a column's value in SQLite's index."""
    plain = str(value)
    if isinstance(value, int):
        return f"{PRIVATE}{letter}{plain}"
    return f"{PRIVATE}{letter}{plain.encode().hex()}"


def mark_hash(letter: str, value: object) -> str:
    """Return the mark of a column's value in PostgreSQL's index."""
    digest = hashlib.blake2b(str(value).encode(), digest_size=10)
    return f"{PRIVATE}{letter}{digest.hexdigest()}"


def bucket_mark(level: int, number: int) -> str:
    """Return the mark of the bucket that a row is in."""
    return f"{PRIVATE}{level}{number >> LEVELS[level]:x}"


def lexemes(number: int, texts: Iterable[str], marks: Iterable[str]) -> str:
    """Return all that a row is found by, as PostgreSQL's array."""
    words: dict[str, None] = {}
    for text in texts:
        for word in split(text):
            words[fold(word)] = None
    found = [word for word in words if word][:MOST_PER_ROW]
    buckets = [bucket_mark(level, number) for level in range(len(LEVELS))]
    # Letters, digits and marks only: nothing of them needs a quotation mark.
    quoted = (f'"{one}"' for one in (*found, *marks, *buckets))
    return "{" + ",".join(quoted) + "}"


def to_match(question: Question) -> str:
    """Return a question in the language of SQLite's FTS5."""
    return " AND ".join(
        "(" + " OR ".join(_fts(word) for word in any_of) + ")"
        for any_of in question
    )


def to_tsquery(any_of: Iterable[Word]) -> str:
    """Return one part of a question in PostgreSQL's language, the tsquery."""
    return " | ".join(_lexeme(word) for word in any_of)


def _fts(word: Word) -> str:
    """Return one word for FTS5; it holds letters and digits only."""
    return f'"{word.text}" *' if word.is_beginning else f'"{word.text}"'


def _lexeme(word: Word) -> str:
    """Return one word for a tsquery; it holds letters and digits only."""
    text = word.text if word.text.startswith(PRIVATE) else fold(word.text)
    return f"'{text}':*" if word.is_beginning else f"'{text}'"
