"""Who may use the simulator's server: this machine, or who has the token.

A browser on this machine is on this machine, too: a page that it shows must
not cause trouble here, not even by a name of its own that leads to this
address (DNS rebinding). So without a token only the machine's own names are
answered, and only to pages of ours.
"""

import hmac
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from simulator.answers import answer_refused
from simulator.problem import Refused

OWN_NAMES = ("127.0.0.1", "localhost", "::1")
FORWARDED = frozenset({"x-forwarded-for", "forwarded"})
# What needs no token: nothing can be read or caused there.
OPEN_PATHS = ("/", "/page.js", "/health")


class NotAllowed(Refused):
    """Whoever asks may not."""

    status = 403
    title = "Not allowed"


class NoToken(Refused):
    """The token is missing or wrong."""

    status = 401
    title = "Not authenticated"


class Lock:
    """ASGI middleware that refuses strangers."""

    def __init__(self, app: ASGIApp, token: str = "") -> None:
        """Take what it guards, and the token, empty for none."""
        self._app = app
        self._token = token.encode()

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer, or refuse."""
        if scope["type"] == "http":
            try:
                self._check(Request(scope))
            except Refused as error:
                await answer_refused(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, request: Request) -> None:
        """Return when the caller may ask, raise Refused when not."""
        _check_origin(request)
        if not self._token:
            _check_own(request)
        elif request.url.path not in OPEN_PATHS:
            _check_token(request, self._token)


def _check_token(request: Request, token: bytes) -> None:
    """Return when the token is shown."""
    said = request.headers.get("authorization", "").encode("latin-1")
    scheme, _, given = said.partition(b" ")
    if scheme.lower() != b"bearer" or not hmac.compare_digest(given, token):
        raise NoToken(
            "the token is missing or wrong",
            field="authorization",
            remedy="Send 'Authorization: Bearer TOKEN' with the token of"
            " the settings",
        )


def _check_own(request: Request) -> None:
    """Return when this machine asks, by a name of its own."""
    if not FORWARDED.isdisjoint(request.headers):
        raise NotAllowed(
            "without a token nobody is answered through a proxy",
            field="x-forwarded-for",
            remedy="Set 'token' in the settings",
        )
    host = request.headers.get("host", "")
    if _name(f"//{host}") not in OWN_NAMES:
        raise NotAllowed(
            "without a token only this machine's own address is answered",
            field="host",
            remedy="Ask for it by 127.0.0.1 or localhost",
        )


def _check_origin(request: Request) -> None:
    """Return unless a page of somebody else asks."""
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("//")[2] != host:
        raise NotAllowed(
            "a page of somebody else may not ask",
            field="origin",
            remedy="Use the page of the simulator itself",
        )
    site = request.headers.get("sec-fetch-site")
    # A link to the page from elsewhere is fine; it causes nothing.
    if site in ("cross-site", "same-site") and request.url.path != "/":
        raise NotAllowed(
            "a page of somebody else may not ask",
            field="sec-fetch-site",
            remedy="Open its address by itself",
        )


def _name(url: str) -> str:
    """Return the host's name in an address, empty when it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
