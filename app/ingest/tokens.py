"""Tokens of accounts at the door of sources, beside what the settings say.

A token opens what it names and closes nothing: whoever may come in by the
settings still may. So a token that expires never opens a door wider.
"""

from typing import Protocol

from app.core.errors import Refused
from app.models.delivery import Delivery
from app.ports import Authenticator

# Where a bearer token or a basic password is what proves who sends. Those
# who sign or show a certificate prove more than a token does.
KINDS = ("bearer", "basic", "token", "none")


class SourceTokens(Protocol):
    """The living tokens; asked on the event loop, so it never waits."""

    def opens(self, source: str, authorization: bytes) -> bool:
        """Tell whether a header is a token that is for a source.

        Raises:
            Refused: it is a token of ours, and not for this source.
        """


class NoTokens:
    """The tokens of a service that has no accounts, as in many tests."""

    def opens(self, source: str, authorization: bytes) -> bool:
        """Know no token."""
        del source, authorization
        return False


NO_TOKENS = NoTokens()


class WithTokens:
    """Lets in who shows a token for the source, or what the settings ask.

    Attributes:
        otherwise: checks who shows no token for it.
    """

    def __init__(
        self, source: str, check: Authenticator, tokens: SourceTokens
    ) -> None:
        """Take the source, what the settings ask for, and the tokens."""
        self._source = source
        self.otherwise = check
        self._tokens = tokens

    def check(self, delivery: Delivery) -> None:
        """Return when the sender may come in, raise Refused when not."""
        value = delivery.header(b"authorization")
        if value is None or not self._tokens.opens(self._source, value):
            self.otherwise.check(delivery)


class OnlyTokens:
    """No secret of the settings opens the source."""

    def check(self, delivery: Delivery) -> None:
        """Refuse a delivery without a token of an account."""
        del delivery
        raise Refused(
            401,
            "wrong_token",
            "Only a token that is for this source opens it.",
            field="authorization",
            remedy="Send 'Authorization: Bearer TOKEN', or the token as the"
            " password of basic authentication; see docs/accounts.md.",
        )
