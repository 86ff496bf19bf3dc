"""Signing in through an OpenID provider, from the button to the account.

The provider says who somebody is, and by their groups what they may do, at
every login. An account is known by issuer and subject, never by its name: a
name that is here already is not taken over.
"""

from typing import TYPE_CHECKING

import msgspec

from app.access.accounts import By, check_name, tell
from app.access.oidc_claims import Person, needs_more, read_person
from app.access.oidc_state import Login, Logins
from app.access.room import check_room
from app.core.clock import Clock
from app.core.errors import OutgoingFailed, Refused, TooBusy
from app.core.log import get_log
from app.models.account import Account, Nature
from app.store.accounts import (
    add_account,
    count_admins,
    drop_first_link,
    find_by_name,
    find_by_subject,
    save_account,
)
from app.store.ledger import Connection

if TYPE_CHECKING:
    # Whoever makes the provider pays for its memory.
    from app.access.provider import Provider

BACK = "/console/login/oidc/callback"
ACTOR = "rule:oidc"
# Each costs the provider two or three answers; strangers can begin them.
MOST_AT_ONCE = 16
log = get_log("access")


class Back(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser brings back from the provider.

    Attributes:
        state: the login's name.
        code: what is exchanged for the provider's token, or empty.
        issuer: who sends it back, when that is said.
        error: why there is no code, or empty.
    """

    state: str
    code: str = ""
    issuer: str | None = None
    error: str = ""


class SingleSignOn:
    """Lets in whom the provider knows."""

    def __init__(
        self,
        provider: "Provider",
        secret: str,
        public_url: str,
        clock: Clock,
    ) -> None:
        """Take whom to ask.

        Args:
            provider: the provider.
            secret: the client's secret, from which our own keys are made.
            public_url: where browsers find us.
            clock: the time.
        """
        self._provider = provider
        self._logins = Logins(secret, clock)
        self._back = public_url + BACK
        self._clock = clock
        self._asking = 0

    @property
    def label(self) -> str:
        """Return what the button says."""
        return self._provider.settings.label

    async def begin(self, path: str) -> tuple[str, str]:
        """Return where a browser goes to sign in, and its cookie.

        Raises:
            TooBusy: the provider cannot be asked.
        """
        login, cookie = self._logins.begin(path)
        try:
            return await self._provider.address(login, self._back), cookie
        except OutgoingFailed as error:
            raise _unreachable(error) from error

    async def finish(self, back: Back, cookie: str) -> tuple[Person, str]:
        """Return who has come back, and where they go on.

        Raises:
            Refused: they may not come in.
            TooBusy: the provider cannot be asked.
        """
        login = self._logins.resume(cookie, back.state)
        if self._asking >= MOST_AT_ONCE:
            raise TooBusy("too_many_logins", "Too many people sign in now.")
        self._asking += 1
        try:
            return await self._ask(back, login), login.path
        except OutgoingFailed as error:
            raise _unreachable(error) from error
        finally:
            self._asking -= 1

    async def _ask(self, back: Back, login: Login) -> Person:
        """Ask the provider who has come back."""
        await self._provider.check_issuer(back.issuer)
        if back.error or not back.code:
            raise Refused(
                403,
                "not_granted",
                f"The provider says: {back.error[:80] or 'no code'}.",
                remedy="Begin again at the sign-in page.",
            )
        granted = await self._provider.exchange(back.code, login, self._back)
        claims = await self._provider.verify(granted.id_token, login.nonce)
        if needs_more(self._provider.settings, claims):
            more = await self._provider.ask_more(granted, claims["sub"])
            said = {n: v for n, v in claims.items() if v is not None}
            claims = {**more, **said}
        return read_person(self._provider.settings, claims)

    def enter(self, connection: Connection, person: Person) -> Account:
        """Return somebody's account as of now; made when there was none.

        Raises:
            Refused: it is disabled, or another account has the name.
        """
        account = find_by_subject(connection, person.subject)
        if account is None:
            return self._make(connection, person)
        if account.is_disabled:
            raise Refused(
                403,
                "account_disabled",
                "Your account is disabled.",
                remedy="Ask an admin.",
            )
        return self._follow(connection, account, person)

    def _make(self, connection: Connection, person: Person) -> Account:
        """Return the new account of somebody who is here first."""
        try:
            name = check_name(person.name)
        except Refused as error:
            raise Refused(
                403,
                "no_name",
                "The provider says no name that an account can have.",
                remedy="Correct access.oidc.name_claim, ask for more scopes,"
                " or let the provider verify the address.",
            ) from error
        if find_by_name(connection, name) is not None:
            raise Refused(
                409,
                "name_taken",
                f"There is another account with the name {name}.",
                remedy="Ask an admin: it is never taken over.",
            )
        check_room(connection)
        now = self._clock.now()
        account = Account(
            name=name,
            nature=Nature.PERSON.value,
            role=person.role.value,
            teams=person.teams or (),
            subject=person.subject,
            created_at=now,
            created_by="oidc",
        )
        account = add_account(connection, account)
        tell(connection, By(ACTOR, now), None, account)
        return account

    def _follow(
        self, connection: Connection, account: Account, person: Person
    ) -> Account:
        """Return an account with the role and teams that the claims say."""
        teams = account.teams if person.teams is None else person.teams
        role = person.role.value
        if (role, teams) == (account.role, account.teams):
            return account
        changed = msgspec.structs.replace(
            account, role=role, teams=teams, version=account.version + 1
        )
        issuer = person.subject.partition(" ")[0]
        had_admin = count_admins(connection, issuer) > 0
        save_account(connection, changed)
        if had_admin and not count_admins(connection, issuer):
            # The provider is believed; but whoever finds the link of the
            # first start years later does not become admin by this.
            drop_first_link(connection)
        by = By(ACTOR, self._clock.now())
        tell(connection, by, account, changed)
        return changed


def _unreachable(error: OutgoingFailed) -> TooBusy:
    """Return the refusal of a login while the provider does not answer."""
    log.warning("oidc.failed", error=str(error))
    return TooBusy(
        "provider_unreachable",
        "The sign-in provider does not answer as it should.",
        remedy="Try again in a moment; the log says more.",
    )
