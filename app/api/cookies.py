"""The cookie of a session: what a browser keeps, and nobody else sees."""

from starlette.requests import Request
from starlette.responses import Response

from app.access.asked import is_public_site, is_secure, peer_of
from app.access.gate import COOKIE, SAFE_COOKIE, Gate
from app.access.settings import AccessSettings
from app.access.signing_in import Entered, Guest
from app.api.access import to_asked


def guest_of(gate: Gate, request: Request) -> Guest:
    """Return who stands at the door."""
    trust = gate.settings.trust_proxy
    peer = peer_of(to_asked(request), trust_proxy=trust)
    return Guest(peer, request.headers.get("user-agent", ""))


def give_cookie(
    response: Response, request: Request, gate: Gate, entered: Entered
) -> None:
    """Have a browser keep a session."""
    is_https = _is_https(request, gate.settings)
    response.set_cookie(
        SAFE_COOKIE if is_https else COOKIE,
        entered.secret,
        max_age=int(gate.settings.session_hours * 3600),
        path="/",
        secure=is_https,
        httponly=True,
        samesite="strict",
    )
    response.headers["cache-control"] = "no-store"


def take_cookie(response: Response) -> None:
    """Have a browser forget its session."""
    for name in (COOKIE, SAFE_COOKIE):
        response.delete_cookie(
            name,
            path="/",
            secure=name == SAFE_COOKIE,
            httponly=True,
            samesite="strict",
        )


def _is_https(request: Request, settings: AccessSettings) -> bool:
    """Tell whether the browser came by https."""
    asked = to_asked(request)
    if is_public_site(asked, settings.public_url):
        return True
    if request.url.scheme == "https":
        return True
    return is_secure(asked, trust_proxy=settings.trust_proxy)
