"""Single sign-on, put together, when the settings name a provider."""

from typing import TYPE_CHECKING

from app.access.oidc import SingleSignOn
from app.access.settings import AccessSettings
from app.bootstrap.ground import Ground
from app.core.configfile import reveal
from app.core.deferred import Deferred
from app.core.errors import ConfigError

if TYPE_CHECKING:
    from app.access import provider
else:
    # It brings what checks signatures.
    provider = Deferred("app.access.provider")

PLACE = ("access", "oidc")


def make_oidc(ground: Ground, access: AccessSettings) -> SingleSignOn | None:
    """Return who lets in whom the provider knows, None for nobody.

    Raises:
        ConfigError: the settings do not suffice.
    """
    settings = access.oidc
    if settings is None:
        return None
    config, outside = ground.config, ground.outside
    wrong: list[tuple[tuple[str, ...], str]] = []
    if not access.public_url:
        what = "is missing: the provider sends browsers back to it"
        wrong.append((("access", "public_url"), what))
    secret = ""
    try:
        secret = reveal(settings.client_secret, outside.environ)
    except ValueError as error:
        wrong.append(((*PLACE, "client_secret"), str(error)))
    else:
        if not secret:
            # Our own keys are made from it, too.
            wrong.append(((*PLACE, "client_secret"), "is empty"))
    try:
        asked = provider.Provider(settings, secret, outside.clock)
    except ValueError as error:
        wrong.append(((*PLACE, "ca_file"), str(error)))
    if wrong:
        remedy = "See docs/accounts.md for how it is written."
        raise ConfigError(
            [config.problem(place, what, remedy) for place, what in wrong]
        )
    return SingleSignOn(asked, secret, access.public_url, outside.clock)
