"""The keyring: every living token, in memory, by what it digests to.

Whoever asks is answered at once, on the event loop too: the database is read
now and then by somebody else (app/engine/locksmith.py). A token itself is
nowhere: it is 32 random bytes, so that its SHA-256 tells nothing about it,
and comparing digests tells nothing by its time.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from threading import Lock

import msgspec

from app.access.secrets import digest_of
from app.core.clock import Clock
from app.core.errors import Refused, TooBusy
from app.models.account import Caller, Role
from app.store.tokens import Owned

PREFIX = "sj_"
TOKEN = PREFIX.encode()
# Its password is not seen before it is decoded.
BASIC = re.compile(rb"(?i)basic ")
# What was read so long ago says too little about who may come in.
MOST_SECONDS = 60.0
MINUTE = 60_000_000
# No Authorization header of ours is longer.
LONGEST = 1_000


class Key(msgspec.Struct, frozen=True):
    """What one token opens.

    Attributes:
        number: the token's id.
        sources: for which sources it opens the door, and nothing else; none:
            it is a token of the API.
        caller: who asks with it.
        ends_at: until when, or None.
    """

    number: int
    sources: frozenset[str]
    caller: Caller
    ends_at: int | None


class Keyring:
    """The living tokens of all accounts."""

    def __init__(self, clock: Clock) -> None:
        """Begin with none; nothing is refused or opened before a reading."""
        self._clock = clock
        self._keys: Mapping[str, Key] = {}
        self._read_at: float | None = None
        self._uses: dict[int, int] = {}
        self._noted: dict[int, int] = {}
        # Callers are threads of the pool as well as the event loop.
        self._lock = Lock()

    def hold(self, owned: Iterable[Owned]) -> None:
        """Take what lives now in the place of what was held before."""
        keys = {
            one.token.digest: key
            for one in owned
            if (key := _to_key(one)) is not None
        }
        numbers = {key.number for key in keys.values()}
        with self._lock:
            self._keys = keys
            self._read_at = self._clock.monotonic()
            self._noted = {
                number: at
                for number, at in self._noted.items()
                if number in numbers
            }

    def confirm(self) -> None:
        """Hear that what is held is still what lives."""
        self._read_at = self._clock.monotonic()

    def find(self, authorization: str) -> Caller | None:
        """Return who asks with an Authorization header, None for nobody.

        Raises:
            Refused: it is a token that opens the door of sources only.
            TooBusy: the tokens could not be read for too long.
        """
        key = self._find(authorization.encode("latin-1", "replace"))
        if key is None:
            return None
        if key.sources:
            raise Refused(
                403,
                "token_of_sources",
                "This token brings deliveries and opens nothing else.",
                field="authorization",
                remedy="Use a token that was made without sources.",
            )
        self._use(key)
        return key.caller

    def opens(self, source: str, authorization: bytes) -> bool:
        """Tell whether a token of ours lets somebody in as a source.

        False: what the header holds is no living token of ours.

        Raises:
            Refused: it is one, and not for this source.
            TooBusy: the tokens could not be read for too long.
        """
        key = self._find(authorization)
        if key is None:
            return False
        if source not in key.sources:
            raise Refused(
                403,
                "token_of_another_source",
                "This token is not for this source.",
                field="authorization",
                remedy="Make a token whose sources name it.",
            )
        self._use(key)
        return True

    def take_uses(self) -> dict[int, int]:
        """Return when tokens were used last, what was not returned yet."""
        with self._lock:
            uses, self._uses = self._uses, {}
        return uses

    def _find(self, authorization: bytes) -> Key | None:
        """Return what a header opens, None when it is no token of ours."""
        if TOKEN not in authorization and not BASIC.match(authorization):
            # The secret of a source, as a rule: nothing to take apart.
            return None
        secret = read_secret(authorization)
        if not secret.startswith(PREFIX):
            return None
        now = self._clock.monotonic()
        if self._read_at is None or now - self._read_at > MOST_SECONDS:
            raise TooBusy(
                "tokens_not_read",
                "The tokens could not be read from the database.",
            )
        key = self._keys.get(digest_of(secret))
        if key is None:
            return None
        is_over = key.ends_at is not None and key.ends_at <= self._clock.now()
        return None if is_over else key

    def _use(self, key: Key) -> None:
        """Note that a token was used, once a minute."""
        minute = self._clock.now() // MINUTE * MINUTE
        if self._noted.get(key.number) == minute:
            return
        with self._lock:
            self._noted[key.number] = minute
            self._uses[key.number] = minute


def read_secret(authorization: bytes) -> str:
    """Return the bearer token or basic password of a header, or empty."""
    if len(authorization) > LONGEST:
        return ""
    scheme, _, given = authorization.partition(b" ")
    scheme = scheme.lower()
    if scheme == b"basic":
        try:
            given = b64decode(given.strip(), validate=True)
        except binascii.Error:
            return ""
        given = given.partition(b":")[2]
    elif scheme != b"bearer":
        return ""
    return given.strip().decode("ascii", "replace")


def _to_key(owned: Owned) -> Key | None:
    """Return what a token opens, None when that is nothing any more."""
    token, owner = owned.token, owned.owner
    teams = _teams(token.teams, owner.teams)
    if owner.is_disabled or teams is None:
        return None
    role = Role(token.role)
    if not Role(owner.role).covers(role):
        role = Role(owner.role)
    caller = Caller(
        name=owner.name,
        role=role,
        teams=teams,
        way="token",
        account_id=owner.id,
    )
    sources = frozenset(token.sources)
    return Key(token.id, sources, caller, token.expires_at)


def _teams(
    given: tuple[str, ...], owned: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Return the teams of both, None when that leaves no team at all."""
    if not given or not owned:
        return given or owned
    both = tuple(team for team in given if team in owned)
    return both or None
