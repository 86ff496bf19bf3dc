"""What a browser keeps while it is away: nothing that helps a stranger."""

import re
from base64 import urlsafe_b64encode
from hashlib import sha256

import pytest

from app.access.oidc_state import SAFE_COOKIE, SECONDS, Logins
from app.access.paths import HOME, LONGEST, local_path
from app.core.errors import Refused
from tests.fakes import FakeClock

PATH = "/console/incidents/7?tab=log"


def reason(logins: Logins, cookie: str, state: str) -> str:
    """Return why a browser is not known again."""
    with pytest.raises(Refused) as caught:
        logins.resume(cookie, state)
    assert caught.value.status == 403
    return caught.value.reason


def test_a_login_is_known_again_on_any_node() -> None:
    """All that is needed is in the cookie, and in the client's secret."""
    clock = FakeClock()
    login, cookie = Logins("s", clock).begin(PATH)
    assert Logins("s", clock).resume(cookie, login.state) == login
    assert login.path == PATH


def test_the_cookie_tells_neither_nonce_nor_verifier() -> None:
    """Whoever reads it cannot use the code that comes back."""
    login, cookie = Logins("s", FakeClock()).begin(PATH)
    for secret in (login.nonce, login.verifier):
        assert len(secret) == 64
        assert secret not in cookie
    assert login.nonce != login.verifier
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", cookie)


def test_the_challenge_is_as_pkce_wants_it() -> None:
    """S256: the digest of the verifier, without padding."""
    login, _ = Logins("s", FakeClock()).begin(PATH)
    digest = sha256(login.verifier.encode()).digest()
    right = urlsafe_b64encode(digest).decode().rstrip("=")
    assert login.challenge == right


def test_another_state_is_refused() -> None:
    """A login that somebody else began is not finished here."""
    logins = Logins("s", FakeClock())
    _, cookie = logins.begin(PATH)
    other, _ = logins.begin(PATH)
    assert reason(logins, cookie, other.state) == "wrong_state"
    assert reason(logins, cookie, "") == "wrong_state"
    assert reason(logins, cookie, "\u00e9") == "wrong_state"


@pytest.mark.parametrize(
    "cookie", ["", ".", "...", "a.b.c.d", "\u00e9", "x" * 9_000]
)
def test_a_cookie_of_somebody_else_is_refused(cookie: str) -> None:
    """Nothing that we did not sign is read."""
    assert reason(Logins("s", FakeClock()), cookie, "x") == "wrong_state"


def test_every_part_of_the_cookie_is_signed() -> None:
    """Neither time, nor state, nor path can be changed; nor the key."""
    clock = FakeClock()
    logins = Logins("s", clock)
    login, cookie = logins.begin(PATH)
    parts = cookie.split(".")
    other = b"/console/other".hex()
    for index, text in enumerate([str(int(parts[0]) + 1), "x", other]):
        forged = ".".join([*parts[:index], text, *parts[index + 1 :]])
        state = "x" if index == 1 else login.state
        assert reason(logins, forged, state) == "wrong_state"
    stranger = Logins("another secret", clock)
    assert reason(stranger, cookie, login.state) == "wrong_state"


def test_a_login_does_not_wait_for_ever() -> None:
    """Ten minutes at the provider are enough."""
    clock = FakeClock()
    logins = Logins("s", clock)
    login, cookie = logins.begin(PATH)
    clock.advance(SECONDS)
    assert logins.resume(cookie, login.state) == login
    clock.advance(1)
    assert reason(logins, cookie, login.state) == "wrong_state"


@pytest.mark.parametrize(
    "path", ["/", "/console/incidents", "/a?b=c&d=//x", "/console#top"]
)
def test_a_path_of_ours_is_gone_to(path: str) -> None:
    """Somebody lands where they wanted to go."""
    assert local_path(path) == path


def test_the_longest_path_fits_a_cookie() -> None:
    """Browsers keep 4,096 bytes of name and value, and we read as much."""
    path = "/" + "x" * (LONGEST - 1)
    logins = Logins("s", FakeClock())
    login, cookie = logins.begin(path)
    assert len(f"{SAFE_COOKIE}={cookie}") <= 4_096
    assert logins.resume(cookie, login.state).path == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/a\\..\\b",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\u2028x",
        "/" + "x" * LONGEST,
        " //evil.example",
    ],
)
def test_no_other_site_is_gone_to(path: str) -> None:
    """A link to the sign-in page cannot lead away from here."""
    assert local_path(path) == HOME
    login, _ = Logins("s", FakeClock()).begin(path)
    assert login.path == HOME
