"""Which hosts Ansible knows: as ``ansible-inventory --list`` tells them.

It is read as soon as the service runs, again now and then, and when a play
needs it before that. Names differ by more than their case, or not at all.
"""

import asyncio
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from app.act.environment import small_environment
from app.core.errors import OutgoingFailed
from app.core.log import get_log

# So long Ansible may take; who needs the answer waits less.
ASK_SECONDS = 60.0
NEED_SECONDS = 20.0
EVERY_SECONDS = 300.0
AGAIN_SECONDS = 10.0
# One failure may be a hiccup; after more nobody counts on the hosts.
PATIENCE = 2
log = get_log("ansible")


class AnsibleInventory:
    """The hosts and groups of one inventory, as they were read last."""

    def __init__(
        self, python: str, home: Path, names: tuple[str, ...]
    ) -> None:
        """Take who reads it, where it is, and what else is passed on.

        Args:
            python: a Python with Ansible beside it.
            home: the folder with ``project`` and ``inventory``.
            names: variables that are passed on.
        """
        self._place = Path(python).parent
        self._home = home
        self._names = names
        self._hosts: dict[str, set[str]] = {}
        self._groups: frozenset[str] = frozenset()
        self._is_known = False
        self._why = ""
        self._failures = 0
        self._task: asyncio.Task[None] | None = None

    def may_have(self, host: str) -> bool:
        """Tell whether a host is there, or could be: it is not read yet."""
        if not self._is_known:
            return self._failures < PATIENCE
        return bool(self.spelling(host))

    def has_group(self, name: str) -> bool:
        """Tell whether a name is one of several hosts."""
        return name.casefold() in self._groups

    def spelling(self, host: str) -> str:
        """Return how a host is written there; empty when it is not."""
        found = self._hosts.get(host.casefold(), set())
        if host in found:
            return host
        return next(iter(found)) if len(found) == 1 else ""

    async def run(self) -> None:
        """Read it now and then, soon when it failed, until cancelled."""
        while True:
            try:
                await self.read(ASK_SECONDS)
            except OutgoingFailed as error:
                log.warning("inventory.unread", reason=str(error))
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                await asyncio.sleep(EVERY_SECONDS)

    async def need(self) -> None:
        """Return once it is known, or raise OutgoingFailed."""
        if not self._is_known:
            await self.read(NEED_SECONDS)

    async def read(self, seconds: float = NEED_SECONDS) -> None:
        """Read it, together with who reads it already.

        Raises:
            OutgoingFailed: it cannot be read, or not in time.
        """
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read())
        done, _ = await asyncio.wait({self._task}, timeout=seconds)
        if not done:
            raise OutgoingFailed(f"ansible-inventory: none in {seconds:g} s")
        if self._why:
            raise OutgoingFailed(self._why)

    async def _read(self) -> None:
        """Read it once, and note how that went; nothing is raised."""
        try:
            tree = await asyncio.to_thread(self._ask)
        except OutgoingFailed as error:
            self._why = str(error)
            self._failures += 1
            return
        hosts: dict[str, set[str]] = {}
        for name in _hosts(tree):
            hosts.setdefault(name.casefold(), set()).add(name)
        self._hosts = hosts
        self._groups = frozenset(n.casefold() for n in tree if n != "_meta")
        self._is_known, self._why, self._failures = True, "", 0

    def _ask(self) -> dict[str, Any]:
        """Return what Ansible says of its inventory."""
        words = [str(self._place / "ansible-inventory"), "--list"]
        words += ["-i", str(self._home / "inventory")]
        environ = small_environment(self._names)
        path = os.pathsep.join([str(self._place), environ.get("PATH", "")])
        try:
            done = subprocess.run(  # noqa: S603  fixed words, no shell
                words,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                cwd=self._home / "project",
                env={**environ, "PATH": path},
                timeout=ASK_SECONDS,
                check=True,
            )
            return msgspec.json.decode(done.stdout, type=dict[str, Any])
        except (OSError, subprocess.SubprocessError) as error:
            _fail(f"ansible-inventory: {type(error).__name__}", error)
        except (msgspec.MsgspecError, RecursionError) as error:
            _fail("ansible-inventory does not answer in JSON", error)


def _hosts(tree: dict[str, Any]) -> Iterator[str]:
    """Yield the hosts of all groups, and those that have variables."""
    for name, part in tree.items():
        if isinstance(part, dict):
            key = "hostvars" if name == "_meta" else "hosts"
            yield from map(str, part.get(key) or ())


def _fail(what: str, error: Exception) -> NoReturn:
    """Raise that the inventory is not known."""
    raise OutgoingFailed(re.sub(r"\s+", " ", what)) from error
