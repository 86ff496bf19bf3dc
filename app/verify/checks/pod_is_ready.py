"""Whether the pods of a pod's controller are ready.

A pod that was deleted comes back under another name, so all pods of its
controller are looked at.
"""

import re
import ssl
from urllib.parse import quote, urlencode

import httpx
import msgspec
from pydantic import Field

from app.core.errors import ConfigError, OutgoingFailed
from app.core.http import ask
from app.core.remote import RemoteSettings, asking, bearer
from app.models.gauge import Gauge, argument
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv

MOST_PODS = 500
# A pod that is made anew is not ready for a while: one more is no wonder.
GAUGE = Gauge(check="pod_is_ready", unit="pods not ready", chance=1.0)
# Pods that were driven out stay in the list; others stand in for them.
ENDED = ("Succeeded", "Failed")
SUFFIX = re.compile(r"-[a-z0-9]{5}$")


class PodSettings(RemoteSettings):
    """Where the API of Kubernetes is, and who signed its certificate."""

    ca_file: str = Field("", max_length=500)


class Owner(msgspec.Struct):
    """Who made a pod."""

    name: str
    controller: bool = False


class Meta(msgspec.Struct, rename="camel", frozen=True):
    """Names of a pod."""

    name: str = ""
    owner_references: list[Owner] = []
    deletion_timestamp: str | None = None
    continue_: str = msgspec.field(default="", name="continue")


class Condition(msgspec.Struct):
    """One thing that is known of a pod."""

    type: str
    status: str


class Status(msgspec.Struct, frozen=True):
    """How a pod is."""

    phase: str = ""
    conditions: list[Condition] = []


class Pod(msgspec.Struct, frozen=True):
    """One pod, as it comes."""

    metadata: Meta
    status: Status = Status()

    @property
    def owner(self) -> str:
        """Return its controller, or empty."""
        owners = self.metadata.owner_references
        return next((one.name for one in owners if one.controller), "")

    @property
    def is_ready(self) -> bool:
        """Tell whether it serves."""
        return any(
            one.type == "Ready" and one.status == "True"
            for one in self.status.conditions
        )

    @property
    def is_going(self) -> bool:
        """Tell whether it is on its way out, or has ended."""
        is_deleted = self.metadata.deletion_timestamp is not None
        return is_deleted or self.status.phase in ENDED


class Pods(msgspec.Struct):
    """Some pods."""

    items: list[Pod]
    metadata: Meta = Meta()


class PodIsReady:
    """Asks the API of Kubernetes."""

    def __init__(
        self,
        env: CheckEnv,
        settings: PodSettings | None,
        headers: dict[str, str],
        trust: ssl.SSLContext | None,
    ) -> None:
        """Take where it is, what proves who asks, and whom we trust."""
        self._clock = env.clock
        self._settings = settings
        self._headers = headers
        self._trust = trust

    async def measure(self, subject: Subject) -> Reading:
        """Return how many pods of one controller are not ready."""
        settings = self._settings
        if settings is None:
            says = "checks.pod_is_ready says no address"
            return GAUGE.miss(self._clock.now(), says)
        namespace = argument(subject, "namespace")
        name = argument(subject, "pod")
        async with asking(settings):
            body = await self._list(settings, namespace)
        pods = siblings(read_pods(body), name)
        now = self._clock.now()
        if not pods:
            return GAUGE.miss(now, f"there is no pod like {name}")
        waiting = [pod.metadata.name for pod in pods if not pod.is_ready]
        says = f"{len(pods) - len(waiting)} of {len(pods)} pods are ready"
        if waiting:
            says += f", not {', '.join(waiting[:3])}"
        return GAUGE.read(now, float(len(waiting)), 0.0, says)

    async def _list(self, settings: PodSettings, namespace: str) -> bytes:
        """Return the pods of a namespace, as they come."""
        place = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods?"
        async with httpx.AsyncClient(
            timeout=settings.timeout_seconds,
            trust_env=False,
            verify=True if self._trust is None else self._trust,
        ) as client:
            return await ask(
                client,
                settings.url + place + urlencode({"limit": MOST_PODS}),
                self._headers,
                settings.body_bytes,
            )

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means; two more that wait are worse."""
        return GAUGE.judge(before, after)


def read_pods(body: bytes) -> list[Pod]:
    """Return the pods of an answer, or raise OutgoingFailed."""
    try:
        pods = msgspec.json.decode(body, type=Pods)
    except (msgspec.DecodeError, RecursionError) as error:
        raise OutgoingFailed("the answer is no list of pods") from error
    if pods.metadata.continue_:
        raise OutgoingFailed(f"there are more than {MOST_PODS} pods there")
    return pods.items


def siblings(pods: list[Pod], name: str) -> list[Pod]:
    """Return what stands for a pod now: itself, or what replaces it."""
    found = next((pod for pod in pods if pod.metadata.name == name), None)
    if found is not None and not found.owner:
        return [found]
    # Names of such pods end in five characters that no other one has.
    owner = found.owner if found is not None else SUFFIX.sub("", name)
    return [pod for pod in pods if pod.owner == owner and not pod.is_going]


def plugin(env: CheckEnv) -> Check:
    """Return the check; without settings it has no value."""
    if not env.is_configured:
        return PodIsReady(env, None, {}, None)
    settings = env.settings(PodSettings)
    token = ""
    if settings.token is not None:
        token = env.secret(settings.token, "token")
    try:
        headers = bearer(token)
        trust = None
        if settings.ca_file:
            trust = ssl.create_default_context(cafile=settings.ca_file)
    except ValueError as error:
        problem = env.problem(f"token {error}", "Write another token.")
        raise ConfigError([problem]) from error
    except OSError as error:
        what = f"cannot be read: {error.strerror or type(error).__name__}"
        problem = env.problem(what, "Name a file of certificates.", "ca_file")
        raise ConfigError([problem]) from error
    return PodIsReady(env, settings, headers, trust)
