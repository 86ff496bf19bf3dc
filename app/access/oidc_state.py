"""What a browser keeps while it is away at the provider.

The cookie names the login and is signed; nonce and verifier are made out of
its name with a key that only our nodes have, so that they are nowhere. The
key comes from the client's secret: any node takes back whom another sent.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256

import msgspec

from app.access.paths import local_path
from app.core.clock import Clock
from app.core.errors import Refused

COOKIE = "smokejumper_oidc"
# No sister site can plant this one: a stranger's login would become ours.
SAFE_COOKIE = f"__Host-{COOKIE}"
SECONDS = 600
LONGEST = 4_000


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """One login that has begun.

    Attributes:
        state: its name, which the provider sends back.
        nonce: what the provider's token must hold.
        verifier: what proves that we began it.
        path: where the browser goes on.
    """

    state: str
    nonce: str
    verifier: str
    path: str

    @property
    def challenge(self) -> str:
        """Return what the provider is told of the verifier."""
        return _encode(sha256(self.verifier.encode()).digest())


class Logins:
    """Begins logins, and knows them again."""

    def __init__(self, secret: str, clock: Clock) -> None:
        """Take the client's secret, and the time."""
        self._key = hmac.digest(secret.encode(), b"smokejumper oidc", "sha256")
        self._clock = clock

    def begin(self, path: str) -> tuple[Login, str]:
        """Return a new login, and the cookie that remembers it."""
        state = secrets.token_urlsafe(32)
        login = self._login(state, local_path(path))
        at = self._clock.now() // 1_000_000
        where = login.path.encode().hex()
        text = f"{at}.{state}.{where}"
        return login, f"{text}.{self._sign('cookie', text)}"

    def resume(self, cookie: str, state: str) -> Login:
        """Return the login that a browser comes back from.

        Raises:
            Refused: this browser began none, or not this one, or long ago.
        """
        text, _, signature = cookie[:LONGEST].rpartition(".")
        right = self._sign("cookie", text).encode()
        if not hmac.compare_digest(signature.encode(), right):
            raise _lost("This browser has begun no login.")
        at, own, where = text.split(".")
        if not hmac.compare_digest(own.encode(), state.encode()):
            raise _lost("This browser has begun another login.")
        age = self._clock.now() // 1_000_000 - int(at)
        if not -60 <= age <= SECONDS:
            raise _lost("The login took too long.")
        return self._login(own, bytes.fromhex(where).decode())

    def _login(self, state: str, path: str) -> Login:
        """Return the login of a state."""
        return Login(
            state=state,
            nonce=self._sign("nonce", state),
            verifier=self._sign("verifier", state),
            path=path,
        )

    def _sign(self, use: str, text: str) -> str:
        """Return what only we can make out of a text, for one use."""
        made = f"{use}|{text}".encode()
        return hmac.digest(self._key, made, "sha256").hex()


def _encode(content: bytes) -> str:
    """Return bytes in base64 as addresses take it."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _lost(detail: str) -> Refused:
    """Return the refusal of somebody who comes back from nowhere."""
    return Refused(
        403,
        "wrong_state",
        detail,
        field="state",
        remedy="Begin again at the sign-in page.",
    )
