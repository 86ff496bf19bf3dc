"""Passwords: what may be one, and what is kept of it.

Each carries the parameters that it was hashed with, so that these can be
raised: whoever signs in next gets the new ones.
"""

import asyncio
import binascii
import hashlib
import hmac
import os
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from app.core.errors import Refused, TooBusy

# 32 MiB and a tenth of a second each; so many at once, and waiting.
COST, BLOCK, LANES = 2**15, 8, 1
MOST_AT_ONCE, MOST_WAITING = 2, 32
SHORTEST, LONGEST = 12, 1_000
SALT_BYTES, KEY_BYTES = 16, 32
KIND = "scrypt"
# A few that are long enough and tried first.
COMMON = frozenset(
    {
        "123456789012",
        "1234567890ab",
        "1q2w3e4r5t6y",
        "adminadminadmin",
        "administrator",
        "changemechangeme",
        "correcthorsebatterystaple",
        "iloveyouiloveyou",
        "letmeinletmein",
        "password1234",
        "passwordpassword",
        "qwertyuiop12",
        "qwertyuiopasdf",
        "smokejumper1",
        "smokejumper123",
        "smokejumpersmokejumper",
    }
)
FEWEST_DIFFERENT = 5
T = TypeVar("T")


def check_password(password: str, name: str) -> None:
    """Return when a password will do for somebody.

    Raises:
        Refused: it is too short, too long, or the first that is tried.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise _unfit(f"It must have {SHORTEST} to {LONGEST} characters.")
    plain = password.casefold()
    if plain in COMMON or len(set(plain)) < FEWEST_DIFFERENT:
        raise _unfit("It is one of those that are tried first.")
    if name and plain.replace(name.casefold(), "").strip("0123456789!.") == "":
        raise _unfit("It is your name.")


def hash_password(password: str) -> str:
    """Return what is kept of a password; takes a while and memory."""
    salt = os.urandom(SALT_BYTES)
    key = _derive(password, salt, (COST, BLOCK, LANES))
    return _join((COST, BLOCK, LANES), salt, key)


def matches(password: str, kept: str) -> bool:
    """Tell whether a password is the one that was kept; takes a while."""
    try:
        kind, cost, block, lanes, salt, key = kept.split("$")
        if kind != KIND:
            return False
        numbers = (int(cost), int(block), int(lanes))
        right = b64decode(key, validate=True)
        given = _derive(password, b64decode(salt, validate=True), numbers)
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(given, right)


def is_weak(kept: str) -> bool:
    """Tell whether it was hashed with less than is the rule today."""
    return not kept.startswith(f"{KIND}${COST}${BLOCK}${LANES}$")


def make_decoy() -> str:
    """Return what no password matches, at the price of one that does."""
    salt, key = os.urandom(SALT_BYTES), os.urandom(KEY_BYTES)
    return _join((COST, BLOCK, LANES), salt, key)


class Hasher:
    """Hashes on threads of its own: few at once, and not too many wait."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, "passwords")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Return what is kept of a password.

        Raises:
            TooBusy: too many wait already.
        """
        return await self._run(partial(hash_password, password))

    async def matches(self, password: str, kept: str) -> bool:
        """Tell whether a password is the one that was kept.

        Raises:
            TooBusy: too many wait already.
        """
        return bool(await self._run(partial(matches, password, kept)))

    async def _run(self, work: Callable[[], T]) -> T:
        """Do some work as soon as there is room."""
        if self._waiting >= MOST_WAITING:
            raise TooBusy("passwords", "Too many sign in at this moment.")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1


def _derive(
    password: str, salt: bytes, numbers: tuple[int, int, int]
) -> bytes:
    """Return the key of a password.

    The same text may be typed as different characters on two keyboards.
    """
    cost, block, lanes = numbers
    if cost * block * lanes > 2**20:
        raise ValueError("would take too much memory")
    return hashlib.scrypt(
        unicodedata.normalize("NFKC", password).encode(errors="replace"),
        salt=salt,
        n=cost,
        r=block,
        p=lanes,
        maxmem=256 * cost * block * lanes,
        dklen=KEY_BYTES,
    )


def _join(numbers: tuple[int, int, int], salt: bytes, key: bytes) -> str:
    """Return all that is needed to compare, as one text."""
    parts = [KIND, *map(str, numbers)]
    parts += [b64encode(one).decode() for one in (salt, key)]
    return "$".join(parts)


def _unfit(detail: str) -> Refused:
    """Return the refusal of a password."""
    return Refused(
        422,
        "weak_password",
        detail,
        field="password",
        remedy="Take a sentence, or let a password manager make one.",
    )
