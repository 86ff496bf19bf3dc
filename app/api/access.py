"""Who may read: this machine, or whoever shows a token of the settings.

Accounts and roles come with the console; until then this is the lock.
"""

import hmac
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import Request

from app.core.errors import Refused
from app.ingest.entrances import is_loopback


class ReadAccess:
    """A FastAPI dependency that refuses strangers."""

    def __init__(self, tokens: Sequence[str]) -> None:
        """Take the tokens that may read; none means this machine only."""
        self._tokens = [token.encode() for token in tokens]

    def __call__(self, request: Request) -> None:
        """Return when the caller may read, raise Refused when not."""
        if not self._tokens:
            _check_local(request)
            return
        value = request.headers.get("authorization", "").encode("latin-1")
        scheme, _, given = value.partition(b" ")
        right = [hmac.compare_digest(given, token) for token in self._tokens]
        if scheme.lower() != b"bearer" or not any(right):
            raise Refused(
                401,
                "wrong_token",
                "The token is missing or wrong.",
                field="authorization",
                remedy="Send 'Authorization: Bearer TOKEN' with a token of "
                "api.tokens.",
            )


def _check_local(request: Request) -> None:
    """Return when this machine asks, and no web page of a stranger.

    A browser on this machine is on this machine, too: a page that it shows
    must not read or write here, not even by a name of its own that leads to
    this address (DNS rebinding).
    """
    peer = request.client.host if request.client else ""
    forwarded = {"x-forwarded-for", "forwarded"}
    if not is_loopback(peer) or not forwarded.isdisjoint(request.headers):
        raise Refused(
            403,
            "no_token_set",
            "Only this machine may read while no token is set.",
            remedy="Add a token to api.tokens in the settings.",
        )
    host = request.headers.get("host", "")
    if not is_loopback(_name(f"//{host}")):
        raise _strange("host", "Ask for it by 127.0.0.1 or localhost.")
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("//")[2] != host:
        raise _strange("origin", "Open it on a page of this service itself.")
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise _strange("sec-fetch-site", "Open its address by itself.")


def _name(url: str) -> str:
    """Return the host's name in an address, empty when it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _strange(field: str, remedy: str) -> Refused:
    """Return the refusal of a page that is not ours."""
    return Refused(
        403,
        "strange_page",
        "While no token is set, only this machine's own address is answered.",
        field=field,
        remedy=f"{remedy} Or add a token to api.tokens in the settings.",
    )
