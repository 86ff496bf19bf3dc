"""Sharing: what many pages want alike is made once a second for all of them.

What is kept is the answer as it goes over the wire, with its tag: whoever
shares it costs neither the database nor the making of JSON. Who sees other
teams has another one.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Protocol

import msgspec
from fastapi import Response

from app.api.tagged import tag_of
from app.core.clock import Clock
from app.models.account import Caller

SECOND = 1_000_000
# So many answers are kept, for as many sets of teams and questions.
MOST_KEPT = 32
# Whose sight an answer is of: a browser shares it between tabs of that only.
SIGHT = "x-smokejumper-sight"


class View(Protocol):
    """What is answered."""

    @property
    def seq(self) -> int:
        """Return the last entry of the log that it knows."""
        ...

    def model_dump_json(self) -> str:
        """Return it as JSON."""
        ...


class Answer(msgspec.Struct, frozen=True):
    """An answer as it is sent.

    Attributes:
        at: when it was begun.
        seq: the last entry of the log that it knows.
        body: its bytes.
        tag: what stands for them.
    """

    at: int
    seq: int
    body: bytes
    tag: str

    def to(self, caller: Caller) -> Response:
        """Return it as it is sent to somebody."""
        headers = {"etag": self.tag, SIGHT: caller.sight}
        return Response(
            self.body, media_type="application/json", headers=headers
        )


class Answers:
    """The answers of one route; used by many threads at once."""

    def __init__(self, clock: Clock) -> None:
        """Take the time."""
        self._clock = clock
        self._kept: dict[Hashable, Answer] = {}
        self._lock = threading.Lock()

    def find(
        self, key: Hashable, after: int, make: Callable[[int], View]
    ) -> Answer:
        """Return an answer that is new enough for who has heard so much.

        Args:
            key: what it is about, and whose incidents it shows.
            after: the entry that it must know; 0: it must be made now.
            make: makes it, at a moment.
        """
        now = self._clock.now()
        with self._lock:
            kept = self._kept.get(key)
        if kept and _is_good(kept, after, now):
            return kept
        view = make(now)
        body = view.model_dump_json().encode()
        answer = Answer(now, view.seq, body, tag_of(body))
        with self._lock:
            self._kept.pop(key, None)
            while len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = answer
        return answer


def _is_good(kept: Answer, after: int, now: int) -> bool:
    """Tell whether an answer knows what its next reader has heard of."""
    is_young = 0 <= now - kept.at < SECOND
    return is_young and 0 < after <= kept.seq
