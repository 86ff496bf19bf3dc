"""Names of hosts, as other systems tell them."""

from collections.abc import Iterable
from ipaddress import ip_address

from app.core.shape import SHAPES

# What proxies write, and no program on this machine does.
FORWARDED = (
    *("forwarded", "x-forwarded-", "via", "x-real-ip", "x-client-ip"),
    *("true-client-ip", "cf-connecting-ip", "x-envoy-"),
)
LOCAL = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})


def host_names(said: Iterable[str]) -> tuple[str, ...]:
    """Return the names and addresses that tell one host from others.

    What has not the shape of a host, and what every machine calls itself,
    tells nothing and is left out.
    """
    shape = SHAPES["host"]
    fitting = (shape.fit(text) for text in said)
    return tuple(
        dict.fromkeys(name for name in fitting if name and is_telling(name))
    )


def is_telling(name: str) -> bool:
    """Tell whether a name is not what every machine calls itself."""
    if name.casefold() in LOCAL:
        return False
    try:
        address = ip_address(name)
    except ValueError:
        return True
    return not (address.is_loopback or address.is_unspecified)


def is_loopback(host: str) -> bool:
    """Tell whether a host name is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
