"""The hosts that a Zabbix server watches, asked by its API.

A token of a user who may read is enough. What groups are called goes by
the release.
"""

import asyncio
from collections.abc import Iterator

import msgspec

from app.core.errors import ConfigError, OutgoingFailed
from app.core.naming import host_names
from app.core.remote import RemoteSettings, asking, bearer
from app.core.zabbix import ZabbixApi
from app.models.inventory import Thing
from app.ports import InventoryEnv, InventorySource

MOST_HOSTS = 50_000
# Since this release groups have another name.
GROUPS_RENAMED = (6, 2)
ENVIRONMENTS = ("environment", "env")


class Interface(msgspec.Struct):
    """Where a host is reached."""

    ip: str = ""
    dns: str = ""


class Tag(msgspec.Struct):
    """A tag of a host."""

    tag: str
    value: str = ""


class Group(msgspec.Struct):
    """A group of hosts."""

    name: str


class Host(msgspec.Struct):
    """One host, as it comes."""

    host: str
    name: str = ""
    interfaces: list[Interface] = []
    tags: list[Tag] = []
    groups: list[Group] = []
    hostgroups: list[Group] = []


class ZabbixInventory:
    """Asks a Zabbix server which hosts it watches."""

    def __init__(self, settings: RemoteSettings, token: str) -> None:
        """Take where it is, and what proves who asks."""
        self._settings = settings
        self._api = ZabbixApi(settings, token)

    async def load(self) -> tuple[Thing, ...]:
        """Return its hosts, or raise OutgoingFailed."""
        async with asking(self._settings):
            release = await self._api.release()
            hosts = await self._api.call(
                "host.get", ask_for_hosts(release), release
            )
            return await asyncio.to_thread(read_hosts, hosts)


def ask_for_hosts(release: tuple[int, int]) -> dict[str, object]:
    """Return what to ask for all hosts that are watched."""
    is_renamed = release >= GROUPS_RENAMED
    groups = "selectHostGroups" if is_renamed else "selectGroups"
    return {
        "output": ["host", "name"],
        "filter": {"status": 0},
        "selectInterfaces": ["ip", "dns"],
        "selectTags": ["tag", "value"],
        groups: ["name"],
        "limit": MOST_HOSTS + 1,
    }


def read_hosts(result: bytes) -> tuple[Thing, ...]:
    """Return the hosts of an answer, or raise OutgoingFailed."""
    try:
        hosts = msgspec.json.decode(result, type=list[Host])
    except (msgspec.DecodeError, RecursionError) as error:
        raise OutgoingFailed("the answer is no list of hosts") from error
    if len(hosts) > MOST_HOSTS:
        raise OutgoingFailed(f"there are more than {MOST_HOSTS} hosts")
    return tuple(thing for host in hosts for thing in _things(host))


def _things(host: Host) -> Iterator[Thing]:
    """Yield a host, unless none of its names can be the name of one."""
    reached = (text for one in host.interfaces for text in (one.dns, one.ip))
    names = host_names([host.host, host.name, *reached])
    if not names:
        return
    groups = (group.name for group in (*host.groups, *host.hostgroups))
    yield Thing(
        kind="host",
        name=names[0],
        aliases=names[1:],
        role=_tag(host, "role") or ", ".join(groups),
        environment=_tag(host, *ENVIRONMENTS),
        team=_tag(host, "team"),
        source="zabbix",
    )


def _tag(host: Host, *names: str) -> str:
    """Return the first value of a tag, empty when it is not there."""
    found = {one.tag.casefold(): one.value for one in reversed(host.tags)}
    return next((found[name] for name in names if found.get(name)), "")


def plugin(env: InventoryEnv) -> InventorySource | None:
    """Return the inventory of a Zabbix server, or None without one."""
    if not env.is_configured:
        return None
    settings = env.settings(RemoteSettings)
    if settings.token is None:
        remedy = "Add 'token: env:ZABBIX_TOKEN'; docs/inventory.md says how."
        raise ConfigError([env.problem("needs a token", remedy)])
    token = env.secret(settings.token, "token")
    try:
        bearer(token)
    except ValueError as error:
        remedy = "Write another token."
        raise ConfigError([env.problem(f"token {error}", remedy)]) from error
    return ZabbixInventory(settings, token)
