"""The containers of this machine: the Engine API on its socket file."""

import re
import struct
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from app.core.errors import NotAccepted, NotSent, OutgoingFailed
from app.core.nearby import Address, Answer, Call, call_near
from app.core.warden import last_lines

ASK_SECONDS = 5.0
# What a container gets to end that says nothing of it.
END_SECONDS = 10
# How long the engine gets beyond what the container gets to end.
EXTRA_SECONDS = 30.0
NOTHING_YET = "0001-"
ID = re.compile(r"[0-9a-f]{12,64}")
STRANGE = "the answer is no container"
FRAME = struct.Struct(">BxxxI")
PROC = Path("/proc/self")
WHOLE_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
LENT = ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf")


class Health(msgspec.Struct, rename="pascal", frozen=True):
    """What a container's own health check says."""

    status: str = "none"


class State(msgspec.Struct, rename="pascal", frozen=True):
    """How a container is."""

    status: str
    pid: int = 0
    exit_code: int = 0
    oom_killed: bool = msgspec.field(default=False, name="OOMKilled")
    started_at: str = ""
    health: Health | None = None


class Config(msgspec.Struct, rename="pascal", frozen=True):
    """What a container was made of."""

    image: str = ""
    labels: Mapping[str, str] | None = None
    tty: bool = False
    stop_timeout: int | None = None


class Policy(msgspec.Struct, rename="pascal", frozen=True):
    """When the engine starts a container again by itself."""

    name: str = ""


class HostConfig(msgspec.Struct, rename="pascal", frozen=True):
    """How the engine keeps a container."""

    auto_remove: bool = False
    restart_policy: Policy = Policy()


class Mount(msgspec.Struct, rename="pascal", frozen=True):
    """What a container holds that outlives it."""

    destination: str = ""


class Container(msgspec.Struct, rename="pascal", frozen=True):
    """One container, as the engine inspects it."""

    id: str
    name: str
    state: State
    restart_count: int = 0
    config: Config = Config()
    host_config: HostConfig = HostConfig()
    mounts: tuple[Mount, ...] | None = None

    @property
    def called(self) -> str:
        """Return its name for people."""
        return self.name.removeprefix("/")

    @property
    def labels(self) -> Mapping[str, str]:
        """Return what is written on it."""
        return self.config.labels or {}

    @property
    def health(self) -> str:
        """Return what its own health check says; none without one."""
        return (
            "none" if self.state.health is None else self.state.health.status
        )

    @property
    def end_seconds(self) -> int:
        """Return how long it gets to end; below nothing, for ever."""
        said = self.config.stop_timeout
        return END_SECONDS if said is None else said

    @property
    def runs(self) -> bool:
        """Tell whether it runs, whatever its health is."""
        return self.state.status == "running"

    def is_meant(self, text: str) -> bool:
        """Tell whether a text names it: its whole name, or its id."""
        if text == self.called:
            return True
        return ID.fullmatch(text) is not None and self.id.startswith(text)

    def __str__(self) -> str:
        """Return how it is, in one line."""
        parts = [f"{self.called} is {self.state.status}"]
        if self.health not in ("none", ""):
            parts.append(self.health)
        if not self.runs:
            parts.append(f"exit code {self.state.exit_code}")
        if self.state.oom_killed:
            parts.append("out of memory")
        if self.restart_count:
            parts.append(f"restarted by the engine {self.restart_count} times")
        if begins(self.state.started_at):
            parts.append(f"started {self.state.started_at[:19]}Z")
        return ", ".join(parts)


class Engine:
    """Asks the container engine of this machine."""

    def __init__(self, socket: str) -> None:
        """Take where it listens."""
        self._address = Address(file=socket)

    def inspect(self, name: str) -> Container | None:
        """Return a container, None when there is none.

        Raises:
            OutgoingFailed: the engine does not answer.
        """
        # A name that has the shape of one is one part of a path.
        answer = self._ask(Call(path=f"/containers/{name}/json"), ASK_SECONDS)
        if answer.status == 404:
            return None
        _check(answer)
        try:
            return msgspec.json.decode(answer.body, type=Container)
        except (msgspec.DecodeError, RecursionError) as error:
            raise OutgoingFailed(STRANGE) from error

    def tail(self, container: Container, lines: int) -> tuple[str, ...]:
        """Return the last lines that a container wrote, or raise."""
        asked = f"stdout=1&stderr=1&tail={lines}"
        path = f"/containers/{container.id}/logs?{asked}"
        answer = self._ask(Call(path=path), ASK_SECONDS)
        _check(answer)
        body = answer.body if container.config.tty else unpack(answer.body)
        return last_lines(body.decode(errors="replace"), lines)

    def restart(self, container: Container) -> None:
        """Restart a container, by its id: a name may be another's by now.

        Raises:
            NotAccepted: it was certainly not restarted.
            OutgoingFailed: nobody knows whether it was.
        """
        seconds = container.end_seconds
        path = f"/containers/{container.id}/restart?t={seconds}"
        call = Call(method="POST", path=path)
        try:
            answer = self._ask(call, seconds + EXTRA_SECONDS)
        except NotSent as error:
            raise NotAccepted(str(error), may_retry=True) from error
        if answer.status in (400, 401, 403, 404, 405):
            raise NotAccepted(
                f"the engine says {answer.status}: {_why(answer)}"
            )
        if answer.status != 204:
            raise OutgoingFailed(
                f"the engine says {answer.status}: {_why(answer)}"
            )

    def _ask(self, call: Call, seconds: float) -> Answer:
        """Return what the engine answers."""
        return call_near(self._address, call, seconds)


class _Message(msgspec.Struct):
    """What the engine says is wrong."""

    message: str = ""


def _why(answer: Answer) -> str:
    """Return in a line what the engine says is wrong."""
    try:
        said = msgspec.json.decode(answer.body, type=_Message).message
    except (msgspec.DecodeError, RecursionError):
        return "it does not say why"
    return " ".join(last_lines(said, 1, 200)) or "it does not say why"


def _check(answer: Answer) -> None:
    """Raise OutgoingFailed for what is no good answer."""
    if answer.status != 200:
        raise OutgoingFailed(
            f"the engine says {answer.status}: {_why(answer)}"
        )


def own_ids() -> set[str]:
    """Return the ids of the container that we run in, as far as told."""
    found = set()
    for line in _lines("cgroup"):
        found |= set(WHOLE_ID.findall(line.rpartition(":")[2]))
    for line in _lines("mountinfo"):
        # Where it is from, and where it is: the engine lends each container
        # its names. What else is mounted may be of all containers.
        _, _, _, origin, place, *_ = (*line.split(), *[""] * 5)
        if place in LENT:
            found |= set(WHOLE_ID.findall(origin))
    return found


def _lines(name: str) -> list[str]:
    """Return what the system says of us; nothing where it says nothing."""
    try:
        text = (PROC / name).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.splitlines()


def begins(text: str) -> bool:
    """Tell whether a moment of the engine is one; the year 1 is none."""
    if text.startswith(NOTHING_YET):
        return False
    try:
        datetime.fromisoformat(text[:19])
    except ValueError:
        return False
    return True


def unpack(body: bytes) -> bytes:
    """Return what was written out of the engine's frames.

    What has no frames is returned as it is: not every engine makes them.
    """
    found = bytearray()
    place = 0
    while place + FRAME.size <= len(body):
        kind, size = FRAME.unpack_from(body, place)
        if kind > 2 or body[place + 1 : place + 4] != b"\0\0\0":
            return body
        place += FRAME.size
        found += body[place : place + size]
        place += size
    return bytes(found)
