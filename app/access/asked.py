"""What a request says of who asks, and what speaks against a web page.

A browser sends cookies, and asks from this machine, for any page that it
shows: what a page of a stranger has it ask must not be done.
"""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

import msgspec

from app.core.errors import Refused
from app.core.naming import FORWARDED, is_loopback

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Scripts of our own pages send it; no form and no strange page can.
OURS = "x-smokejumper"
# They send it with what they fetch by themselves, while nobody is there.
UNATTENDED = "x-smokejumper-unattended"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says of who asks.

    Attributes:
        method: what is to be done.
        peer: the address that it came from, or empty.
        headers: by name, in any case.
        cookies: by name.
        is_form: whether a form of ours sends it, which has no headers.
        is_use: whether somebody uses the service, and does not just wait.
        version: of HTTP.
    """

    method: str
    peer: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str] = {}
    version: str = "1.1"
    is_form: bool = False
    is_use: bool = True

    @property
    def changes(self) -> bool:
        """Tell whether it may change something."""
        return self.method not in SAFE

    @property
    def shows_use(self) -> bool:
        """Tell whether somebody is there; who denies it is believed.

        A session only ends the sooner for that.
        """
        return self.is_use and self.headers.get(UNATTENDED) != "1"


def check_local(asked: Asked) -> None:
    """Return when this machine asks, and no web page of a stranger.

    A page must not even do so by a name of its own that leads to this
    address (DNS rebinding).

    Raises:
        Refused: somebody else asks.
    """
    if not is_loopback(asked.peer) or has_passed_proxy(asked):
        raise not_signed_in()
    host = asked.headers.get("host", "")
    if not is_loopback(_name(f"//{host}")):
        raise _strange("host", "Ask for it by 127.0.0.1 or localhost.")
    origin = asked.headers.get("origin")
    if origin is not None and origin.partition("//")[2] != host:
        raise _strange("origin", "Open it on a page of this service itself.")
    if asked.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise _strange("sec-fetch-site", "Open its address by itself.")


def check_page(asked: Asked, public_url: str) -> None:
    """Return when one of our own pages asks, or what is no browser.

    Raises:
        Refused: a page of a stranger asks.
    """
    origin = asked.headers.get("origin")
    site = asked.headers.get("sec-fetch-site")
    # A page that tells nobody where it is says "null".
    if origin is not None and (origin != "null" or site is None):
        ours = {asked.headers.get("host", ""), _place(public_url)} - {""}
        if _place(origin) not in ours:
            raise _strange("origin", "Do it on a page of this service.")
    elif site not in (None, "same-origin"):
        raise _strange("sec-fetch-site", "Do it on a page of this service.")


def check_session(asked: Asked, public_url: str) -> None:
    """Return when what a cookie came with was meant, and by our own page.

    Raises:
        Refused: it may be what a stranger's page had a browser send.
    """
    if not asked.changes:
        return
    check_page(asked, public_url)
    if not {"origin", "sec-fetch-site"} & {n.lower() for n in asked.headers}:
        raise _strange("origin", "Send 'Origin' with a session's cookie.")
    if not asked.is_form and asked.headers.get(OURS) != "1":
        raise _strange(OURS, f"Send '{OURS}: 1' with a session's cookie.")


def has_passed_proxy(asked: Asked) -> bool:
    """Tell whether it shows that a proxy asks for somebody."""
    # Without any setting nginx says nothing else of itself than this.
    is_old = asked.version == "1.0"
    return is_old or any(
        n.lower().startswith(FORWARDED) for n in asked.headers
    )


def peer_of(asked: Asked, *, trust_proxy: bool) -> str:
    """Return the address of who asks, as far as it can be known."""
    peer = asked.peer
    if trust_proxy:
        # A proxy may add a line of its own: only the last one is its word.
        told = ",".join(
            text
            for name, text in asked.headers.items()
            if name.lower() == "x-forwarded-for"
        )
        peer = _without_port(told.rpartition(",")[2].strip()) or peer
    try:
        address = ip_address(peer)
    except ValueError:
        return peer[:64]
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if isinstance(address, IPv6Address) and not address.is_loopback:
        # One customer has a whole /64 to choose addresses from.
        return str(IPv6Address(int(address) >> 64 << 64)) + "/64"
    return str(address)


def is_secure(asked: Asked, *, trust_proxy: bool) -> bool:
    """Tell whether the browser asked by https."""
    # What it says of its own page was compared with ours before.
    if asked.headers.get("origin", "").startswith("https://"):
        return True
    told = asked.headers.get("x-forwarded-proto", "")
    return trust_proxy and told.strip() == "https"


def not_signed_in() -> Refused:
    """Return the refusal of somebody whom we do not know."""
    return Refused(
        401,
        "not_signed_in",
        "Nobody is signed in.",
        field="authorization",
        remedy="Sign in, or send 'Authorization: Bearer TOKEN'.",
    )


def is_public_site(asked: Asked, public_url: str) -> bool:
    """Tell whether it came to the service's public address, by https."""
    return f"https://{asked.headers.get('host', '')}" == public_url


def _without_port(told: str) -> str:
    """Return an address as a proxy tells it, without the port."""
    if told.startswith("[") and "]" in told:
        return told[1:].partition("]")[0]
    return told.partition(":")[0] if told.count(":") == 1 else told


def _place(url: str) -> str:
    """Return host and port of an address, empty when it has none."""
    return url.partition("//")[2]


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
        "This may be a stranger's page that asks in your name.",
        field=field,
        remedy=remedy,
    )
