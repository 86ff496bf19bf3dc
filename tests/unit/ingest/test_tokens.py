"""Tokens at the door: they open what they name and close nothing."""

from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry

from app.core.configfile import Config
from app.core.errors import ConfigError, Refused
from app.core.http import fetch
from app.core.registry import scan
from app.ingest import sources
from app.ingest.auth import AuthSettings, make_authenticator
from app.ingest.counters import Counters
from app.ingest.entrances import World, make_entrances
from app.ingest.intake import Entrance
from app.ingest.tokens import NO_TOKENS, OnlyTokens, WithTokens
from app.models.delivery import Delivery
from tests.fakes import FakeClock

GOOD = b"Bearer sj_good"
OTHER = b"Bearer sj_other"


class Tokens:
    """One token for the source named alertmanager, one for another."""

    def opens(self, source: str, authorization: bytes) -> bool:
        """Answer as the keyring does."""
        if authorization == OTHER or (
            authorization == GOOD and source != "alertmanager"
        ):
            raise Refused(403, "token_of_another_source", "Not for this.")
        return authorization == GOOD


def make(
    auth: dict[str, object],
    name: str = "alertmanager",
    listens_on: str = "127.0.0.1",
) -> Entrance:
    """Return the entrance of a source with these settings."""
    tree = {"sources": {name: {"type": "alertmanager", "auth": auth}}}
    world = World(
        {},
        FakeClock(),
        fetch,
        Counters(CollectorRegistry()),
        listens_on,
        Tokens(),
    )
    config = Config(tree, {(): "the test"})
    return make_entrances(config, scan(sources), world)[name]


def come(
    entrance: Entrance, authorization: bytes | None, peer: str = "10.0.0.9"
) -> tuple[int, str]:
    """Return what somebody at the door is told; 200 when nothing is."""
    headers: Sequence[tuple[bytes, bytes]] = ()
    if authorization is not None:
        headers = ((b"authorization", authorization),)
    delivery = Delivery(
        source=entrance.name,
        body=b"{}",
        received_at=1,
        headers=headers,
        peer=peer,
    )
    try:
        entrance.authenticator.check(delivery)
    except Refused as refusal:
        return refusal.status, refusal.reason
    return 200, ""


BEARER: dict[str, object] = {"kind": "bearer", "secrets": ["own"]}
BASIC: dict[str, object] = {"kind": "basic", "secrets": ["me:own"]}
TOKEN: dict[str, object] = {"kind": "token"}
NONE: dict[str, object] = {"kind": "none"}


@pytest.mark.parametrize("auth", [BEARER, BASIC, TOKEN, NONE])
def test_a_token_opens_its_source(auth: dict[str, object]) -> None:
    """From another machine, beside what the settings say."""
    assert come(make(auth), GOOD) == (200, "")


@pytest.mark.parametrize("auth", [BEARER, BASIC, TOKEN, NONE])
@pytest.mark.parametrize("peer", ["10.0.0.9", "127.0.0.1"])
def test_a_token_of_another_source_is_refused(
    auth: dict[str, object], peer: str
) -> None:
    """403, on this machine too, where no secret at all would do."""
    told = (403, "token_of_another_source")
    assert come(make(auth), OTHER, peer) == told
    assert come(make(auth, "second"), GOOD, peer) == told


def test_what_the_settings_say_still_opens() -> None:
    """A token closes nothing."""
    assert come(make(BEARER), b"Bearer own") == (200, "")
    assert come(make(BASIC), b"Basic bWU6b3du") == (200, "")
    assert come(make(NONE), None, "127.0.0.1") == (200, "")


def test_who_shows_nothing_is_told_what_the_settings_ask() -> None:
    """As if there were no tokens."""
    assert come(make(BEARER), None) == (401, "no_secret")
    assert come(make(BEARER), b"Bearer x") == (401, "wrong_secret")
    assert come(make(NONE), None) == (401, "not_loopback")


@pytest.mark.parametrize("given", [None, b"Bearer x", b"Bearer sj_gone"])
@pytest.mark.parametrize("peer", ["10.0.0.9", "127.0.0.1"])
def test_a_source_may_take_tokens_only(given: bytes | None, peer: str) -> None:
    """Then this machine needs one as well."""
    assert come(make(TOKEN), given, peer) == (401, "wrong_token")


def test_a_source_of_tokens_may_listen_anywhere() -> None:
    """It has no secret in the settings, and is not open for that."""
    assert come(make(TOKEN, listens_on="0.0.0.0"), GOOD) == (200, "")
    with pytest.raises(ConfigError):
        make(NONE, listens_on="0.0.0.0")


@pytest.mark.parametrize(
    "auth",
    [
        {"kind": "hmac", "secrets": ["key"], "header": "x-signature"},
        {
            "kind": "mtls",
            "header": "x-name",
            "names": ["a"],
            "proxies": ["127.0.0.1"],
        },
    ],
)
def test_a_token_does_not_stand_for_a_signature(
    auth: dict[str, object],
) -> None:
    """Who must sign or show a certificate proves more than a token does."""
    entrance = make(auth)
    assert not isinstance(entrance.authenticator, WithTokens)
    assert come(entrance, GOOD, "127.0.0.1")[0] == 401


def test_nothing_is_open_for_want_of_a_check() -> None:
    """Made without the tokens, such a source is closed, not open."""
    made = make_authenticator(AuthSettings(kind="token"), [], FakeClock())
    assert isinstance(made, OnlyTokens)
    assert not NO_TOKENS.opens("alertmanager", GOOD)
