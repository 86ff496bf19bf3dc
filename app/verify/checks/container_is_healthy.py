"""Whether a container of this machine runs, and says that it is well."""

from urllib.parse import quote

import httpx
import msgspec
from pydantic import Field

from app.core.configfile import Section
from app.core.errors import OutgoingFailed
from app.models.gauge import Gauge, argument, elsewhere
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv

GAUGE = Gauge(check="container_is_healthy", unit="healthy", is_floor=True)
SECONDS = 5.0
MOST_BYTES = 1_048_576


class ContainerSettings(Section):
    """Where the API of Docker, or of Podman, listens."""

    socket: str = Field("/var/run/docker.sock", max_length=100)


class Health(msgspec.Struct, rename="pascal"):
    """What a container's own health check says."""

    status: str = "none"


class State(msgspec.Struct, rename="pascal"):
    """How a container is."""

    status: str
    health: Health | None = None


class Container(msgspec.Struct, rename="pascal"):
    """One container, as it comes."""

    state: State


class ContainerIsHealthy:
    """Asks the API of the container engine."""

    def __init__(self, env: CheckEnv) -> None:
        """Take the clock and where the API is."""
        self._clock = env.clock
        self._socket = env.settings(ContainerSettings).socket

    async def measure(self, subject: Subject) -> Reading:
        """Return 1 while it runs and is not known to be ill."""
        if not subject.is_here:
            return GAUGE.miss(self._clock.now(), elsewhere(subject))
        name = argument(subject, "container").removeprefix("/")
        body = await self._inspect(name)
        now = self._clock.now()
        if body is None:
            return GAUGE.read(now, 0.0, 1.0, f"there is no container {name}")
        try:
            state = msgspec.json.decode(body, type=Container).state
        except (msgspec.DecodeError, RecursionError) as error:
            raise OutgoingFailed("the answer is no container") from error
        health = "none" if state.health is None else state.health.status
        is_well = state.status == "running" and health in ("none", "healthy")
        told = "" if health == "none" else f", {health}"
        says = f"{name} is {state.status}{told}"
        return GAUGE.read(now, float(is_well), 1.0, says)

    async def _inspect(self, name: str) -> bytes | None:
        """Return what the engine knows of a container, None for nothing."""
        url = f"http://containers/containers/{quote(name, safe='')}/json"
        way = httpx.AsyncHTTPTransport(uds=self._socket)
        try:
            async with (
                httpx.AsyncClient(
                    transport=way, timeout=SECONDS, trust_env=False
                ) as client,
                client.stream("GET", url) as response,
            ):
                if response.status_code == 404:
                    return None
                if response.status_code != 200:
                    text = f"{self._socket}: status {response.status_code}"
                    raise OutgoingFailed(text)
                return await read_all(response)
        except httpx.HTTPError as error:
            text = f"{self._socket} does not answer: {type(error).__name__}"
            raise OutgoingFailed(text) from error

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means; what was well and is not is worse."""
        return GAUGE.judge(before, after)


async def read_all(response: httpx.Response) -> bytes:
    """Return a body that is not too long, or raise OutgoingFailed."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MOST_BYTES:
            raise OutgoingFailed("the answer is too long")
    return bytes(body)


def plugin(env: CheckEnv) -> Check:
    """Return the check."""
    return ContainerIsHealthy(env)
