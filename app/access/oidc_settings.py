"""Settings: the provider that people sign in with, and who may do what."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic.networks import IPvAnyNetwork

from app.core.configfile import Section
from app.core.naming import is_loopback
from app.core.remote import ExactAddress
from app.models.account import Role


class OidcSettings(Section):
    """Where an OpenID provider is, and what its claims mean here.

    Attributes:
        issuer: its address, exactly as it writes it into its tokens.
        client_id: what we are called there.
        client_secret: what proves there that it is us.
        scopes: what we ask for.
        name_claim: what an account is called, when it is made.
        role_claim: where the groups stand.
        roles: what members of a group may do; the highest counts.
        default_role: what those may do who are in none of the groups;
            empty: they may not come in.
        teams_claim: where the teams stand; empty: they are set here.
        label: what the button says.
        timeout_seconds: how long the provider may take for one answer.
        allow: its networks, when they are not public.
        ca_file: whose certificates are believed, or empty: the usual ones.
    """

    issuer: ExactAddress
    client_id: str = Field(min_length=1, max_length=300)
    client_secret: SecretStr
    scopes: tuple[str, ...] = ("openid", "profile")
    name_claim: str = Field("preferred_username", min_length=1)
    role_claim: str = Field("groups", min_length=1)
    roles: dict[str, Role] = Field(default_factory=dict)
    default_role: Role | Literal[""] = ""
    teams_claim: str = ""
    label: str = Field("Single sign-on", min_length=1, max_length=60)
    timeout_seconds: float = Field(10.0, gt=0, le=60)
    allow: tuple[IPvAnyNetwork, ...] = ()
    ca_file: str = ""

    @field_validator("issuer")
    @classmethod
    def _is_safe(cls, issuer: str) -> str:
        """Refuse an address at which anybody could answer."""
        parts = urlsplit(issuer)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise ValueError("must begin with https://")
        return issuer

    @field_validator("scopes")
    @classmethod
    def _has_openid(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse scopes without the one that makes it OpenID."""
        if "openid" not in scopes:
            raise ValueError("must hold openid")
        return scopes
