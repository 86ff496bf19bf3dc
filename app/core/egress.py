"""Egress: calls to addresses that settings name, and to nothing behind them.

A name is looked up once. What it leads to must be public, or be listed;
exactly that address is called, and the other end is compared with it before
anything is sent. No redirects, no proxies of the environment, no answer
that is packed, too long or too late. Whoever calls learns whether anything
can have left this machine: what was certainly not sent may be sent again.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import httpx
import msgspec

from app.core.brief import brief
from app.core.errors import NotSent, OutgoingFailed
from app.core.names import Names

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
# All that asks for names shares the few threads that there are for it.
resolve: Resolve = Names().resolve
MOST_ADDRESSES = 4
# All that is routed between networks; everything else of IPv6 is refused.
ROUTED = ipaddress.IPv6Network("2000::/3")
# Where an IPv4 address is the last part of one of IPv6.
WRAPPINGS = tuple(
    ipaddress.IPv6Network(text)
    for text in ("::ffff:0:0/96", "64:ff9b::/96", "::/96")
)
# Looks public to the standard library, and is not: tunnels, examples, and
# the address that the machines of one cloud get their secrets from.
ODD: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "168.63.129.16/32",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
)


class Bounds(msgspec.Struct, frozen=True):
    """What a call may cost, and where it may lead.

    Attributes:
        seconds: how long all of it may take, from the name to the last
            byte.
        most_bytes: how long an answer may be.
        allow: networks that are called although they are not public.
    """

    seconds: float
    most_bytes: int
    allow: tuple[Network, ...] = ()


class Call(msgspec.Struct, frozen=True):
    """One request."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Said(msgspec.Struct, frozen=True):
    """One answer; the names of its headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@lru_cache(maxsize=64)
def trust(ca_file: str = "") -> ssl.SSLContext:
    """Return whose certificates are believed: the usual, or one file's.

    Raises:
        ValueError: the file holds no certificates.
    """
    if not ca_file:
        return httpx.create_ssl_context(trust_env=False)
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ValueError(f"{ca_file} holds no certificates") from error


class Egress:
    """Calls what may be called."""

    def __init__(
        self,
        bounds: Bounds,
        context: ssl.SSLContext | None = None,
        look_up: Resolve = resolve,
    ) -> None:
        """Take the bounds, whom to believe, and who knows names."""
        self._bounds = bounds
        self._context = context or trust()
        self._look_up = look_up

    async def send(self, call: Call) -> Said:
        """Return what is answered; every status is an answer.

        Raises:
            NotSent: nothing of it can have arrived.
            OutgoingFailed: it may have arrived, and nobody knows.
        """
        trip = Trip()
        try:
            async with asyncio.timeout(self._bounds.seconds):
                return await self._go(call, trip)
        except TimeoutError as error:
            what = f"no answer in {self._bounds.seconds:g} s"
            raise trip.failure(what) from error
        except httpx.HTTPError as error:
            said = brief(str(error))
            raise trip.failure(f"{type(error).__name__} {said}") from error

    async def _go(self, call: Call, trip: "Trip") -> Said:
        """Return the answer of the first address that can be reached."""
        try:
            url = httpx.URL(call.url)
        except httpx.InvalidURL as error:
            raise NotSent("the address is none") from error
        for address in await self._addresses(url):
            trip.address = address
            try:
                return await self._call(call, url, trip)
            except httpx.HTTPError as error:
                if trip.was_sent:
                    raise
                missed = error
        raise missed

    async def _addresses(self, url: httpx.URL) -> list[Address]:
        """Return what a name leads to, without what must not be called."""
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            texts = await self._look_up(url.host, port)
            found = [ipaddress.ip_address(text) for text in texts]
        except (OSError, ValueError) as error:
            what = f"nobody knows the name {brief(url.host)}"
            raise NotSent(what, may_retry=True) from error
        right = [one for one in dict.fromkeys(found) if self._may_call(one)]
        if not right:
            raise NotSent(
                f"{brief(url.host)} leads to {brief(', '.join(texts))}: no"
                " public address, and none that is listed in allow"
            )
        return right[:MOST_ADDRESSES]

    def _may_call(self, address: Address) -> bool:
        """Tell whether an address is listed or public."""
        meant = unwrap(address)
        listed = self._bounds.allow
        if any(address in net or meant in net for net in listed):
            return True
        return is_public(meant)

    async def _call(self, call: Call, url: httpx.URL, trip: "Trip") -> Said:
        """Return what one address answers."""
        seconds = self._bounds.seconds
        request = httpx.Request(
            call.method,
            url.copy_with(host=str(trip.address)),
            headers={
                **call.headers,
                "Host": url.netloc.decode("ascii"),
                # What is packed could be far longer than it says.
                "Accept-Encoding": "identity",
                "Connection": "close",
            },
            content=call.body,
            extensions={
                "sni_hostname": url.raw_host.decode("ascii"),
                "timeout": dict.fromkeys(
                    ("connect", "read", "write", "pool"), seconds
                ),
                "trace": trip.trace,
            },
        )
        async with httpx.AsyncHTTPTransport(
            verify=self._context, trust_env=False
        ) as way:
            response = await way.handle_async_request(request)
            try:
                return await self._read(response)
            finally:
                await response.aclose()

    async def _read(self, response: httpx.Response) -> Said:
        """Return an answer that is plain and not too long."""
        headers = dict(response.headers)
        if headers.get("content-encoding", "identity") != "identity":
            raise httpx.ReadError("the answer is packed")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._bounds.most_bytes:
                raise httpx.ReadError("the answer is too long")
        return Said(response.status_code, headers, bytes(body))


class Trip:
    """How far one call has come."""

    def __init__(self) -> None:
        """Begin at home."""
        self.address: Address | None = None
        self.was_sent = False

    async def trace(self, event: str, told: Mapping[str, Any]) -> None:
        """Compare the other end before anything is sent, and note that."""
        if event == "connection.connect_tcp.complete":
            stream = told["return_value"]
            peer = stream.get_extra_info("server_addr")
            if peer is None or _read_peer(peer[0]) != self.address:
                await stream.aclose()
                raise httpx.ConnectError("another address has answered")
        elif event.endswith(".send_request_headers.started"):
            self.was_sent = True

    def failure(self, what: str) -> OutgoingFailed:
        """Return a failure that says whether anything can have arrived."""
        if self.was_sent:
            return OutgoingFailed(what)
        return NotSent(what, may_retry=True)


def _read_peer(text: str) -> Address | None:
    """Return the address of the other end, or None when it is none."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def origin(text: str) -> tuple[str, bytes, int | None]:
    """Return scheme, host and port of an address, the usual port as None."""
    url = httpx.URL(text)
    return url.scheme, url.raw_host, url.port


def unwrap(address: Address) -> Address:
    """Return the IPv4 address that one of IPv6 stands for, or itself."""
    if isinstance(address, ipaddress.IPv6Address) and any(
        address in net for net in WRAPPINGS
    ):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Tell whether an address is one machine of the public internet."""
    if any(address in net for net in ODD) or address.is_multicast:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return address in ROUTED
    return address.is_global
