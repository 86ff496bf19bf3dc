"""The settings of the watch: what is too much, and for how long."""

from fnmatch import fnmatchcase
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from app.core.configfile import Section
from app.core.host import HostSettings, Name, Place
from app.core.remote import ExactAddress

LABEL = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
Label = Annotated[str, Field(pattern=LABEL)]
Value = Annotated[str, Field(min_length=1, max_length=200)]
Pattern = Annotated[str, Field(min_length=2, max_length=100)]
# What an alert may be about, beside the machine.
SUBJECTS = frozenset(
    {"process", "mountpoint", "service", "interface", "sensor", "kind"}
)
OWN = SUBJECTS | {"alertname", "host", "severity"}
# Model servers take all cores while they think for us.
QUIET = ("ollama*", "llama-*", "vllm*")


class Threshold(Section):
    """What is too much, when it begins, and when it is over.

    Attributes:
        limit: from here on it is too much.
        lower: it is over when it is below; 0: nine tenths of the limit.
        for_seconds: so long it must be too much, without a break.
        clear_seconds: so long it must be over, without a break.
        enabled: whether it is looked at.
    """

    limit: float = Field(gt=0, le=1e12)
    lower: float = Field(0.0, ge=0, le=1e12)
    for_seconds: float = Field(60.0, ge=0, le=86_400)
    clear_seconds: float = Field(10.0, ge=0, le=86_400)
    enabled: bool = True

    @model_validator(mode="after")
    def _is_apart(self) -> Self:
        """Refuse an end that lies above the beginning."""
        if self.lower > self.limit:
            raise ValueError("lower must not be above the limit")
        return self

    @property
    def end(self) -> float:
        """Return below what it is over."""
        return self.lower or 0.9 * self.limit


def _at(limit: float, lower: float, seconds: float) -> "Threshold":
    """Return what a threshold is when nobody sets it."""
    return Threshold(limit=limit, lower=lower, for_seconds=seconds)


class ProcessCpu(Threshold):
    """From when on a process runs away: percent of one core.

    Attributes:
        most: more programs at once than this are a busy machine, and none
            of them is named.
    """

    limit: float = Field(90.0, gt=0, le=100_000)
    lower: float = Field(50.0, ge=0, le=100_000)
    for_seconds: float = Field(300.0, ge=0, le=86_400)
    most: int = Field(2, ge=1, le=20)


class ProcessMemory(Threshold):
    """From when on a process leaks: megabytes a minute.

    Attributes:
        floor_percent: and holds so much of the machine's memory by then.
        young_seconds: what has just begun grows fast, and is well.
    """

    limit: float = Field(200.0, gt=0, le=1e9)
    for_seconds: float = Field(120.0, ge=0, le=86_400)
    floor_percent: float = Field(5.0, ge=0, le=100)
    young_seconds: float = Field(60.0, ge=0, le=86_400)


class Thresholds(Section):
    """What is too much of each thing.

    Attributes:
        process_cpu: of one process, in percent of one core.
        process_memory: growth of one process, in MB a minute.
        cpu: of all cores, in percent.
        load: for each core.
        memory: in percent.
        swap: in percent.
        disk: of each file system, in percent.
        pressure_cpu: percent of the time in which something waits for it.
        pressure_memory: the same for memory.
        pressure_io: the same for disks.
        network: errors and drops of an interface in a second.
        temperature: of a sensor, in degrees Celsius.
        service: 1 is a service that is down.
        zombies: how many have ended and are not buried.
        open_files: of one process, in percent of what it may open.
        clock: how far the clock was moved, in seconds.
    """

    process_cpu: ProcessCpu = ProcessCpu()
    process_memory: ProcessMemory = ProcessMemory()
    cpu: Threshold = _at(95, 85, 300)
    load: Threshold = _at(4, 3, 300)
    memory: Threshold = _at(92, 88, 120)
    swap: Threshold = _at(80, 70, 300)
    disk: Threshold = _at(90, 87, 60)
    pressure_cpu: Threshold = _at(90, 70, 300)
    pressure_memory: Threshold = _at(20, 10, 120)
    pressure_io: Threshold = _at(70, 50, 300)
    network: Threshold = _at(50, 10, 120)
    temperature: Threshold = _at(90, 85, 60)
    service: Threshold = _at(1, 1, 15)
    zombies: Threshold = _at(100, 50, 300)
    open_files: Threshold = _at(85, 75, 60)
    clock: Threshold = _at(5, 2.5, 0)

    @model_validator(mode="before")
    @classmethod
    def _keep_the_rest(cls, given: Any) -> Any:
        """Let who sets one thing of a threshold keep the others."""
        if not isinstance(given, dict):
            return given
        return {name: cls._over(name, one) for name, one in given.items()}

    @classmethod
    def _over(cls, name: str, given: Any) -> Any:
        """Return what is given of a threshold over its defaults."""
        field = cls.model_fields.get(name)
        if field is None or not isinstance(given, dict):
            return given
        base: dict[str, Any] = field.default.model_dump()
        if "limit" in given:
            # It belonged to the other limit.
            base["lower"] = 0.0
        return {**base, **given}


class ServiceCheck(Section):
    """How a service is asked whether it is well.

    With neither, whoever keeps it is asked: a command, supervisor, systemd.

    Attributes:
        url: a page that answers below 400.
        port: a port of this machine that takes a connection.
        timeout_seconds: a slower answer is none.
    """

    url: ExactAddress | None = None
    port: int | None = Field(None, ge=1, le=65_535)
    timeout_seconds: float = Field(2.0, gt=0, le=30)


class WatchSettings(Section):
    """The section ``watch``.

    Attributes:
        enabled: whether this service watches its own machine.
        host: what this machine is called in alerts; "": its own name.
        every_seconds: how often it is looked at.
        url: where alerts are posted; "": this service itself.
        source: the name of the source there.
        secret: what opens that source, as bearer; "": nothing.
        labels: more labels of each alert.
        repeat_seconds: what goes on is told again so often.
        thresholds: what is too much.
        services: those that are watched, beside what host.services and
            host.supervisor name.
        disks: where more file systems are mounted, such as a tmpfs.
        programs: those that may be named: patterns.
        ignore: of these, those that are never named.
        textfile: a folder that node_exporter reads; "": none.
        state_file: what is told is kept here over a restart, beside the
            database; "": it is not.
    """

    enabled: bool = False
    host: str = Field("", max_length=200)
    every_seconds: float = Field(2.0, ge=0.5, le=60)
    url: str = Field("", max_length=500)
    source: Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,100}$")] = "watch"
    secret: SecretStr = SecretStr("")
    labels: dict[Label, Value] = Field(default_factory=dict, max_length=20)
    repeat_seconds: float = Field(60.0, ge=5, le=86_400)
    thresholds: Thresholds = Thresholds()
    services: dict[Name, ServiceCheck] = Field(
        default_factory=dict, max_length=100
    )
    disks: tuple[Place, ...] = Field((), max_length=32)
    programs: tuple[Pattern, ...] = Field(("**",), max_length=100)
    ignore: tuple[Pattern, ...] = Field(QUIET, max_length=100)
    textfile: str = Field("", max_length=500)
    state_file: str = Field("watch.state", max_length=500)

    def may_name(self, program: str) -> bool:
        """Tell whether a program may be named at all."""
        return _fits(program, self.programs) and not _fits(
            program, self.ignore
        )

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, written: str) -> str:
        """Refuse what is no address."""
        parts = urlsplit(written)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
        if written and not is_web:
            raise ValueError("write http://HOST:PORT, or https://")
        if parts.username or parts.password:
            raise ValueError("write the secret as secret, no user")
        return written.rstrip("/")

    @field_validator("labels")
    @classmethod
    def _are_free(cls, labels: dict[str, str]) -> dict[str, str]:
        """Refuse labels that the watch sets by itself."""
        taken = sorted(OWN & set(labels))
        if taken:
            raise ValueError(f"{taken[0]} is set by the watch itself")
        return labels


def _fits(program: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether one of some patterns fits."""
    return any(fnmatchcase(program, one) for one in patterns)


class StandaloneSettings(Section):
    """The settings file of a watch on another machine.

    Attributes:
        watch: the same section as the service's.
        host: what is said about that machine.
    """

    watch: WatchSettings = WatchSettings()
    host: HostSettings = HostSettings()
