"""Settings: when a door stands open, and how long a session lasts."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from app.access.oidc_settings import OidcSettings
from app.core.configfile import Section
from app.core.naming import is_loopback


class AccessSettings(Section):
    """Who may come in without an account, and for how long with one."""

    open: Literal["auto", "always", "never"] = "auto"
    session_hours: float = Field(12.0, ge=0.05, le=720.0)
    idle_minutes: float = Field(120.0, ge=1.0, le=43_200.0)
    public_url: str = Field("", max_length=300)
    trust_proxy: bool = False
    setup_file: str = "setup.link"
    oidc: OidcSettings | None = None

    @property
    def issuer(self) -> str:
        """Return whose word lets people in, too; empty: nobody's."""
        return self.oidc.issuer if self.oidc is not None else ""

    @property
    def has_proxy(self) -> bool:
        """Tell whether people are to come through a proxy."""
        site = urlsplit(self.public_url).hostname
        return self.trust_proxy or not is_loopback(site or "localhost")

    @field_validator("public_url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        """Refuse what is no address of a site; return it without slash."""
        parts = urlsplit(url)
        is_site = parts.scheme in ("http", "https") and parts.hostname
        if url and (not is_site or parts.path.strip("/") or parts.query):
            raise ValueError("must be like https://smokejumper.example")
        return url.rstrip("/")
