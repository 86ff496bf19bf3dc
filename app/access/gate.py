"""The gate: who asks, and may they come in at all.

It answers out of what it read at most two seconds ago, so that whoever is
shut out is shut out on every node within that time.
"""

import hmac
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec

from app.access.asked import (
    Asked,
    check_local,
    check_session,
    is_public_site,
    not_signed_in,
)
from app.access.secrets import digest_of
from app.access.settings import AccessSettings
from app.core.clock import Clock
from app.core.errors import Refused, TooBusy
from app.models.account import Caller, Role
from app.store.accounts import has_people
from app.store.ledger import Connection
from app.store.reading import Reader
from app.store.sessions import Pass, find_pass, touch_session

COOKIE = "smokejumper_session"
# A browser takes this name over https only, and from no other host.
SAFE_COOKIE = f"__Host-{COOKIE}"
CACHE_SECONDS = 2.0
MOST_CACHED = 10_000
MINUTE = 60_000_000
LOCAL = Caller(name="", role=Role.ADMIN, way="local")
OWNER = Caller(name="", role=Role.ADMIN, way="settings")
T = TypeVar("T")
# Answers out of memory (app/access/keyring.py), or raises Refused.
FindToken = Callable[[str], Caller | None]


class Unknown(LookupError):
    """The store must be asked first, which takes a while."""


class Scribe(Protocol):
    """Who writes for us, one turn after the other."""

    def ask(self, work: Callable[[Connection], T], /) -> Future[T]:
        """Run some work in a turn; the future says how it went."""


class Gate:
    """Knows who asks; used by many threads at once."""

    def __init__(
        self,
        settings: AccessSettings,
        tokens: Sequence[str],
        reader: Reader,
        scribe: Scribe,
        clock: Clock,
    ) -> None:
        """Take the rules, and whom to ask.

        Args:
            settings: when it stands open, and for how long one stays in.
            tokens: those of api.tokens: whoever shows one may do all.
            reader: where sessions and tokens are.
            scribe: who writes down that they were used.
            clock: the time.
        """
        self.settings = settings
        self._tokens = [token.encode() for token in tokens]
        self._reader = reader
        self._scribe = scribe
        self._clock = clock
        self._kept: dict[str, tuple[Any, float]] = {}
        self._idle = int(settings.idle_minutes * MINUTE)
        self._find_token: FindToken | None = None

    @property
    def has_tokens(self) -> bool:
        """Tell whether the settings name tokens."""
        return bool(self._tokens)

    def admit(self, find_token: FindToken) -> None:
        """Let in who shows a token of an account, too."""
        self._find_token = find_token

    def find(self, asked: Asked, *, at_once: bool = False) -> Caller:
        """Return who asks.

        Args:
            asked: what the request says.
            at_once: answer without the store, or not at all.

        Raises:
            Unknown: the store must be asked, and that was not allowed.
            Refused: whoever asks may not come in.
            StorageFailed: the database cannot be read now.
        """
        caller = self._of_header(asked.headers.get("authorization", ""))
        if caller is not None:
            return caller
        held = self._of_cookie(asked, at_once=at_once)
        if held is not None:
            check_session(asked, self.settings.public_url)
            return held.caller
        if self.is_open(at_once=at_once):
            check_local(asked)
            return LOCAL
        raise not_signed_in()

    def again(self, asked: Asked) -> Caller | None:
        """Return who asks by now, None when they may come in no longer.

        For what lasts: it does not count as use.
        """
        try:
            return self.find(
                msgspec.structs.replace(asked, method="GET", is_use=False)
            )
        except Refused as refusal:
            if isinstance(refusal, TooBusy):
                raise
            return None

    def is_open(self, *, at_once: bool = False) -> bool:
        """Tell whether this machine needs no account."""
        if self.settings.open != "auto":
            return self.settings.open == "always"
        # A proxy on this machine would make everybody look like it.
        if self._tokens or self.settings.has_proxy:
            return False
        # Accounts are never removed: once there is one there always is.
        return not self._read("people", has_people, at_once=at_once)

    def forget(self) -> None:
        """Forget what was read: something was changed on this node."""
        self._kept.clear()

    def _of_header(self, header: str) -> Caller | None:
        """Return who shows a token, None when nobody shows any.

        Raises:
            Refused: there is no such token.
        """
        caller = self._find_token(header) if self._find_token else None
        if caller is not None:
            return caller
        scheme, _, shown = header.partition(" ")
        if scheme.lower() != "bearer":
            # A proxy in front of us may have passwords of its own.
            return None
        # Headers come as latin-1; clients send what the settings have.
        given = shown.encode("latin-1", errors="replace")
        right = [hmac.compare_digest(given, token) for token in self._tokens]
        if any(right):
            return OWNER
        raise Refused(
            401,
            "wrong_token",
            "The token is wrong, was revoked, or is over.",
            field="authorization",
            remedy="Send 'Authorization: Bearer TOKEN' with a token of this "
            "service.",
        )

    def _of_cookie(self, asked: Asked, *, at_once: bool) -> Pass | None:
        """Return who is signed in, None when nobody is."""
        shown = cookie_of(asked, self.settings.public_url)
        if not shown:
            return None
        digest = digest_of(shown)
        find = partial(find_pass, digest=digest)
        held = self._read(digest, find, at_once=at_once)
        now = self._clock.now()
        if held is None or not held.lasts(now, self._idle):
            return None
        if asked.shows_use and now - held.seen_at >= MINUTE:
            self._touch(digest, held, now)
        return held

    def _touch(self, digest: str, held: Pass, now: int) -> None:
        """Have it written down that somebody is here; nobody waits."""
        _, until = self._kept.get(digest, (None, 0.0))
        used = msgspec.structs.replace(held, seen_at=now)
        # It is read again no later for that.
        self._kept[digest] = (used, until)
        work = partial(touch_session, number=held.number, now=now)
        try:
            self._scribe.ask(work)
        except TooBusy:
            # The next minute's use is written down as well.
            return

    def _read(
        self,
        key: str,
        question: Callable[[Connection], T],
        *,
        at_once: bool,
    ) -> T:
        """Return what the store says, at most some seconds old."""
        kept, until = self._kept.get(key, (None, 0.0))
        if self._clock.monotonic() < until:
            known: T = kept
            return known
        if at_once:
            raise Unknown
        found = self._reader.ask(question)
        if found is not None:
            # What is not there may be made, and must hold at once then.
            self._keep(key, found)
        return found

    def _keep(self, key: str, found: Any) -> None:
        """Keep what was read for a moment."""
        if len(self._kept) >= MOST_CACHED:
            self._kept.clear()
        until = self._clock.monotonic() + CACHE_SECONDS
        self._kept[key] = (found, until)


def cookie_of(asked: Asked, public_url: str) -> str:
    """Return what the cookie of a session holds, or empty.

    The plain one can be planted by a sister site, or without https: it
    counts only where there is no other.
    """
    safe = asked.cookies.get(SAFE_COOKIE, "")
    if safe or is_public_site(asked, public_url):
        return safe
    return asked.cookies.get(COOKIE, "")
