"""Zabbix' API: one call, one answer, in the way of each release.

How a token is shown goes by the version; nobody shows one to ask for it.
"""

from typing import Any

import msgspec

from app.core.errors import OutgoingFailed
from app.core.http import open_client, post
from app.core.remote import RemoteSettings, bearer

API = "/api_jsonrpc.php"
JSON = {"Content-Type": "application/json-rpc"}
ERROR_CHARS = 200
# Since this release a token has its header.
TOKEN_IN_HEADER = (6, 4)
Release = tuple[int, int]


class Wrong(msgspec.Struct):
    """What the API did not like."""

    message: str = ""
    data: str = ""


class Answer(msgspec.Struct):
    """An answer of the API."""

    result: msgspec.Raw = msgspec.Raw(b"null")
    error: Wrong | None = None


class ZabbixApi:
    """Calls methods of a Zabbix server's API."""

    def __init__(self, settings: RemoteSettings, token: str) -> None:
        """Take where it is, and what proves who asks."""
        self._settings = settings
        self._token = token

    async def release(self) -> Release:
        """Return its release, or raise OutgoingFailed."""
        return read_release(await self.call("apiinfo.version", {}, (0, 0)))

    async def call(
        self, method: str, parameters: Any, release: Release
    ) -> bytes:
        """Return the result of a method; release 0 asks as nobody.

        Raises:
            OutgoingFailed: it does not answer, or refuses.
        """
        request = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": method,
            "params": parameters or [],
        }
        headers = dict(JSON)
        if release >= TOKEN_IN_HEADER:
            headers |= bearer(self._token)
        elif release > (0, 0):
            request["auth"] = self._token
        settings = self._settings
        async with open_client(settings.timeout_seconds) as client:
            body = await post(
                client,
                settings.url + API,
                headers,
                msgspec.json.encode(request),
                settings.body_bytes,
            )
        return read_result(body)


def read_result(body: bytes) -> bytes:
    """Return the result in an answer, or raise OutgoingFailed."""
    try:
        answer = msgspec.json.decode(body, type=Answer)
    except (msgspec.DecodeError, RecursionError) as error:
        raise OutgoingFailed("the answer is not of Zabbix' API") from error
    if answer.error is not None:
        said = f"{answer.error.message} {answer.error.data}".strip()
        raise OutgoingFailed(f"Zabbix says: {said[:ERROR_CHARS]}")
    return bytes(answer.result)


def read_release(result: bytes) -> Release:
    """Return the release that an answer names, or raise OutgoingFailed."""
    try:
        first, second, *_ = msgspec.json.decode(result, type=str).split(".")
        return int(first), int(second)
    except (msgspec.DecodeError, ValueError) as error:
        raise OutgoingFailed("the answer names no version") from error
