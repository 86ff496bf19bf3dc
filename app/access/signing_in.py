"""Signing in: a name and a password become a session, or nothing does."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec

from app.access import throttle
from app.access.accounts import (
    NAME,
    By,
    accept,
    find_link,
    set_password,
)
from app.access.gate import Gate, Scribe
from app.access.passwords import (
    Hasher,
    check_password,
    is_weak,
    make_decoy,
)
from app.access.secrets import digest_of, make_secret
from app.core.clock import Clock
from app.core.errors import Refused
from app.models.account import Account, Caller, Nature, Role, Session
from app.models.entry import Note
from app.store.accounts import find_account, find_by_name, save_account
from app.store.aside import ask_aside
from app.store.ledger import Connection
from app.store.log import append
from app.store.reading import Reader
from app.store.sessions import add_session, end_session

HOUR = 3_600_000_000
LONGEST_AGENT = 200
T = TypeVar("T")


class Guest(msgspec.Struct, frozen=True):
    """Who stands at the door.

    Attributes:
        peer: the address that they come from.
        agent: what their browser calls itself.
    """

    peer: str
    agent: str


class Entered(msgspec.Struct, frozen=True):
    """Who is in now.

    Attributes:
        secret: what the cookie holds; it is nowhere else.
        account: who it is.
        ends_at: until when, whatever happens.
    """

    secret: str
    account: Account
    ends_at: int

    @property
    def caller(self) -> Caller:
        """Return who asks from now on."""
        return Caller(
            name=self.account.name,
            role=Role(self.account.role),
            teams=self.account.teams,
            way="session",
            account_id=self.account.id,
        )


class SigningIn:
    """Lets people in, and out again."""

    def __init__(
        self, gate: Gate, scribe: Scribe, reader: Reader, clock: Clock
    ) -> None:
        """Take who knows them, who writes, where to read, and the time."""
        self._gate = gate
        self._scribe = scribe
        self._reader = reader
        self._clock = clock
        self._hasher = Hasher()
        self._decoy = make_decoy()
        self._span = int(gate.settings.session_hours * HOUR)

    async def sign_in(self, name: str, password: str, guest: Guest) -> Entered:
        """Let somebody in who knows a password.

        Unknown names, wrong passwords and shut out accounts get the same
        answer after the same work.

        Raises:
            TooOften: they tried too often; nothing was looked at.
            Refused: it is wrong.
        """
        name = known_name(name)
        await self._claim(name, guest)
        find = partial(find_by_name, name=name)
        account = await self._read(find)
        kept = account.secret if account is not None else ""
        is_right = await self._hasher.matches(password, kept or self._decoy)
        if account is None or not (is_right and _may_enter(account)):
            raise _wrong_password()
        if is_weak(kept):
            kept = await self._hasher.hash(password)
        keys = throttle.keys_of(name, guest.peer)

        def work(connection: Connection) -> Entered:
            """Open a session, if all is still as it was."""
            known = find_account(connection, account.id)
            if known is None or known.secret != account.secret:
                raise _wrong_password()
            if kept != known.secret:
                known = msgspec.structs.replace(known, secret=kept)
                save_account(connection, known)
            throttle.forgive(connection, keys, self._clock.now())
            return self.open(connection, known, "password", guest.agent)

        return await self.write(work)

    async def set_up(
        self, token: str, name: str, password: str, agent: str
    ) -> Entered:
        """Let somebody in who has a link, and set their password.

        Raises:
            Refused: the link, the name or the password will not do.
        """
        now = self._clock.now()
        issuer = self._gate.settings.issuer
        find = partial(find_link, secret=token, now=now, issuer=issuer)
        link = await self._read(find)
        name = name.strip().lower()
        known = await self._read(partial(find_account, number=link.account_id))
        check_password(password, known.name if known else name)
        kept = await self._hasher.hash(password)

        def work(connection: Connection) -> Entered:
            """Use the link, and open a session."""
            now = self._clock.now()
            account = accept(connection, token, name, kept, now, issuer)
            return self.open(connection, account, "password", agent)

        return await self.write(work)

    async def change_password(
        self, number: int, old: str, new: str, guest: Guest
    ) -> Entered:
        """Give somebody a new password; all other sessions end.

        Raises:
            TooOften: they tried too often; nothing was looked at.
            Refused: the old one is wrong, or the new one will not do.
        """
        account = await self._read(partial(find_account, number=number))
        if account is None:
            raise _wrong_password()
        check_password(new, account.name)
        await self._claim(account.name, guest)
        if not await self._hasher.matches(old, account.secret or self._decoy):
            raise _wrong_password()
        kept = await self._hasher.hash(new)
        keys = throttle.keys_of(account.name, guest.peer)

        def work(connection: Connection) -> Entered:
            """Set it, if all is still as it was, and open a session."""
            known = find_account(connection, number)
            if known is None or known.secret != account.secret:
                raise _wrong_password()
            now = self._clock.now()
            throttle.forgive(connection, keys, now)
            by = By(f"person:{known.name}", now)
            changed = set_password(connection, known, kept, by)
            return self.open(connection, changed, "password", guest.agent)

        return await self.write(work)

    async def sign_out(self, secret: str) -> None:
        """End a session; that it has ended already is fine."""
        digest = digest_of(secret)
        await self.write(partial(end_session, digest=digest))

    def open(
        self, connection: Connection, account: Account, way: str, agent: str
    ) -> Entered:
        """Open a session in a turn.

        Args:
            connection: the turn.
            account: who has shown who they are.
            way: how: password or oidc.
            agent: what their browser calls itself.

        Raises:
            Refused: the account is shut out.
        """
        if not _may_enter(account):
            raise _wrong_password()
        secret = make_secret()
        now = self._clock.now()
        session = Session(
            digest=digest_of(secret),
            account_id=account.id,
            way=way,
            agent=_plain(agent),
            created_at=now,
            seen_at=now,
            expires_at=now + self._span,
        )
        add_session(connection, session)
        return Entered(secret, account, session.expires_at)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Have some work done in a turn, and forget what it may change."""
        asked = asyncio.wrap_future(self._scribe.ask(work))
        done = await asyncio.shield(asked)
        self._gate.forget()
        return done

    async def _read(self, question: Callable[[Connection], T]) -> T:
        """Ask the store, not on the event loop."""
        return await ask_aside(self._reader.ask, question)

    async def _claim(self, name: str, guest: Guest) -> None:
        """Count a try, or raise TooOften.

        Who waits is told by a question: they cost no turn.
        """
        keys = throttle.keys_of(name, guest.peer)
        now = self._clock.now()
        await self._read(partial(throttle.check, keys=keys, now=now))

        def work(connection: Connection) -> None:
            """Count it; say so in the log when they wait from now on."""
            if throttle.claim(connection, keys, now):
                known = find_by_name(connection, name)
                # What people type there by mistake is a password.
                whose = known.name if known else "a name that is not there"
                note = Note(
                    kind="account.throttled",
                    actor="rule:throttle",
                    severity="warning",
                    summary=f"too many tries to sign in as {whose}",
                    body={"peer": guest.peer, "name": whose},
                )
                append(connection, now, [note])

        asked = asyncio.wrap_future(self._scribe.ask(work))
        await asyncio.shield(asked)


def known_name(typed: str) -> str:
    """Return a name as accounts have it, empty for what can be none."""
    name = typed.strip().lower()
    return name if NAME.fullmatch(name) else ""


def _may_enter(account: Account) -> bool:
    """Tell whether an account is a person's and not shut out."""
    is_person = account.nature == Nature.PERSON.value
    return is_person and not account.is_disabled


def _plain(agent: str) -> str:
    """Return what a browser calls itself, shortened and printable."""
    text = "".join(c if c.isprintable() else " " for c in agent)
    return text[:LONGEST_AGENT]


def _wrong_password() -> Refused:
    """Return the refusal of whoever does not know a password."""
    return Refused(
        401,
        "wrong_password",
        "The name or the password is wrong.",
        field="password",
        remedy="Try again, or ask an admin for a new link.",
    )
