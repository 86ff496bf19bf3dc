"""People of each role who are signed in to a running service."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx

from app.access.gate import COOKIE
from app.access.secrets import digest_of, make_secret
from app.core.clock import SystemClock
from app.models.account import Account, Role, Session
from app.store.accounts import add_account, find_by_name
from app.store.ledger import Connection, Ledger
from app.store.location import Location, locate
from app.store.sessions import add_session, find_pass
from tests.service import Service

HOUR = 3_600_000_000


class Visitors:
    """Makes accounts and sessions in the database of a service."""

    def __init__(self, service: Service) -> None:
        url = f"sqlite:///{service.database}"
        location: Location = locate(url, Path("/"))
        self.url = service.url
        self._ledger = Ledger(location, 5.0)
        self._clock = SystemClock()

    def sign_in(self, role: Role, unused: int = 0) -> str:
        """Return the cookie of a new session of whom has a role.

        Args:
            role: what they may do.
            unused: for how many microseconds nobody has used it.
        """
        secret = make_secret()
        with self._ledger.turn() as connection:
            self._open(connection, role, secret, unused)
        return secret

    def seen_at(self, secret: str) -> int:
        """Return when a session was used last, as it is written down."""
        with self._ledger.turn() as connection:
            held = find_pass(connection, digest_of(secret))
        assert held is not None
        return held.seen_at

    def _open(
        self, connection: Connection, role: Role, secret: str, unused: int
    ) -> None:
        """Open a session, and make the account when it is not there."""
        account = find_by_name(connection, role.value)
        if account is None:
            made = Account(name=role.value, role=role.value, secret="none")
            account = add_account(connection, made)
        now = self._clock.now()
        add_session(
            connection,
            Session(
                digest=digest_of(secret),
                account_id=account.id,
                way="password",
                created_at=now,
                seen_at=now - unused,
                expires_at=now + HOUR,
            ),
        )

    @contextmanager
    def client(self, role: Role | None) -> Iterator[httpx.Client]:
        """Lend a browser of somebody, or of nobody."""
        headers = {"origin": self.url, "x-smokejumper": "1"}
        with httpx.Client(
            base_url=self.url, headers=headers, timeout=10
        ) as client:
            if role is not None:
                client.cookies.set(COOKIE, self.sign_in(role))
            yield client

    def close(self) -> None:
        """Give the database back."""
        self._ledger.close()


def ask(client: httpx.Client, route: str) -> httpx.Response:
    """Ask a route about what is not there; a stream is not read."""
    method, _, path = route.partition(" ")
    for name in ("name:path", "name", "digest"):
        path = path.replace(f"{{{name}}}", "x")
    while "{" in path:
        start, _, rest = path.partition("{")
        path = f"{start}999999{rest.partition('}')[2]}"
    send = partial(client.stream, method, path)
    has_body = method in ("POST", "PUT", "PATCH")
    body: dict[str, str] | None = {} if has_body else None
    with send(json=body) as answer:
        is_endless = "event-stream" in answer.headers.get("content-type", "")
        if not is_endless:
            answer.read()
        return answer
