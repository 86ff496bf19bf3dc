"""Entries as a long-running service has them: Zipf's words, 5,000 hosts."""

import random
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

HOSTS = 5_000
VOCABULARY = 50_000
WORDS_EACH = 12
BEGAN = 1_780_000_000_000_000
LASTS = 90 * 86_400_000_000
STATUSES = {
    "open": 450, "resolved": 450, "suppressed": 70, "waiting": 29, "merged": 1,
}  # fmt: skip
KINDS = {
    "incident.opened": 25, "incident.joined": 25, "episode.ended": 25,
    "incident.resolved": 20, "incident.suppressed": 4, "person.noted": 1,
}  # fmt: skip
SEVERITIES = ("critical", "error", "warning", "info")
Row = tuple[Any, ...]


def word(rank: int) -> str:
    """Return the word of a rank; the first is the most common."""
    letters = ""
    number = rank
    for _ in range(4):
        number, digit = divmod(number, 20)
        letters += "bcdfghjklmnpqrstvwxz"[digit] + "aeiou"[digit % 5]
    return letters


def moment(number: int, total: int) -> int:
    """Return when an entry was written."""
    return BEGAN + number * (LASTS // total)


def rows(count: int, total: int) -> Iterator[Row]:
    """Yield the first entries, in the order of the table's columns."""
    chance = random.Random(1)
    ranks = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))
    vocabulary = [word(rank) for rank in range(VOCABULARY)]
    statuses = list(STATUSES), list(accumulate(STATUSES.values()))
    kinds = list(KINDS), list(accumulate(KINDS.values()))
    for number in range(1, count + 1):
        # Some hosts have much more to say than others.
        host = f"web-{int(HOSTS * chance.random() ** 2):04}"
        words = chance.choices(vocabulary, cum_weights=ranks, k=WORDS_EACH)
        yield (
            number,
            moment(number, total),
            chance.choices(kinds[0], cum_weights=kinds[1])[0],
            number // 4,
            host,
            "DiskFull",
            chance.choice(SEVERITIES),
            chance.choices(statuses[0], cum_weights=statuses[1])[0],
            "source:alertmanager",
            "",
            " ".join(words),
            '{"begins_at":1780000000000000,"firing":1}',
            bytes(32),
        )
