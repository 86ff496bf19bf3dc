"""The throttle: who tries passwords waits longer and longer.

Each try is counted before the password is looked at, in a turn that no other
node shares: however many come at once, no more of them are tried.
"""

from collections.abc import Sequence

import msgspec

from app.access.secrets import digest_of
from app.core.errors import TooOften
from app.store.attempts import (
    Attempt,
    drop_attempt,
    drop_faded,
    find_attempts,
    save_attempt,
)
from app.store.ledger import Connection

SECOND = 1_000_000
# From this try on somebody waits: many people may share an address.
NAME_FROM, PEER_FROM = 5, 20
LONGEST_SECONDS = 300
# One try is forgotten in such a time without another.
FADE = 300 * SECOND
# So far apart are clocks that are right.
SLACK = 60 * SECOND
DAY = 86_400 * SECOND


class Key(msgspec.Struct, frozen=True):
    """Whose tries are counted together.

    Attributes:
        digest: a name or an address; itself is not kept.
        first: the first try after which one waits.
    """

    digest: str
    first: int


def keys_of(name: str, peer: str) -> tuple[Key, Key]:
    """Return what the tries of a name from an address count for."""
    return (
        Key(digest_of(f"name:{name}"), NAME_FROM),
        Key(digest_of(f"peer:{peer}"), PEER_FROM),
    )


def pause_of(count: int, first: int) -> int:
    """Return how many seconds one waits after so many tries."""
    if count < first:
        return 0
    return min(LONGEST_SECONDS, 1 << min(count - first, 16))


def faded(attempt: Attempt, now: int) -> int:
    """Return how many tries still count."""
    return max(0, attempt.count - max(0, now - attempt.until) // FADE)


def wait_of(attempt: Attempt, first: int, now: int) -> int:
    """Return for how long somebody waits still, 0 when they may try.

    What is further away than they were told to wait was written by a clock
    that went ahead of this one: it says nothing, or all behind one address
    would wait for hours until this clock is there.
    """
    wait = attempt.until - now
    told = pause_of(attempt.count, first) * SECOND
    return min(wait, told) if 0 < wait <= told + SLACK else 0


def check(connection: Connection, keys: Sequence[Key], now: int) -> None:
    """Return when somebody may try now.

    Raises:
        TooOften: they must wait.
    """
    found = find_attempts(connection, [key.digest for key in keys])
    waits = (
        wait_of(found[key.digest], key.first, now)
        for key in keys
        if key.digest in found
    )
    wait = max(waits, default=0)
    if wait:
        raise TooOften(-(-wait // SECOND))


def claim(connection: Connection, keys: Sequence[Key], now: int) -> bool:
    """Count one try more; tell whether one of them waits from now on.

    Raises:
        TooOften: they must wait; nothing was counted.
    """
    check(connection, keys, now)
    found = find_attempts(connection, [key.digest for key in keys])
    begins = False
    for key in keys:
        old = found.get(key.digest, Attempt(key.digest, 0, now))
        count = faded(old, now) + 1
        until = now + pause_of(count, key.first) * SECOND
        save_attempt(connection, Attempt(key.digest, count, until))
        begins |= count == key.first
    if begins:
        # Here, too: who makes rows without end may never come in.
        drop_faded(connection, now - DAY)
    return begins


def forgive(connection: Connection, keys: Sequence[Key], now: int) -> None:
    """Forget the tries of a name that has signed in.

    Of its address only this one: whoever has one account must not have
    unlimited tries at the others.
    """
    name, peer = keys
    drop_attempt(connection, name.digest)
    found = find_attempts(connection, [peer.digest]).get(peer.digest)
    if found is not None:
        left = Attempt(peer.digest, max(0, found.count - 1), now)
        save_attempt(connection, left)
    drop_faded(connection, now - DAY)
