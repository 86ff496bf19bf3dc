"""Restart one container that may be restarted here, and see it stay up."""

import socket
import time
from contextlib import suppress
from typing import Annotated

import msgspec
from pydantic import Field

from app.act.local.deed import Deed, DeedEnv, Done, fit
from app.act.local.hand import Hand, Unwilling
from app.act.local.restart.containers import ID, Container, Engine, own_ids
from app.act.local.restart.untouched import NEVER, fits
from app.act.local.stateful import holds_data
from app.core.configfile import Section
from app.core.errors import NotAccepted, OutgoingFailed

Listed = Annotated[str, Field(min_length=1, max_length=255)]
# What its owner wrote on a container: allowed, or never.
LABEL = "smokejumper.restart"
OURS = ("smokejumper*",)
# Who else keeps a container: he is asked, not the engine.
KEPT = {
    "io.kubernetes.pod.name": "Kubernetes",
    "com.docker.swarm.task.id": "the swarm",
    "com.hashicorp.nomad.alloc_id": "Nomad",
}
# Where databases keep what nobody else has.
HOLDS = (
    "/var/lib/postgresql*", "/var/lib/pgsql*", "/var/lib/mysql*",
    "/var/lib/mariadb*", "/data/db*", "/data/configdb", "/var/lib/mongo*",
    "/var/lib/redis*", "/var/lib/valkey*", "/var/lib/etcd*", "/etcd-data*",
    "/var/lib/cassandra*", "/var/lib/scylla*", "/var/lib/clickhouse*",
    "/usr/share/elasticsearch/data*", "/usr/share/opensearch/data*",
    "/var/lib/elasticsearch*", "/var/lib/influxdb*", "/var/lib/rabbitmq*",
    "/var/lib/kafka*", "/var/lib/zookeeper*", "/opt/couchdb/data*",
    "/var/lib/neo4j*", "/opt/oracle/oradata*", "/var/opt/mssql*",
    "/cockroach/*", "/bitnami/*", "/consul/data*", "/vault/*",
    "/var/lib/ldap*", "/var/lib/prometheus*", "/var/lib/docker*",
)  # fmt: skip
# An engine that is told to keep it up has not let it end by itself.
KEEPS_UP = ("always", "unless-stopped")
# What a container ends with that was told to end, or was ended.
TOLD_TO_END = (137, 143)
# One that may take longer to end is not ended by us.
END_SECONDS = 60
STAY_SECONDS = 3.0
LOOK_SECONDS = 0.25
TAIL_LINES = 30


class ContainerSettings(Section):
    """What may be restarted here.

    Attributes:
        socket: where the API of Docker, or of Podman, listens.
        containers: patterns of names.
        labels: whether the label ``smokejumper.restart: allowed`` does
            instead of a name. An image may bring it along: whoever made
            it then says what is restarted here.
        protected: patterns of names and images that are never restarted,
            beside what is built in.
        wait_seconds: how long a container gets to come up.
    """

    socket: str = Field("/var/run/docker.sock", min_length=1, max_length=100)
    containers: tuple[Listed, ...] = Field((), max_length=1_000)
    labels: bool = False
    protected: tuple[Listed, ...] = Field((), max_length=1_000)
    wait_seconds: float = Field(30.0, gt=0, le=600)


class ContainerArguments(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True
):
    """Which container of which host."""

    host: str
    container: str


class RestartContainer:
    """Restarts what the settings list, or its owner allows."""

    takes: type[msgspec.Struct] = ContainerArguments

    def __init__(self, settings: ContainerSettings) -> None:
        """Take what may be restarted."""
        self._settings = settings
        self._engine = Engine(settings.socket)

    def do(self, arguments: ContainerArguments, hand: Hand) -> Done:
        """Say how it is, restart it, wait, and say how it is then."""
        fit("host", arguments.host)
        name = fit("container", arguments.container).removeprefix("/")
        before = self._find(name)
        self._admit(before, hand.bounds.services)
        hand.say(f"before: {before}")
        self._say_log(before, hand)
        hand.check()
        why = self._restart(before)
        after = self._watch(before, hand)
        if after is None:
            hand.say(f"after: {why or 'the engine does not say'}")
            self._say_log(before, hand)
            text = f"{before.called} was restarted and does not stay up"
            raise OutgoingFailed(f"{text}{': ' if why else ''}{why}")
        hand.say(f"after: {after}")
        return Done(f"{before.called} was restarted: {after}{_pending(after)}")

    def _find(self, name: str) -> Container:
        """Return the one container that is meant, or raise Unwilling."""
        try:
            found = self._engine.inspect(name)
        except OutgoingFailed as error:
            raise Unwilling(str(error)) from error
        if found is None:
            raise Unwilling(f"there is no container {name}")
        if not found.is_meant(name):
            raise Unwilling(
                f"{name} is not the whole name of {found.called}: say that one"
            )
        return found

    def _admit(self, found: Container, told: tuple[str, ...] = ()) -> None:
        """Raise Unwilling for what must not be restarted.

        Args:
            found: how it is.
            told: what the policy protects beside our own settings.
        """
        for why in (
            _why_kept(found),
            self._why_protected(found, told),
            _why_not_now(found),
            self._why_not_listed(found),
        ):
            if why:
                raise Unwilling(f"{found.called} {why}")

    def _why_protected(self, found: Container, told: tuple[str, ...]) -> str:
        """Return why a container is never restarted, or nothing."""
        if found.labels.get(LABEL) == "never":
            return f"is protected by its label {LABEL}"
        image = found.config.image
        whole, bare = image_names(image)
        own = (*self._settings.protected, *told)
        if any(fits(one, own) for one in (found.called, whole, bare)):
            return "is protected by the settings or the policy"
        parts = whole.split("/")
        is_ours = any(fits(one, OURS) for one in parts)
        if is_ours or fits(found.called, NEVER) or fits(bare, NEVER):
            return f"is protected by its name or image: {image}"
        # Where a person wrote this very name it is let.
        is_named = found.called in self._settings.containers
        return "" if is_named else _why_holds(found, bare)

    def _why_not_listed(self, found: Container) -> str:
        """Return that nobody lists a container, or nothing."""
        label = found.labels.get(LABEL)
        if self._settings.labels and label == "allowed":
            return ""
        if fits(found.called, self._settings.containers):
            return ""
        return (
            f"is not listed on this machine: see backends.local.deeds"
            f".restart-container.containers, or labels for {LABEL}"
        )

    def _restart(self, before: Container) -> str:
        """Restart it; return what the engine said against it, if it did."""
        try:
            self._engine.restart(before)
        except NotAccepted as error:
            raise Unwilling(str(error)) from error
        except OutgoingFailed as error:
            # Whether it was restarted is seen.
            return str(error)
        return ""

    def _watch(self, before: Container, hand: Hand) -> Container | None:
        """Return how it is once it stays up, None when it does not."""
        until = time.monotonic() + self._settings.wait_seconds + STAY_SECONDS
        seen: Container | None = None
        since = 0.0
        while time.monotonic() < until:
            now = self._look(before)
            if now is None or not _is_up(before, now):
                seen = None
            else:
                if seen is None or _run(seen) != _run(now):
                    since = time.monotonic()
                seen = now
                if now.health != "starting" and _has_stayed(since):
                    return now
            hand.wait(LOOK_SECONDS)
        # Its health check may be slower than we are; ill it is not.
        return seen if _has_stayed(since) else None

    def _look(self, before: Container) -> Container | None:
        """Return how it is now, None when the engine does not say it."""
        with suppress(OutgoingFailed):
            return self._engine.inspect(before.id)
        return None

    def _say_log(self, container: Container, hand: Hand) -> None:
        """Write what it said last."""
        try:
            lines = self._engine.tail(container, TAIL_LINES)
        except OutgoingFailed as error:
            hand.say(f"its log: {error}")
            return
        hand.say("\n".join(("the last lines of its log:", *lines)))


def image_names(image: str) -> tuple[str, str]:
    """Return an image as it is written, and the last part of its name."""
    bare = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return image, bare


def _why_holds(found: Container, bare: str) -> str:
    """Return why a container is taken to hold data, or nothing."""
    if holds_data(found.called) or holds_data(bare):
        return f"holds data by its name or image: {found.config.image}"
    for mount in found.mounts or ():
        if fits(mount.destination, HOLDS):
            return f"holds data at {mount.destination}"
    return ""


def _run(container: Container) -> tuple[str, int]:
    """Return what tells one run of a container from the next."""
    return container.state.started_at, container.restart_count


def _has_stayed(since: float) -> bool:
    """Tell whether it has been up for long enough."""
    return time.monotonic() - since >= STAY_SECONDS


def _is_up(before: Container, now: Container) -> bool:
    """Tell whether another run of it is up, and is not known to be ill."""
    is_another = now.state.started_at != before.state.started_at
    return is_another and now.runs and now.health != "unhealthy"


def _pending(after: Container) -> str:
    """Return what is not known yet."""
    if after.health == "starting":
        return "; its own health check has not answered yet"
    return ""


def _why_kept(found: Container) -> str:
    """Return who else keeps a container, or nothing."""
    for label, who in KEPT.items():
        if label in found.labels:
            return f"is kept by {who}: ask there"
    # A container calls itself by the beginning of its id.
    own = socket.gethostname().casefold()
    is_ours = ID.fullmatch(own) and found.id.startswith(own)
    if is_ours or found.id in own_ids():
        return "is where we run ourselves"
    return ""


def _why_not_now(found: Container) -> str:
    """Return why it is not restarted as it is, or nothing."""
    state = found.state
    if state.status not in ("running", "exited"):
        return f"is {state.status}"
    if found.host_config.auto_remove:
        return "is removed once it ends"
    if not 0 <= found.end_seconds <= END_SECONDS:
        told = (
            f"{found.end_seconds} s" if found.end_seconds > 0 else "for ever"
        )
        return f"may take {told} to end"
    return "" if state.status == "running" else _why_ended(found)


def _why_ended(found: Container) -> str:
    """Return why one that ended may be meant to have, or nothing."""
    state = found.state
    if found.host_config.restart_policy.name in KEEPS_UP:
        return "would have been started by the engine: somebody ended it"
    if state.exit_code == 0:
        return "ended without an error: nothing is to be mended"
    if state.exit_code in TOLD_TO_END and not state.oom_killed:
        return "was told to end: somebody may want it so"
    return ""


def plugin(env: DeedEnv) -> Deed:
    """Return the deed."""
    return RestartContainer(env.settings(ContainerSettings))
