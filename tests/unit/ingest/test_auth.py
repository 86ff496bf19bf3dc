"""Who may send: several secrets at once, fresh signatures, no guesses."""

import hmac
from base64 import b64encode

import pytest

from app.core.errors import Refused
from app.ingest.auth import AuthSettings, Kind, Peers, make_authenticator
from app.models.delivery import Delivery, Headers
from app.ports import Authenticator
from tests.fakes import FakeClock

BODY = b'{"alerts":[]}'
CLOCK = FakeClock()
NOW = CLOCK.now() // 1_000_000


def delivery(
    *headers: tuple[bytes, bytes], peer: str = "10.0.0.9"
) -> Delivery:
    """Return a delivery with some headers."""
    kept: Headers = headers
    return Delivery(
        source="a", body=BODY, received_at=1, headers=kept, peer=peer
    )


def make(kind: Kind, *secrets: str, **more: object) -> Authenticator:
    """Return the authenticator of some settings."""
    settings = AuthSettings.model_validate({"kind": kind, **more})
    return make_authenticator(settings, secrets, CLOCK)


def refusal(check: Authenticator, given: Delivery) -> str:
    """Return the reason of a refusal that must come, always a 401."""
    with pytest.raises(Refused) as caught:
        check.check(given)
    assert caught.value.status == 401
    assert caught.value.remedy
    return caught.value.reason


@pytest.mark.parametrize("token", [b"Bearer new", b"bearer old"])
def test_any_of_several_tokens_is_right(token: bytes) -> None:
    """A secret can be changed without a gap."""
    make("bearer", "old", "new").check(delivery((b"authorization", token)))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no_secret"),
        (b"Bearer wrong", "wrong_secret"),
        (b"Bearer", "wrong_secret"),
        (b"Basic old", "wrong_secret"),
        (b"old", "wrong_secret"),
        (b"\xff\xfe", "wrong_secret"),
    ],
)
def test_any_other_token_is_wrong(value: bytes | None, reason: str) -> None:
    """Also the right one under another scheme."""
    headers = [(b"authorization", value)] if value is not None else []
    assert refusal(make("bearer", "old"), delivery(*headers)) == reason


def test_the_scheme_can_be_another_word() -> None:
    """Alertmanager lets its users choose it."""
    check = make("bearer", "t", scheme="Token")
    check.check(delivery((b"authorization", b"Token t")))


def test_basic_takes_user_and_password() -> None:
    """As encoded by every client."""
    check = make("basic", "zbx:pä:w")
    right = b64encode("zbx:pä:w".encode())
    check.check(delivery((b"authorization", b"Basic " + right)))
    wrong = b64encode(b"zbx:other")
    given = delivery((b"authorization", b"Basic " + wrong))
    assert refusal(check, given) == "wrong_secret"


def signature(key: str, text: bytes) -> bytes:
    """Return an HMAC as senders write it."""
    return hmac.digest(key.encode(), text, "sha256").hex().encode()


def test_a_signature_over_the_body() -> None:
    """Right key right, wrong key wrong, changed body wrong."""
    check = make("hmac", "k1", "k2", header="X-Sign", prefix="sha256=")
    given = b"sha256=" + signature("k2", BODY)
    check.check(delivery((b"x-sign", given)))
    assert refusal(check, delivery()) == "no_signature"
    for text in (signature("k3", BODY), signature("k1", b"other"), b"", b"x"):
        reason = refusal(check, delivery((b"x-sign", text)))
        assert reason == "wrong_signature"


def test_one_of_several_signatures_is_enough() -> None:
    """A sender that changes its key signs with both."""
    check = make("hmac", "new", header="x-sign", prefix="v1=")
    both = b"v1=" + signature("old", BODY) + b", v1=" + signature("new", BODY)
    check.check(delivery((b"x-sign", both)))


def test_a_dated_signature_must_be_fresh() -> None:
    """Old ones, undated ones and changed dates are refused."""
    check = make(
        "hmac", "k", header="x-sign", timestamp_header="x-time", separator=":"
    )

    def dated(text: bytes, signed: bytes | None = None) -> Delivery:
        """Return a delivery that was signed at a time."""
        mine = signature("k", (signed or text) + b":" + BODY)
        return delivery((b"x-sign", mine), (b"x-time", text))

    check.check(dated(b"%d" % (NOW - 299)))
    assert refusal(check, dated(b"%d" % (NOW - 301))) == "stale"
    assert refusal(check, dated(b"%d" % (NOW + 301))) == "stale"
    assert refusal(check, dated(b"soon")) == "no_timestamp"
    assert refusal(check, dated(b"9" * 40)) == "no_timestamp"
    changed = dated(b"%d" % NOW, signed=b"%d" % (NOW - 9))
    assert refusal(check, changed) == "wrong_signature"


def test_a_certificate_counts_through_a_trusted_proxy_only() -> None:
    """Anybody can write the header; not anybody is the proxy."""
    check = make(
        "mtls", header="X-Client-DN", names=["CN=am"], proxies=["10.0.0.0/24"]
    )
    header = (b"x-client-dn", b"CN=am")
    check.check(delivery(header))
    other = delivery(header, peer="10.0.1.9")
    assert refusal(check, other) == "not_a_proxy"
    stranger = delivery((b"x-client-dn", b"CN=other"))
    assert refusal(check, stranger) == "wrong_certificate"
    assert refusal(check, delivery()) == "wrong_certificate"


def test_a_certificate_is_named_once() -> None:
    """A proxy that adds its header leaves the one that the sender wrote."""
    check = make("mtls", header="X-DN", names=["am"], proxies=["10.0.0.0/24"])
    mine, real = (b"x-dn", b"am"), (b"x-dn", b"CN=stranger")
    for headers in ((mine, real), (real, mine), (mine, mine)):
        assert refusal(check, delivery(*headers)) == "wrong_certificate"
    empty = delivery((b"x-dn", b""))
    assert refusal(check, empty) == "wrong_certificate"


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1"])
def test_none_takes_this_machine(peer: str) -> None:
    """Without a secret, loopback may send."""
    make("none").check(delivery(peer=peer))


@pytest.mark.parametrize("peer", ["10.0.0.9", "192.0.2.1", "", "unix"])
def test_none_takes_others_only_when_said_twice(peer: str) -> None:
    """Beyond loopback it needs a second word in the settings."""
    assert refusal(make("none"), delivery(peer=peer)) == "not_loopback"


@pytest.mark.parametrize("header", [b"x-forwarded-for", b"forwarded"])
def test_none_takes_nobody_through_a_proxy(header: bytes) -> None:
    """A proxy on this machine would make the world look like it."""
    given = delivery((header, b"192.0.2.1"), peer="127.0.0.1")
    assert refusal(make("none"), given) == "forwarded"
    make("none", beyond_loopback=True).check(given)


def test_none_said_twice_takes_everybody() -> None:
    """On purpose."""
    make("none", beyond_loopback=True).check(delivery(peer="192.0.2.1"))


def test_peers_forget_rather_than_grow() -> None:
    """A flood of addresses does not fill the memory."""
    peers = Peers(["10.0.0.0/8"])
    for number in range(2_000):
        assert f"10.0.{number // 250}.{number % 250}" in peers
    assert len(peers._seen) == 1_000
    assert "11.0.0.1" not in peers
