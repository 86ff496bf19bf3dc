"""Zabbix's JSON-RPC in its releases 6.0, 6.4 and 7.x, and its errors.

What differs between releases is here and nowhere else. Nothing of it is
guessed from an error: ``apiinfo.version`` says it first.
"""

import getpass
import os
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx

from scripts.setting_up import Status, Stopped

OLDEST = (6, 0)
TOKEN_IN_HEADER = (6, 4)  # before it: in the field "auth"; from 7.2 on only
GROUPS_APART = (6, 2)  # host groups and template groups have own rights
SECONDS = 30.0
NOT_AUTHORISED = ("not authori", "session terminated", "re-login")
NO_RIGHT = ("no permissions to call", "does not have permission")
END_POINT = "/api_jsonrpc.php"


class Refused(Stopped):
    """Zabbix answered with an error."""

    def __init__(self, method: str, said: str) -> None:
        """Keep what it said, and find the remedy."""
        text = f"Zabbix refused {method}: {said}"
        super().__init__(Status.REFUSED, text, _remedy(said))


class Account(NamedTuple):
    """Who asks: a token, or a user and a password."""

    token: str = ""
    user: str = ""
    password: str = ""


class Zabbix:
    """A session with one Zabbix; it ends with the block."""

    def __init__(self, url: str, account: Account) -> None:
        """Take where it is and who asks; nothing is sent yet."""
        self.url = url.removesuffix(END_POINT).rstrip("/")
        self.version: tuple[int, ...] = ()
        self._account = account
        self._token = ""
        # Reading all authorities takes a while; plain HTTP asks for none.
        is_safe = url.startswith("https:")
        self._client = httpx.Client(timeout=SECONDS, verify=is_safe)

    def __enter__(self) -> Self:
        """Find out its release, and log in."""
        try:
            self._open()
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the session that was begun here; a token stays."""
        try:
            if self._token and not self._account.token:
                self.call("user.logout", [])
        except Stopped:
            pass  # what was to be done is done; a session ends by itself
        finally:
            self._client.close()

    @property
    def rights(self) -> str:
        """Return what a user group's rights on host groups are called."""
        return "hostgroup_rights" if self._is(GROUPS_APART) else "rights"

    @property
    def select_rights(self) -> str:
        """Return how they are asked for."""
        if self._is(GROUPS_APART):
            return "selectHostGroupRights"
        return "selectRights"

    def call(self, method: str, parameters: Any) -> Any:
        """Return the result of a method, or raise what Zabbix says."""
        request = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": method,
            "params": parameters,
        }
        headers = {}
        if self._token and self._is(TOKEN_IN_HEADER):
            headers["Authorization"] = f"Bearer {self._token}"
        elif self._token:
            request["auth"] = self._token
        answer = self._post(request, headers)
        if "error" in answer:
            error = answer["error"]
            said = error.get("data") or error.get("message") or error
            raise Refused(method, str(said))
        return answer["result"]

    def find(self, kind: str, name: str, **more: Any) -> dict[str, Any] | None:
        """Return the one thing of a name, or None."""
        key = "username" if kind == "user" else "name"
        asked = {"output": "extend", "filter": {key: name}, **more}
        found = self.call(f"{kind}.get", asked)
        return found[0] if found else None

    def create(self, kind: str, tree: Mapping[str, Any]) -> str:
        """Return the id of a new thing."""
        ids = self.call(f"{kind}.create", tree)
        made: str = next(iter(ids.values()))[0]
        return made

    def _is(self, release: tuple[int, int]) -> bool:
        """Tell whether it is that release or a later one."""
        return self.version >= release

    def _open(self) -> None:
        """Find out its release, and log in."""
        # Newer releases refuse this one with a token.
        self.version = _read_version(self.call("apiinfo.version", []))
        if self.version < OLDEST:
            words = ".".join(map(str, self.version))
            raise Stopped(
                Status.REFUSED,
                f"this is Zabbix {words}; 6.0 is the oldest that can do it.",
                "Make the media type by hand, see docs/sources.md, or"
                " upgrade Zabbix.",
            )
        token, user, password = self._account
        self._token = token or self.call(
            "user.login", {"username": user, "password": password}
        )

    def _post(
        self, request: Mapping[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return what it answers; it must be JSON-RPC."""
        address = f"{self.url}{END_POINT}"
        try:
            answer = self._client.post(address, json=request, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Stopped(
                Status.REFUSED,
                f"no answer from {address}: {error}",
                "Look at --zabbix: is the frontend up, and can this machine"
                " reach it?",
            ) from error
        if answer.is_redirect:
            raise Stopped(
                Status.REFUSED,
                f"{address} leads to {answer.headers.get('location', '?')}",
                "Use that address with --zabbix.",
            )
        try:
            tree = answer.json()
        except ValueError:
            tree = None
        if not isinstance(tree, dict) or "jsonrpc" not in tree:
            raise Stopped(
                Status.REFUSED,
                f"{address} is no Zabbix API (HTTP {answer.status_code}).",
                f"It is the address of the frontend; often {self.url}/zabbix",
            )
        return tree


def _read_version(text: object) -> tuple[int, ...]:
    """Return the release as numbers."""
    first = str(text).split(".")[:2]
    if len(first) == 2 and all(part.isdecimal() for part in first):
        return tuple(map(int, first))
    raise Stopped(Status.REFUSED, f"Zabbix calls its release {text!r}.")


def _remedy(said: str) -> str:
    """Return what to do about an error."""
    text = said.lower()
    if "incorrect" in text or "blocked" in text or "password" in text:
        return "Look at ZABBIX_USER and ZABBIX_PASSWORD. Nothing was changed."
    if any(words in text for words in NOT_AUTHORISED):
        return (
            "Look at ZABBIX_TOKEN: is it whole, enabled and not expired?"
            " Behind Apache, is the header Authorization passed on?"
        )
    if any(words in text for words in NO_RIGHT):
        return (
            "Use an account of the type Super admin whose role may use the"
            " API."
        )
    return ""


def ask_account() -> Account:
    """Return who asks: from the environment, or from a prompt."""
    token = os.environ.get("ZABBIX_TOKEN", "")
    if token:
        return Account(token=token)
    user = os.environ.get("ZABBIX_USER", "")
    password = os.environ.get("ZABBIX_PASSWORD", "")
    if user and password:
        return Account(user=user, password=password)
    if not sys.stdin.isatty():
        raise Stopped(
            Status.WRONG_USE,
            "nobody is named who may change Zabbix.",
            "Set ZABBIX_TOKEN, or ZABBIX_USER and ZABBIX_PASSWORD.",
        )
    user = user or input("User of Zabbix (a Super admin): ").strip()
    return Account(user=user, password=getpass.getpass("Password: "))
