"""Check RSA signatures with a certificate that the signer publishes.

Who signed is settled by where the certificate comes from: only an https
address on a host of the signer is asked, and TLS proves the host.
"""

import asyncio
import re
from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.core.clock import Clock
from app.core.deferred import Deferred
from app.core.errors import OutgoingFailed, Refused, TooBusy

if TYPE_CHECKING:
    from app.core import certificate
else:
    # 8 MB of memory that the first message with a signature pays.
    certificate = Deferred("app.core.certificate")

MOST_KEPT = 16
PRINTABLE = re.compile(r"https://[!-~]{1,4000}")
CERTIFICATE_PATH = re.compile(r"/[A-Za-z0-9._/-]{1,200}\.pem")


class Signer:
    """A party that signs, known by the hosts that are its own."""

    def __init__(
        self,
        hosts: re.Pattern[str],
        fetch: Callable[[str], Awaitable[bytes]],
        clock: Clock,
    ) -> None:
        """Take the signer's hosts, the way to fetch, and the time."""
        self._hosts = hosts
        self._fetch = fetch
        self._clock = clock
        self._kept: dict[str, certificate.Certificate] = {}
        self._one_at_a_time = asyncio.Lock()

    def owns(self, address: str) -> bool:
        """Tell whether an address is https, and on a host of the signer."""
        if not PRINTABLE.fullmatch(address):
            return False
        try:
            # The host as it stands there: no user, no port, no capitals.
            host = urlsplit(address).netloc
        except ValueError:
            return False
        return self._hosts.fullmatch(host) is not None

    async def check(
        self, text: bytes, signature: str, digest: str, address: str
    ) -> None:
        """Return when a text is signed.

        Args:
            text: what is signed.
            signature: the signature, in base64.
            digest: sha1 or sha256.
            address: where the signer shows the certificate.

        Raises:
            Refused: it is wrong.
            TooBusy: the certificate cannot be had at the moment.
        """
        try:
            shown = await self._certificate(address)
            proof = b64decode(signature, validate=True)
        except OutgoingFailed as error:
            detail = "The signer's certificate cannot be fetched."
            raise TooBusy("no_certificate", detail) from error
        except ValueError as error:
            raise _refused("signature", "is broken") from error
        if not shown.is_valid_at(self._clock.now()):
            raise _refused("certificate", "is not valid today")
        if not shown.has_signed(text, proof, digest):
            raise _refused("signature", "is wrong")

    async def _certificate(self, address: str) -> "certificate.Certificate":
        """Return a certificate that is fetched once, the newest are kept."""
        path = urlsplit(address).path if self.owns(address) else ""
        if not CERTIFICATE_PATH.fullmatch(path) or not address.endswith(path):
            raise _refused("certificate", "is not where the signer keeps it")
        if found := self._kept.get(address):
            return found
        async with self._one_at_a_time:
            if found := self._kept.get(address):
                return found
            pem = await self._fetch(address)
            found = await asyncio.to_thread(_read, pem)
            if len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[address] = found
            return found


def _read(pem: bytes) -> "certificate.Certificate":
    """Return a certificate; on a thread, since it may load much first."""
    return certificate.Certificate(pem)


def _refused(part: str, what: str) -> Refused:
    """Return the refusal of a proof that does not hold."""
    return Refused(
        401,
        f"bad_{part}",
        f"The {part} {what}.",
        field=part,
        remedy="Send what the signer sent, unchanged.",
    )
