"""A browser between our button and its way back from a provider."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from app.access.oidc import Back, SingleSignOn
from app.access.oidc_claims import Person
from app.access.oidc_settings import OidcSettings
from app.access.provider import (
    Provider,
)
from app.core.errors import Refused
from tests.fakes import FakeClock
from tests.oidc import CLIENT, CODE, SECRET, FakeProvider

HOME = "https://jumper.example"
NOW = 1_795_227_242


class Away:
    """A browser between our button and its way back."""

    def __init__(self, fake: FakeProvider, **more: Any) -> None:
        self.fake = fake
        self.clock = FakeClock(NOW * 1_000_000)
        tree = {
            "issuer": fake.issuer,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "roles": {"oncall": "approver"},
            "allow": ["127.0.0.0/8"],
            "timeout_seconds": 5,
            **more,
        }
        settings = OidcSettings.model_validate(tree)
        provider = Provider(settings, SECRET, self.clock)
        self.door = SingleSignOn(provider, SECRET, HOME, self.clock)
        self.cookie = ""
        self.sent: dict[str, str] = {}

    async def go(self) -> None:
        """Press the button; the provider will say what is right."""
        address, self.cookie = await self.door.begin("/console/log")
        query = parse_qs(urlsplit(address).query)
        self.sent = {name: values[0] for name, values in query.items()}
        self.fake.claims = {
            "iss": self.fake.issuer,
            "aud": CLIENT,
            "sub": "u-1",
            "exp": NOW + 300,
            "iat": NOW,
            "nonce": self.sent["nonce"],
            "preferred_username": "ana",
            "groups": ["oncall"],
        }

    async def back(self, **more: Any) -> tuple[Person, str]:
        """Come back with the code."""
        given = {"state": self.sent["state"], "code": CODE, **more}
        back = msgspec.convert(given, Back)
        return await self.door.finish(back, self.cookie)


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run some work to its end."""
    return asyncio.run(work())


def log_in(
    fake: FakeProvider,
    change: Callable[[FakeProvider], object] = bool,
    **more: Any,
) -> Person:
    """Log in, with one thing changed while the browser is away."""

    async def work() -> Person:
        away = Away(fake, **more)
        await away.go()
        change(fake)
        person, path = await away.back()
        assert path == "/console/log"
        return person

    person: Person = run(work)
    return person


def reason(
    fake: FakeProvider, change: Callable[[FakeProvider], object], **more: Any
) -> str:
    """Return why somebody with one thing wrong is not let in."""
    with pytest.raises(Refused) as caught:
        log_in(fake, change, **more)
    return caught.value.reason


def claim(name: str, value: Any) -> Callable[[FakeProvider], None]:
    """Return what changes one claim of the token; None takes it off."""

    def change(fake: FakeProvider) -> None:
        fake.claims[name] = value
        if value is None:
            del fake.claims[name]

    return change


def part(content: bytes) -> str:
    """Return a part of a token as it is written."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()
