"""The provider's answers: what is right is taken, all else is refused.

Over real HTTP, with real keys and signatures.
"""

import asyncio
import time
from collections.abc import Callable
from hashlib import sha256

import msgspec
import pytest
from joserfc.jwk import OctKey

from app.access.oidc import MOST_AT_ONCE
from app.access.oidc_claims import Person
from app.access.oidc_settings import OidcSettings
from app.access.provider import (
    RENEW_SECONDS,
    REST_SECONDS,
    Metadata,
    Provider,
)
from app.core.errors import OutgoingFailed, Refused, TooBusy
from app.models.account import Role
from tests.fakes import FakeClock
from tests.oidc import CLIENT, CODE, SECRET, FakeProvider, make_rsa
from tests.unit.access.away import HOME, Away, claim, log_in, part, reason, run


@pytest.mark.parametrize(("alg", "kid"), [("RS256", "r1"), ("ES256", "e1")])
def test_what_is_right_is_let_in(
    fake: FakeProvider, alg: str, kid: str
) -> None:
    """With either of the two kinds of signature."""
    fake.header = {"alg": alg, "kid": kid}
    person = log_in(fake)
    assert person == Person(
        subject=f"{fake.issuer} u-1",
        name="ana",
        role=Role.APPROVER,
        teams=None,
    )


def test_the_provider_is_told_what_the_standard_says(
    fake: FakeProvider,
) -> None:
    """A code for this client, with state, nonce and a challenge."""

    async def work() -> None:
        away = Away(fake)
        await away.go()
        assert away.sent["response_type"] == "code"
        assert away.sent["client_id"] == CLIENT
        assert away.sent["scope"] == "openid profile"
        assert away.sent["code_challenge_method"] == "S256"
        back = f"{HOME}/console/login/oidc/callback"
        assert away.sent["redirect_uri"] == back
        await away.back()
        assert fake.forms[0]["redirect_uri"] == back
        assert fake.forms[0]["grant_type"] == "authorization_code"
        verifier = fake.forms[0]["code_verifier"]
        challenge = part(sha256(verifier.encode()).digest())
        assert away.sent["code_challenge"] == challenge

    run(work)
    assert fake.logins == ["smokejumper:a%20secret%20of%20the%20client"]


def test_a_provider_may_want_the_secret_in_the_form(
    fake: FakeProvider,
) -> None:
    """When it says that it takes no basic authentication."""
    fake.metadata = {
        "token_endpoint_auth_methods_supported": ["client_secret_post"]
    }
    log_in(fake)
    assert fake.logins == []
    assert fake.forms[0]["client_secret"] == SECRET


def test_a_code_is_good_once(fake: FakeProvider) -> None:
    """A second try with all that the first one had is refused."""

    async def work() -> None:
        away = Away(fake)
        await away.go()
        await away.back()
        with pytest.raises(Refused) as caught:
            await away.back()
        assert caught.value.reason == "wrong_code"

    run(work)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"state": "another"}, "wrong_state"),
        ({"issuer": "https://another.example"}, "wrong_iss"),
        ({"code": "", "error": "access_denied"}, "not_granted"),
        ({"code": ""}, "not_granted"),
        ({"code": "guessed"}, "wrong_code"),
    ],
)
def test_who_comes_back_with_something_else_is_refused(
    fake: FakeProvider, given: dict[str, str], why: str
) -> None:
    """Another login, another provider, no code, a guessed code."""

    async def work() -> None:
        away = Away(fake)
        await away.go()
        with pytest.raises(Refused) as caught:
            await away.back(**given)
        assert caught.value.reason == why
        assert "/userinfo" not in fake.asked

    run(work)


def test_a_wrong_state_costs_the_provider_nothing(fake: FakeProvider) -> None:
    """Strangers cannot have us call it."""

    async def work() -> None:
        away = Away(fake)
        await away.go()
        before = list(fake.asked)
        with pytest.raises(Refused):
            await away.back(state="x")
        assert fake.asked == before

    run(work)


def test_a_provider_that_names_itself_must_do_so(fake: FakeProvider) -> None:
    """When it says that it will, its absence is a mix-up."""
    fake.metadata = {"authorization_response_iss_parameter_supported": True}
    assert reason(fake, bool) == "wrong_iss"

    async def work() -> None:
        away = Away(fake)
        await away.go()
        person, _ = await away.back(issuer=fake.issuer)
        assert person.name == "ana"

    run(work)


def test_what_the_token_does_not_say_is_asked(fake: FakeProvider) -> None:
    """Some write groups into their page about a person only."""
    fake.userinfo = {"sub": "u-1", "groups": ["oncall"], "iss": "x"}
    person = log_in(fake, claim("groups", None))
    assert person.role is Role.APPROVER
    assert person.subject == f"{fake.issuer} u-1"
    assert "/userinfo" in fake.asked


def test_what_the_token_leaves_empty_is_asked(fake: FakeProvider) -> None:
    """A null says nothing, and does not stand before what was said."""

    def change(fake: FakeProvider) -> None:
        fake.claims["groups"] = None

    fake.userinfo = {"sub": "u-1", "groups": ["oncall"]}
    assert log_in(fake, change).role is Role.APPROVER


def test_the_token_counts_more_than_what_is_asked(fake: FakeProvider) -> None:
    """It is signed."""
    fake.userinfo = {
        "sub": "u-1",
        "preferred_username": "root",
        "groups": ["oncall"],
    }
    assert log_in(fake, claim("groups", None)).name == "ana"


def test_a_page_about_another_person_is_refused(fake: FakeProvider) -> None:
    """Tokens can be mixed up; subjects are compared."""
    fake.userinfo = {"sub": "u-2", "groups": ["oncall"]}
    assert reason(fake, claim("groups", None)) == "wrong_userinfo"


def test_a_new_key_is_learnt(fake: FakeProvider) -> None:
    """Providers change their keys; we ask again, and not too often."""

    async def work() -> None:
        away = Away(fake)
        await away.go()
        await away.back()
        fake.keys = [make_rsa("r2", number=2)]
        fake.header = {"alg": "RS256", "kid": "r2"}
        fake.codes = {CODE, "code-2"}
        with pytest.raises(Refused):
            await away.back()
        assert fake.asked.count("/jwks") == 1
        away.clock.advance(RENEW_SECONDS)
        await away.back(code="code-2")
        assert fake.asked.count("/jwks") == 2

    run(work)


def test_what_it_says_of_itself_is_kept_for_an_hour(
    fake: FakeProvider,
) -> None:
    """A morning's logins do not ask for it each time."""

    async def work() -> int:
        away = Away(fake)
        for _ in range(3):
            await away.go()
        return sum("well-known" in path for path in fake.asked)

    assert run(work) == 1


@pytest.mark.parametrize(
    "break_it",
    [
        lambda fake: fake.metadata.update(issuer="https://another.example"),
        lambda fake: fake.metadata.update(token_endpoint=None),
        lambda fake: fake.status.update(
            {"/.well-known/openid-configuration": 503}
        ),
        lambda fake: fake.status.update(
            {"/.well-known/openid-configuration": 302}
        ),
        lambda fake: fake.metadata.update(padding="x" * 300_000),
    ],
)
def test_a_provider_that_is_not_right_lets_nobody_in(
    fake: FakeProvider, break_it: Callable[[FakeProvider], object]
) -> None:
    """Another name, half a page, a failure, a redirect, far too much."""
    break_it(fake)
    assert reason(fake, bool) == "provider_unreachable"
    assert "/jwks" not in fake.asked


@pytest.mark.parametrize("path", ["/token", "/jwks", "/userinfo"])
def test_a_provider_may_fail_later(fake: FakeProvider, path: str) -> None:
    """Then nobody is let in either, and may try again."""
    fake.status = {path: 500}
    change = claim("groups", None)
    assert reason(fake, change) == "provider_unreachable"


def test_keys_that_are_secrets_are_no_keys(fake: FakeProvider) -> None:
    """A symmetric key that is published is everybody's."""
    fake.keys = [OctKey.generate_key(256, {"kid": "r1"})]
    header = {"alg": "HS256", "kid": "r1"}
    fake.header = header
    assert reason(fake, bool) == "provider_unreachable"


def test_a_provider_that_is_down_is_left_alone(fake: FakeProvider) -> None:
    """Whoever presses the button again waits for nothing."""
    fake.status = {"/.well-known/openid-configuration": 500}

    async def work() -> None:
        away = Away(fake)
        for _ in range(3):
            with pytest.raises(TooBusy):
                await away.door.begin("/")
        assert len(fake.asked) == 1
        fake.status = {}
        away.clock.advance(REST_SECONDS)
        await away.go()

    run(work)


def test_an_address_within_must_be_listed(fake: FakeProvider) -> None:
    """Settings cannot make us call what is not public by accident."""
    assert reason(fake, bool, allow=[]) == "provider_unreachable"
    assert fake.asked == []


def test_no_page_of_a_safe_provider_is_unsafe() -> None:
    """What begins with https goes on with it."""
    clock = FakeClock(int(time.time() * 1e6))
    settings = OidcSettings.model_validate(
        {"issuer": "https://a.example", "client_id": "c", "client_secret": "s"}
    )
    provider = Provider(settings, "s", clock)
    pages = {
        "issuer": "https://a.example",
        "authorization_endpoint": "https://a.example/a",
        "token_endpoint": "https://a.example/t",
        "jwks_uri": "https://a.example/j",
    }
    provider._check_metadata(msgspec.convert(pages, Metadata))
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        wrong = {**pages, name: "http://a.example/x"}
        with pytest.raises(OutgoingFailed):
            provider._check_metadata(msgspec.convert(wrong, Metadata))


def test_strangers_cannot_have_us_ask_without_end(fake: FakeProvider) -> None:
    """So many ways back at once, and no more; later ones are let in."""

    async def work() -> None:
        away = Away(fake)
        await away.go()
        before = len(fake.asked)
        tries = [away.back(code="guessed") for _ in range(MOST_AT_ONCE + 4)]
        told = await asyncio.gather(*tries, return_exceptions=True)
        reasons = [one.reason for one in told if isinstance(one, Refused)]
        assert reasons.count("too_many_logins") == 4
        assert reasons.count("wrong_code") == MOST_AT_ONCE
        assert len(fake.asked) - before == MOST_AT_ONCE
        person, _ = await away.back()
        assert person.name == "ana"

    run(work)
