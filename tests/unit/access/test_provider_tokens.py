"""The provider's token: every part of it must be right.

Over real HTTP, with real keys and signatures.
"""

import hmac
import json
from typing import Any

import msgspec
import pytest
from joserfc import jws, jwt

from tests.oidc import CLIENT, FakeProvider, make_rsa
from tests.unit.access.away import (
    NOW,
    claim,
    log_in,
    part,
    reason,
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iss", "https://another.example"),
        ("iss", None),
        ("aud", "another-client"),
        ("aud", ["another-client"]),
        ("aud", None),
        ("nonce", "another"),
        ("nonce", None),
        ("exp", NOW - 61),
        ("exp", None),
        ("exp", "soon"),
        ("iat", NOW + 3_600),
        ("iat", None),
        ("nbf", NOW + 3_600),
        ("sub", None),
        ("sub", ""),
        ("sub", 7),
        ("sub", "x" * 256),
        ("sub", "a\0b"),
        ("sub", "a\nb"),
        ("azp", "another-client"),
    ],
)
def test_a_token_that_is_not_right_is_refused(
    fake: FakeProvider, name: str, value: Any
) -> None:
    """Another issuer, audience or nonce; too old; about nobody."""
    assert reason(fake, claim(name, value)) == "wrong_id_token"


@pytest.mark.parametrize(
    ("name", "value"),
    [("aud", [CLIENT, "b"]), ("exp", NOW - 30), ("azp", CLIENT)],
)
def test_a_token_may_be_a_little_different(
    fake: FakeProvider, name: str, value: Any
) -> None:
    """Several audiences, and clocks that differ by a minute."""
    assert log_in(fake, claim(name, value)).name == "ana"


def test_an_unsigned_token_is_refused(fake: FakeProvider) -> None:
    """The old trick: alg none."""

    def change(fake: FakeProvider) -> None:
        head = part(msgspec.json.encode({"alg": "none"}))
        fake.id_token = f"{head}.{part(msgspec.json.encode(fake.claims))}."

    assert reason(fake, change) == "wrong_id_token"


def test_the_public_key_is_no_secret(fake: FakeProvider) -> None:
    """The other old trick: HS256 with the key that everybody knows."""

    def change(fake: FakeProvider) -> None:
        key = fake.keys[0].as_pem(private=False)
        head = part(msgspec.json.encode({"alg": "HS256", "kid": "r1"}))
        text = f"{head}.{part(msgspec.json.encode(fake.claims))}"
        seal = hmac.digest(key, text.encode(), "sha256")
        fake.id_token = f"{text}.{part(seal)}"

    assert reason(fake, change) == "wrong_id_token"


def test_half_a_letter_is_no_subject(fake: FakeProvider) -> None:
    """JSON can say it, and no database holds it."""

    def change(fake: FakeProvider) -> None:
        half = json.dumps({**fake.claims, "sub": "\ud800"}).encode()
        signed = jws.serialize_compact(fake.header, half, fake.keys[0])
        fake.id_token = signed

    assert reason(fake, change) == "wrong_id_token"


def test_claims_that_are_nested_for_ever_are_refused(
    fake: FakeProvider,
) -> None:
    """Also when they are signed by whom we trust."""

    def change(fake: FakeProvider) -> None:
        deep = b'{"a":' * 3_000 + b"1" + b"}" * 3_000
        signed = jws.serialize_compact(fake.header, deep, fake.keys[0])
        fake.id_token = signed

    assert reason(fake, change) == "wrong_id_token"


@pytest.mark.parametrize("alg", ["RS512", "PS256"])
def test_another_algorithm_is_refused(fake: FakeProvider, alg: str) -> None:
    """Even a good one: the list is short."""
    fake.header = {"alg": alg, "kid": "r1"}
    assert reason(fake, bool) == "wrong_id_token"


def test_a_strangers_signature_is_refused(fake: FakeProvider) -> None:
    """With a key of their own, under the name of the right one."""

    def change(fake: FakeProvider) -> None:
        stranger = make_rsa("r1", number=2)
        fake.id_token = jwt.encode(fake.header, fake.claims, stranger)

    assert reason(fake, change) == "wrong_id_token"


def test_a_key_in_the_token_itself_is_not_asked(fake: FakeProvider) -> None:
    """Whoever signs cannot bring the key that proves it."""

    def change(fake: FakeProvider) -> None:
        stranger = make_rsa("mine", number=2)
        header = {
            "alg": "RS256",
            "kid": "mine",
            "jwk": stranger.as_dict(private=False),
        }
        fake.id_token = jwt.encode(header, fake.claims, stranger)

    assert reason(fake, change) == "wrong_id_token"


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "a.b.c.d.e", "..", "é"])
def test_what_is_no_token_is_refused(fake: FakeProvider, token: str) -> None:
    """Nonsense breaks nothing."""

    def change(fake: FakeProvider) -> None:
        fake.id_token = token

    assert reason(fake, change) == "wrong_id_token"
