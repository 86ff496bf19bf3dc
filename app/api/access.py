"""Who may read: this machine, or whoever shows a token of the settings.

Accounts and roles come with the console; until then this is the lock.
"""

import hmac
from collections.abc import Sequence

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
        peer = request.client.host if request.client else ""
        if not self._tokens:
            forwarded = {"x-forwarded-for", "forwarded"}
            if is_loopback(peer) and forwarded.isdisjoint(request.headers):
                return
            raise Refused(
                403,
                "no_token_set",
                "Only this machine may read while no token is set.",
                remedy="Add a token to api.tokens in the settings.",
            )
        value = request.headers.get("authorization", "").encode()
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
