"""Rule whether a delivery comes from who it says.

Several secrets may be right at once, so that they can be changed without a
gap. Comparisons take the same time whether the secret is right or wrong.
"""

import hashlib
import hmac
import ipaddress
import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from app.core.clock import Clock
from app.core.configfile import Section
from app.core.errors import Refused
from app.core.naming import FORWARDED, is_loopback
from app.ingest.tokens import OnlyTokens
from app.models.delivery import Delivery
from app.ports import Authenticator

Kind = Literal["bearer", "basic", "hmac", "mtls", "own", "token", "none"]
EVERYWHERE = ("0.0.0.0/0", "::/0")
PROXIES = tuple(name.encode() for name in FORWARDED)
# What browsers write, and no monitoring system does.
PAGES = (b"origin", b"sec-fetch-site")
LOOPBACK = ("127.0.0.0/8", "::1/128", "::ffff:127.0.0.0/104")


# What HTTP lets stand as the name of a header, or as a scheme.
WORD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _word(text: str) -> str:
    """Return one word of HTTP; no other could ever be sent."""
    if not WORD.fullmatch(text):
        raise ValueError("is no word that a header can carry")
    return text


def _header(text: str) -> str:
    """Return the name of a header, or nothing."""
    return text and _word(text)


Word = Annotated[str, AfterValidator(_word)]
Header = Annotated[str, AfterValidator(_header)]
Name = Annotated[str, Field(min_length=1)]


class AuthSettings(Section):
    """How one source proves that it is itself.

    Attributes:
        kind: bearer, basic, hmac, mtls, own (the source's own signature,
            such as Amazon's), token (of an account: app/ingest/tokens.py),
            or none.
        secrets: tokens, "user:password" pairs or keys; any of them is right.
        scheme: the word before a bearer token.
        header: where the signature or the certificate's name stands.
        timestamp_header: where the signed time stands; empty for none.
        separator: stands between the signed time and the body.
        prefix: stands before the signature, such as "sha256=".
        tolerance_seconds: how old a signed delivery may be.
        names: the certificate names that are right.
        proxies: the addresses of proxies that check certificates.
        beyond_loopback: take unsigned deliveries from other machines too.
    """

    kind: Kind
    secrets: tuple[SecretStr, ...] = ()
    scheme: Word = "Bearer"
    header: Header = ""
    timestamp_header: Header = ""
    separator: str = "."
    prefix: str = ""
    tolerance_seconds: int = Field(300, ge=1, le=86_400)
    names: tuple[Name, ...] = ()
    proxies: tuple[str, ...] = ()
    beyond_loopback: bool = False


class Peers:
    """A set of addresses, with the answers for those seen remembered."""

    def __init__(self, networks: Sequence[str]) -> None:
        """Take networks as texts, such as 10.0.0.0/24."""
        self._networks = [ipaddress.ip_network(text) for text in networks]
        self._seen: dict[str, bool] = {}

    def __contains__(self, peer: str) -> bool:
        """Tell whether an address belongs to the set."""
        known = self._seen.get(peer)
        if known is None:
            known = self._look_up(peer)
            if len(self._seen) < 1_000:
                self._seen[peer] = known
        return known

    def _look_up(self, peer: str) -> bool:
        """Compare an address with each network."""
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


class HeaderSecret:
    """Bearer and basic: the value of the Authorization header is right."""

    def __init__(self, scheme: str, values: Sequence[str]) -> None:
        """Take the scheme and the values that are right."""
        self._scheme = scheme.lower().encode()
        self._digests = [_digest(value.encode()) for value in values]

    def check(self, delivery: Delivery) -> None:
        """Return when a right secret is there, raise Refused when not."""
        value = delivery.header(b"authorization")
        if value is None:
            raise _unknown("no_secret", "The delivery carries no secret.")
        scheme, _, secret = value.partition(b" ")
        right_scheme = scheme.lower() == self._scheme
        digest = _digest(secret.strip())
        right = [hmac.compare_digest(digest, d) for d in self._digests]
        if not right_scheme or not any(right):
            raise _unknown("wrong_secret", "The secret is not the right one.")


class Signature:
    """HMAC-SHA256 in hex over the body, or over time and body."""

    def __init__(
        self, settings: AuthSettings, keys: Sequence[str], clock: Clock
    ) -> None:
        """Take the headers to look at and the keys that are right."""
        self._header = settings.header.lower().encode()
        self._timestamp_header = settings.timestamp_header.lower().encode()
        self._separator = settings.separator.encode()
        self._prefix = settings.prefix.encode()
        self._tolerance = settings.tolerance_seconds * 1_000_000
        self._keys = [key.encode() for key in keys]
        self._clock = clock

    def check(self, delivery: Delivery) -> None:
        """Return when a signature is right and fresh, else raise Refused."""
        header = delivery.header(self._header)
        if header is None:
            field = self._header.decode()
            raise _unknown("no_signature", "It is not signed.", field)
        signed = self._signed_time(delivery) + delivery.body
        # A sender that changes its key sends one signature for each.
        given = [
            part.strip().removeprefix(self._prefix).lower()
            for part in header.split(b",")[:8]
        ]
        right = [
            hmac.compare_digest(
                hmac.digest(key, signed, "sha256").hex().encode(), one
            )
            for key in self._keys
            for one in given
        ]
        if not any(right):
            field = self._header.decode()
            raise _unknown("wrong_signature", "The signature fails.", field)

    def _signed_time(self, delivery: Delivery) -> bytes:
        """Return the signed time with its separator, once it is fresh."""
        if not self._timestamp_header:
            return b""
        field = self._timestamp_header.decode()
        text = delivery.header(self._timestamp_header) or b""
        if not text.isdigit() or len(text) > 15:
            detail = "The time of the signature is missing or no number."
            raise _unknown("no_timestamp", detail, field)
        age = abs(self._clock.now() - int(text) * 1_000_000)
        if age > self._tolerance:
            detail = "The signature is too old, or a clock is wrong."
            raise _unknown("stale", detail, field)
        return text + self._separator


class ProxyCertificate:
    """mTLS: a trusted proxy checked the certificate and names its owner."""

    def __init__(self, settings: AuthSettings) -> None:
        """Take the header, the right names and the proxies to trust."""
        self._header = settings.header.lower().encode()
        self._names = [name.encode() for name in settings.names]
        self._proxies = Peers(settings.proxies)

    def check(self, delivery: Delivery) -> None:
        """Return when a trusted proxy names a right owner, else raise."""
        if delivery.peer not in self._proxies:
            detail = "Certificates count only through a trusted proxy."
            raise _unknown("not_a_proxy", detail)
        # A sender may have written one before the proxy added its own.
        told = [text for one, text in delivery.headers if one == self._header]
        name = told[0] if len(told) == 1 else b""
        right = [hmac.compare_digest(name, known) for known in self._names]
        if not (name and any(right)):
            field = self._header.decode()
            detail = "The certificate is not of a known sender."
            raise _unknown("wrong_certificate", detail, field)


class Open:
    """None, on purpose: from this machine, or from anywhere if said twice."""

    def __init__(self, settings: AuthSettings) -> None:
        """Take whether the settings say it twice."""
        self._is_for_all = settings.beyond_loopback
        self._peers = Peers(EVERYWHERE if self._is_for_all else LOOPBACK)

    def check(self, delivery: Delivery) -> None:
        """Return when the sender may come without a secret, else raise."""
        if delivery.peer not in self._peers:
            detail = "Without a secret only this machine may send."
            raise _unknown("not_loopback", detail)
        if self._is_for_all:
            return
        is_page = False
        for name, _ in delivery.headers:
            if name.startswith(PROXIES):
                # A proxy on this machine makes the whole world look like it.
                detail = "Without a secret nobody may send through a proxy."
                raise _unknown("forwarded", detail, name.decode("latin-1"))
            is_page = is_page or name in PAGES
        if is_page:
            _check_page(delivery)


class Own:
    """The source checks a signature of its own, outside this module."""

    def check(self, delivery: Delivery) -> None:
        """Leave the ruling to the source's authenticate()."""


def challenge_of(settings: AuthSettings) -> str:
    """Return what a 401 asks for, as the header WWW-Authenticate."""
    schemes = [settings.scheme]
    if settings.kind == "basic":
        schemes = ["Basic"]
    elif settings.kind == "token":
        schemes = ["Bearer", "Basic"]
    return ", ".join(f'{scheme} realm="smokejumper"' for scheme in schemes)


def make_authenticator(
    settings: AuthSettings, secrets: Sequence[str], clock: Clock
) -> Authenticator:
    """Return the check that the settings of a source ask for."""
    if settings.kind == "bearer":
        return HeaderSecret(settings.scheme, secrets)
    if settings.kind == "basic":
        encoded = [_basic(pair) for pair in secrets]
        return HeaderSecret("Basic", encoded)
    if settings.kind == "hmac":
        return Signature(settings, secrets, clock)
    if settings.kind == "mtls":
        return ProxyCertificate(settings)
    if settings.kind == "token":
        return OnlyTokens()
    return Own() if settings.kind == "own" else Open(settings)


def _check_page(delivery: Delivery) -> None:
    """Raise Refused when a browser sends for another page than ours.

    A page of a stranger has it post to this machine, and maybe by a name of
    its own that leads here.
    """
    host = delivery.header(b"host") or b""
    origin = delivery.header(b"origin")
    site = delivery.header(b"sec-fetch-site")
    is_ours = origin is None or origin.partition(b"//")[2] == host
    is_same = site in (None, b"same-origin", b"none")
    if is_ours and is_same and is_loopback(_name_of(host)):
        return
    raise Refused(
        403,
        "strange_page",
        "A page in a browser sends this, and none of this service.",
        field="origin",
        remedy="Send it from a program, or give the source a secret.",
    )


def _name_of(host: bytes) -> str:
    """Return a host's name without its port, empty when it makes no sense."""
    try:
        return urlsplit(f"//{host.decode('latin-1')}").hostname or ""
    except ValueError:
        return ""


def _basic(pair: str) -> str:
    """Return "user:password" as the Basic scheme writes it."""
    return b64encode(pair.encode()).decode()


def _digest(value: bytes) -> bytes:
    """Return what is kept and compared in the place of a secret."""
    return hashlib.sha256(value).digest()


def _unknown(
    reason: str, detail: str, field: str = "authorization"
) -> Refused:
    """Return a refusal that does not tell what would be right."""
    return Refused(
        401,
        reason,
        detail,
        field=field,
        remedy="See 'auth' of this source in the settings.",
    )
