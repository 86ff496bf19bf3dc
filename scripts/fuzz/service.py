"""The service that is fuzzed: everything on, with people who have roles."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from app.access.gate import COOKIE
from app.access.secrets import digest_of, make_secret
from app.core.clock import SystemClock
from app.models.account import Account, Role, Session
from app.store.accounts import add_account
from app.store.ledger import Ledger
from app.store.location import locate
from app.store.sessions import add_session
from scripts.fuzz.seeds import options_of
from tests.postgres import Postgres
from tests.service import OPEN, Service
from tests.unit.sources.making import KINDS

DAY = 86_400_000_000
# Longer than anything takes on a machine that is busy with other things.
ANSWER_SECONDS = 60.0
SOURCES = {kind: {**OPEN, "options": options_of(kind)} for kind in KINDS}
NUMBERS = count(1)


class Stand:
    """A running service, its database, and a way to be somebody in it."""

    def __init__(self, service: Service, database: str, url: str) -> None:
        """Take the service, the kind of its database, and where it is."""
        self.service = service
        self.database = database
        self.url = url
        self._clock = SystemClock()

    @contextmanager
    def client(self, role: str) -> Iterator[httpx.Client]:
        """Lend a browser of somebody new with a role, or of a stranger."""
        home = self.service.url
        headers = {"origin": home, "x-smokejumper": "1"}
        with httpx.Client(
            base_url=home, headers=headers, timeout=ANSWER_SECONDS
        ) as client:
            if role:
                client.cookies.set(COOKIE, self.sign_in(Role(role)))
            yield client

    def sign_in(self, role: Role) -> str:
        """Return the cookie of an account that nobody has touched yet."""
        secret, now = make_secret(), self._clock.now()
        ledger = Ledger(locate(self.url, Path("/")), ANSWER_SECONDS)
        try:
            with ledger.turn() as connection:
                name = f"{role.value}-{next(NUMBERS)}-{secret[:6].lower()}"
                made = Account(name=name, role=role.value, secret="none")
                account = add_account(connection, made)
                session = Session(
                    digest=digest_of(secret),
                    account_id=account.id,
                    way="password",
                    created_at=now,
                    seen_at=now,
                    expires_at=now + DAY,
                )
                add_session(connection, session)
        finally:
            ledger.close()
        return secret

    def errors(self) -> list[str]:
        """Return the lines of the log that tell of errors."""
        lines = self.service.log.read_text(errors="replace").splitlines()
        signs = ('"level":"error"', '"level": "error"', "Traceback")
        return [line for line in lines if any(s in line for s in signs)]


@contextmanager
def standing(database: str, changes: Any = None) -> Iterator[Stand]:
    """Start a service with everything on, on one of the databases."""
    with TemporaryDirectory(prefix="smokejumper-fuzz-") as name:
        folder = Path(name)
        tree: dict[str, Any] = {
            "sources": SOURCES,
            "decide": {"enabled": True},
            **(changes or {}),
        }
        if database == "sqlite":
            with Service(folder, tree) as service:
                yield Stand(service, database, f"sqlite:///{service.database}")
            return
        with Postgres() as server:
            url = server.make_database("fuzz")
            tree["database"] = {"url": url}
            with Service(folder, tree) as service:
                yield Stand(service, database, url)
