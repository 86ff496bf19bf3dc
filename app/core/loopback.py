"""A post to our own door: one request, one status, nothing else."""

import asyncio

import msgspec

from app.core.errors import OutgoingFailed
from app.core.site import near


class Door(msgspec.Struct, frozen=True):
    """Where we listen, and what proves that we are we.

    Attributes:
        host: as the settings say it.
        port: the same.
        secret: what nobody else has.
        seconds: so long an answer may take.
    """

    host: str
    port: int
    secret: str
    seconds: float = 10.0

    async def post(self, path: str, body: bytes) -> int:
        """Return the status that a delivery is answered with.

        Raises:
            OutgoingFailed: nobody answered, or not as our door does.
        """
        head = (
            f"POST {path} HTTP/1.1\r\nhost: smokejumper\r\n"
            f"authorization: Bearer {self.secret}\r\n"
            "content-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        try:
            async with asyncio.timeout(self.seconds):
                line = await self._ask(head.encode() + body)
            return int(line.split(b" ", 2)[1])
        except TimeoutError as error:
            why = f"our own door did not answer within {self.seconds:g} s"
            raise OutgoingFailed(why) from error
        except (OSError, ValueError, IndexError) as error:
            why = f"our own door cannot be reached: {error}"
            raise OutgoingFailed(why) from error

    async def _ask(self, request: bytes) -> bytes:
        """Return the first line of the answer to a request."""
        host = near(self.host)
        reader, writer = await asyncio.open_connection(host, self.port)
        try:
            writer.write(request)
            return await reader.readline()
        finally:
            writer.close()
