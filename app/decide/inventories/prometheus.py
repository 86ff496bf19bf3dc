"""The hosts that a Prometheus watches: the instances of its targets."""

import asyncio
from collections.abc import Iterator, Mapping

import msgspec

from app.core.errors import ConfigError, OutgoingFailed
from app.core.http import ask, open_client
from app.core.naming import host_names
from app.core.remote import RemoteSettings, asking, bearer
from app.models.inventory import Thing
from app.ports import InventoryEnv, InventorySource

TARGETS = "/api/v1/targets?state=active"
MOST_TARGETS = 100_000
# Labels that may name the same machine in other words.
OTHER_NAMES = ("hostname", "nodename", "host")


class Target(msgspec.Struct):
    """What is watched, as it comes."""

    labels: dict[str, str]


class Targets(msgspec.Struct, rename="camel"):
    """The targets that are watched now."""

    active_targets: list[Target]


class Answer(msgspec.Struct):
    """The answer of the API."""

    data: Targets


ANSWER = msgspec.json.Decoder(Answer)


class PrometheusInventory:
    """Asks a Prometheus what it watches."""

    def __init__(
        self, settings: RemoteSettings, headers: Mapping[str, str]
    ) -> None:
        """Take where it is, and what proves who asks."""
        self._settings = settings
        self._headers = headers

    async def load(self) -> tuple[Thing, ...]:
        """Return its hosts, or raise OutgoingFailed."""
        settings = self._settings
        async with asking(settings):
            async with open_client(settings.timeout_seconds) as client:
                body = await ask(
                    client,
                    settings.url + TARGETS,
                    self._headers,
                    settings.body_bytes,
                )
            return await asyncio.to_thread(read_targets, body)


def read_targets(body: bytes) -> tuple[Thing, ...]:
    """Return the hosts of an answer, or raise OutgoingFailed."""
    try:
        targets = ANSWER.decode(body).data.active_targets
    except (msgspec.DecodeError, RecursionError) as error:
        raise OutgoingFailed("the answer is no list of targets") from error
    if len(targets) > MOST_TARGETS:
        text = f"{len(targets)} targets are more than {MOST_TARGETS}"
        raise OutgoingFailed(text)
    found: dict[str, Thing] = {}
    for target in targets:
        for thing in _hosts(target.labels):
            key = thing.name.casefold()
            known = found.get(key)
            found[key] = thing if known is None else _join(known, thing)
    return tuple(found.values())


def _hosts(labels: Mapping[str, str]) -> Iterator[Thing]:
    """Yield the machines that one target names.

    An address with a scheme is a page that somebody probes, not a machine
    of ours.
    """
    instance = labels.get("instance", "")
    is_page = "://" in instance
    told = [] if is_page else [instance]
    is_machine = not is_page and not labels.get("pod")
    if is_machine:
        told += [labels.get(name, "") for name in OTHER_NAMES]
    names = host_names(told)
    if names:
        yield _thing(names, labels)
    # A pod's node is a machine of its own, with a name of its own.
    node = host_names([labels.get("node", "")])
    if node and node[0] not in names:
        yield Thing(kind="host", name=node[0], source="prometheus")


def _thing(names: tuple[str, ...], labels: Mapping[str, str]) -> Thing:
    """Return a host with what its labels say about it."""
    return Thing(
        kind="host",
        name=names[0],
        aliases=names[1:],
        role=labels.get("role", ""),
        environment=labels.get("environment", "") or labels.get("env", ""),
        team=labels.get("team", ""),
        source="prometheus",
    )


def _join(known: Thing, more: Thing) -> Thing:
    """Return a host with what another of its targets says about it."""
    return msgspec.structs.replace(
        known,
        aliases=tuple(dict.fromkeys((*known.aliases, *more.aliases))),
        role=known.role or more.role,
        environment=known.environment or more.environment,
        team=known.team or more.team,
    )


def plugin(env: InventoryEnv) -> InventorySource | None:
    """Return the inventory of a Prometheus, or None without one."""
    if not env.is_configured:
        return None
    settings = env.settings(RemoteSettings)
    token = ""
    if settings.token is not None:
        token = env.secret(settings.token, "token")
    try:
        return PrometheusInventory(settings, bearer(token))
    except ValueError as error:
        remedy = "Write another token."
        raise ConfigError([env.problem(f"token {error}", remedy)]) from error
