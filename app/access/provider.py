"""An OpenID provider: where its pages are, its keys, and its tokens.

Everything is asked over one guarded way (app/core/egress.py): no redirects,
bounded answers, a deadline. What it signs is checked by joserfc.
"""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.access.oidc_settings import OidcSettings
from app.access.oidc_state import Login
from app.core.clock import Clock
from app.core.egress import (
    Bounds,
    Call,
    Egress,
    Resolve,
    Said,
    resolve,
    trust,
)
from app.core.errors import OutgoingFailed, Refused

ALGORITHMS = ("RS256", "ES256")
KEY_TYPES = ("RSA", "EC")
MOST_BYTES = 262_144
KEPT_SECONDS = 3_600.0
# While it is down nobody waits for it again and again.
REST_SECONDS = 5.0
# A token with a key that we do not know: it may be new.
RENEW_SECONDS = 60.0
LEEWAY_SECONDS = 60
WELL_KNOWN = "/.well-known/openid-configuration"
FORM = {"content-type": "application/x-www-form-urlencoded"}
T = TypeVar("T")


class Metadata(msgspec.Struct, frozen=True):
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = (
        "client_secret_basic",
    )
    authorization_response_iss_parameter_supported: bool = False


class Granted(msgspec.Struct, frozen=True):
    """What a code was exchanged for."""

    id_token: str
    access_token: str = ""


class Jwks(msgspec.Struct, frozen=True):
    """The keys of a provider as it writes them."""

    keys: list[dict[str, Any]]


class Provider:
    """Asks one provider."""

    def __init__(
        self,
        settings: OidcSettings,
        secret: str,
        clock: Clock,
        look_up: Resolve = resolve,
    ) -> None:
        """Take where it is, and what proves there that it is us.

        Raises:
            ValueError: the certificates cannot be read.
        """
        self.settings = settings
        self._secret = secret
        self._clock = clock
        bounds = Bounds(settings.timeout_seconds, MOST_BYTES, settings.allow)
        self._egress = Egress(bounds, trust(settings.ca_file), look_up)
        self._metadata: tuple[Metadata, float] | None = None
        self._keys: tuple[KeySet, float] | None = None
        self._rests_until = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def address(self, login: Login, back: str) -> str:
        """Return where a browser is sent to sign in.

        Args:
            login: the login that begins.
            back: where the provider sends it back to.

        Raises:
            OutgoingFailed: the provider cannot be asked.
        """
        metadata = await self.metadata()
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": back,
            "scope": " ".join(self.settings.scopes),
            "state": login.state,
            "nonce": login.nonce,
            "code_challenge": login.challenge,
            "code_challenge_method": "S256",
        }
        where = metadata.authorization_endpoint
        return f"{where}{'&' if '?' in where else '?'}{urlencode(query)}"

    async def exchange(self, code: str, login: Login, back: str) -> Granted:
        """Return what a code is good for.

        Raises:
            OutgoingFailed: the provider cannot be asked.
            Refused: the code is good for nothing.
        """
        metadata = await self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": login.verifier,
        }
        headers = {**FORM, "accept": "application/json"}
        name, secret = self.settings.client_id, self._secret
        methods = metadata.token_endpoint_auth_methods_supported
        if "client_secret_basic" in methods:
            pair = f"{quote(name, safe='')}:{quote(secret, safe='')}"
            basic = b64encode(pair.encode()).decode()
            headers["authorization"] = f"Basic {basic}"
        else:
            form |= {"client_id": name, "client_secret": secret}
        body = urlencode(form).encode()
        call = Call("POST", metadata.token_endpoint, headers, body)
        said = await self._egress.send(call)
        if 400 <= said.status < 500:
            raise _refused("code", "The provider did not take the code.")
        return _read(said, Granted)

    async def verify(self, token: str, nonce: str) -> dict[str, Any]:
        """Return the claims of a token that is the provider's, and for us.

        Raises:
            OutgoingFailed: the provider's keys cannot be had.
            Refused: it is not.
        """
        # Five parts are what is encrypted: nobody does so for us.
        if token.count(".") != 2:
            raise _refused("id_token", "The provider's token is none.")
        for is_second in (False, True):
            keys = await self._read_keys(is_second=is_second)
            try:
                held = jwt.decode(token, keys, algorithms=ALGORITHMS)
            except (JoseError, ValueError, TypeError, RecursionError):
                continue
            return self._check(dict(held.claims), nonce)
        raise _refused("id_token", "The provider's token is not signed.")

    async def ask_more(self, granted: Granted, subject: str) -> dict[str, Any]:
        """Return what the provider says of somebody when it is asked.

        Raises:
            OutgoingFailed: it cannot be asked.
            Refused: it speaks of somebody else.
        """
        metadata = await self.metadata()
        if not metadata.userinfo_endpoint or not granted.access_token:
            return {}
        headers = {
            "authorization": f"Bearer {granted.access_token}",
            "accept": "application/json",
        }
        call = Call("GET", metadata.userinfo_endpoint, headers)
        claims = _read(await self._egress.send(call), dict[str, Any])
        if claims.get("sub") != subject:
            raise _refused("userinfo", "The provider speaks of another one.")
        return claims

    async def check_issuer(self, said: str | None) -> None:
        """Return when it was our provider that sent somebody back.

        Raises:
            OutgoingFailed: the provider cannot be asked.
            Refused: another one did.
        """
        metadata = await self.metadata()
        must = metadata.authorization_response_iss_parameter_supported
        if (said is None and must) or said not in (None, metadata.issuer):
            raise _refused("iss", "Another provider has answered.")

    async def metadata(self) -> Metadata:
        """Return what the provider says of itself, at most an hour old."""
        async with self._one_at_a_time:
            now = self._clock.monotonic()
            kept = self._metadata
            if kept is not None and now - kept[1] < KEPT_SECONDS:
                return kept[0]
            # A slash at its end is part of an issuer, and not of the path.
            where = self.settings.issuer.rstrip("/") + WELL_KNOWN
            found = await self._get(where, Metadata)
            self._check_metadata(found)
            self._metadata = (found, now)
            return found

    async def _read_keys(self, *, is_second: bool) -> KeySet:
        """Return the provider's keys.

        Args:
            is_second: whether those that are kept did not fit.
        """
        metadata = await self.metadata()
        async with self._one_at_a_time:
            now = self._clock.monotonic()
            kept = self._keys
            seconds = RENEW_SECONDS if is_second else KEPT_SECONDS
            if kept is not None and now - kept[1] < seconds:
                return kept[0]
            found = await self._get(metadata.jwks_uri, Jwks)
            keys = _to_keys(found)
            self._keys = (keys, now)
            return keys

    async def _get(self, url: str, form: type[T]) -> T:
        """Return what an address of the provider says."""
        if self._clock.monotonic() < self._rests_until:
            raise OutgoingFailed("the provider failed a moment ago")
        headers: Mapping[str, str] = {"accept": "application/json"}
        try:
            said = await self._egress.send(Call("GET", url, headers))
            return _read(said, form)
        except OutgoingFailed:
            self._rests_until = self._clock.monotonic() + REST_SECONDS
            raise

    def _check_metadata(self, found: Metadata) -> None:
        """Raise OutgoingFailed when a provider is not the one we mean."""
        issuer = self.settings.issuer
        if found.issuer != issuer:
            raise OutgoingFailed("the provider calls itself another name")
        if urlsplit(issuer).scheme != "https":
            return
        for url in (
            found.authorization_endpoint,
            found.token_endpoint,
            found.jwks_uri,
            found.userinfo_endpoint or issuer,
        ):
            if urlsplit(url).scheme != "https":
                raise OutgoingFailed("the provider has pages without https")

    def _check(self, claims: dict[str, Any], nonce: str) -> dict[str, Any]:
        """Return claims that were made by it, for us, now, for this login."""
        settings = self.settings
        rules = jwt.JWTClaimsRegistry(
            now=self._clock.now() // 1_000_000,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            rules.validate(claims)
        except JoseError as error:
            claim = getattr(error, "claim", "") or "a claim"
            raise _refused(
                "id_token", f"The provider's token is not right: {claim}."
            ) from error
        party = claims.get("azp", settings.client_id)
        if party != settings.client_id:
            raise _refused("id_token", "The provider's token is for another.")
        if len(claims["sub"]) > 255 or not claims["sub"].isprintable():
            raise _refused("id_token", "The provider's subject is none.")
        return claims


def _to_keys(found: Jwks) -> KeySet:
    """Return the keys that sign, and that everybody may know."""
    fit = [
        key
        for key in found.keys
        if key.get("kty") in KEY_TYPES and key.get("use", "sig") == "sig"
    ]
    try:
        return KeySet.import_key_set({"keys": fit})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise OutgoingFailed("the provider has no keys for us") from error


def _read(said: Said, form: type[T]) -> T:
    """Return an answer 200 in a form, or raise OutgoingFailed."""
    if said.status != 200:
        raise OutgoingFailed(f"the provider answered {said.status}")
    try:
        return msgspec.json.decode(said.body, type=form)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise OutgoingFailed("the provider's answer is not JSON") from error


def _refused(part: str, detail: str) -> Refused:
    """Return the refusal of a login that is not right."""
    return Refused(
        403,
        f"wrong_{part}",
        detail,
        field=part,
        remedy="Begin again at the sign-in page.",
    )
