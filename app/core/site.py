"""Where the service is: how this machine reaches what listens on a host."""

from ipaddress import IPv6Address, ip_address


def near(host: str) -> str:
    """Return where to reach what listens on a host, or everywhere."""
    try:
        address = ip_address(host)
    except ValueError:
        return host or "127.0.0.1"
    if not address.is_unspecified:
        return host
    return "::1" if isinstance(address, IPv6Address) else "127.0.0.1"


def in_url(host: str) -> str:
    """Return a host as addresses have it: its colons come before no port."""
    is_bare = ":" in host and not host.startswith("[")
    return f"[{host}]" if is_bare else host


def site_of(host: str, port: int) -> str:
    """Return the address of the service as this machine knows it."""
    return f"http://{in_url(near(host))}:{port}"
