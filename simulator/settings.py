"""The settings of the simulator: one YAML file, off unless it says on."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
)

from simulator.problem import Forbidden, Refused
from simulator.strict_yaml import NotStrict, read_strictly

VARIABLE = "SIMULATOR_CONFIG"
PLACE = Path("config/simulator.yaml")
MOST_BYTES = 65_536
EVERYWHERE = "0.0.0.0"  # noqa: S104  one to choose, with a token
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
SERVICE = r"^[a-z][a-z0-9-]{0,10}$"
REMEDY = "See docs/simulator.md for what each setting means."

# With "-zombies" behind it a name must not be longer than the kernel keeps.
PROGRAMS = r"^[a-z][a-z0-9]{0,6}$"

TOKEN_LENGTH = 16
TOKEN = re.compile(rf"[!-~]{{{TOKEN_LENGTH},}}", re.ASCII)
# What the kernel keeps of a process' name.
MOST_NAME = 15

# The last one is for a container, and needs a token.
Listen = Literal["127.0.0.1", "::1", "0.0.0.0"]  # noqa: S104
Label = Annotated[str, StringConstraints(pattern=NAME)]
ServiceName = Annotated[str, StringConstraints(pattern=SERVICE)]
ProgramsName = Annotated[str, StringConstraints(pattern=PROGRAMS)]


class Part(BaseModel):
    """A part of the settings: what it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Most(Part):
    """What no fault may pass, whatever is asked for.

    Attributes:
        cpu_processes: how many processes may be busy at once.
        memory_mb: how much memory may be held.
        disk_mb: how large the small file system is.
        seconds: how long a fault may last.
        files: how many files may be held open.
        zombies: how many children may be left unreaped.
    """

    cpu_processes: int = Field(4, ge=1, le=256)
    memory_mb: int = Field(1024, ge=16, le=1_048_576)
    disk_mb: int = Field(64, ge=8, le=4096)
    seconds: int = Field(900, ge=1, le=86_400)
    files: int = Field(4000, ge=16, le=1_000_000)
    zombies: int = Field(500, ge=1, le=10_000)


class DiskSettings(Part):
    """The small file system that a disk fault fills.

    Attributes:
        kind: tmpfs (root only), folder (a cap that its monitor knows of),
            or auto: tmpfs where that can be had, else folder.
        path: where it is; empty: ``disk`` in the simulator's folder.
        over_at_percent: a disk fault is over, by another's hand, as soon
            as no more than this is used.
    """

    kind: Literal["auto", "tmpfs", "folder"] = "auto"
    path: str = ""
    over_at_percent: int = Field(80, ge=20, le=95)


class Settings(Part):
    """All that can be set.

    Attributes:
        enabled: whether anything may be caused at all.
        host: what alerts call this machine.
        listen: the address of the server; this machine only.
        port: the port of the server.
        folder: where its own files are; nothing is removed elsewhere.
        page: whether the server has a page.
        token: what whoever asks must show; empty: this machine needs none,
            and nobody else is answered.
        service_port: where the first dummy service listens, the next on
            the one after; 0: anywhere.
        most: caps.
        services: the dummy services, by name.
        programs: how the names of its programs begin: two simulators of
            one machine are told apart by it.
        spool: where the services write at their start: on the small disk,
            so that they do not start while it is full, or in a folder of
            their own.
        disk: the small file system.
    """

    enabled: bool = False
    host: Label = "simulator"
    listen: Listen = "127.0.0.1"
    port: int = Field(8099, ge=0, le=65_535)
    folder: Path = Path("var/simulator")
    page: bool = True
    token: SecretStr = SecretStr("")
    service_port: int = Field(0, ge=0, le=65_000)
    most: Most = Most()
    services: tuple[ServiceName, ...] = ("shop",)
    programs: ProgramsName = "sim"
    spool: Literal["disk", "own"] = "disk"
    disk: DiskSettings = DiskSettings()

    @property
    def home(self) -> Path:
        """Return the simulator's folder as an absolute path."""
        # A link in it must stay to be seen.
        return Path(os.path.abspath(self.folder))  # noqa: PTH100

    @property
    def disk_path(self) -> Path:
        """Return where the small file system is."""
        path = self.disk.path
        return Path(path) if path else self.home / "disk"

    def program(self, kind: str) -> str:
        """Return what the programs of one kind of fault are called."""
        return f"{self.programs}-{kind}"

    def need_enabled(self) -> None:
        """Raise Forbidden unless the simulator may cause anything."""
        if not self.enabled:
            raise Forbidden(
                "the simulator is off, so nothing was started",
                field="enabled",
                remedy="It causes real trouble on this machine: set"
                f" 'enabled: true' in {place_of_settings()} if you want it",
            )


def place_of_settings(environ: Mapping[str, str] = os.environ) -> Path:
    """Return which file holds the settings."""
    return Path(environ.get(VARIABLE) or PLACE)


def load_settings(path: Path | None = None) -> Settings:
    """Return the settings of a file, or raise Refused with the field.

    Args:
        path: the file; without it, what SIMULATOR_CONFIG names, else
            config/simulator.yaml.
    """
    file = path or place_of_settings()
    return make_settings(_read(file), str(file))


def make_settings(values: object, where: str = "settings") -> Settings:
    """Return settings out of plain values, or raise Refused."""
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise Refused(f"{where} holds no mapping", field=where, remedy=REMEDY)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise _explained(error, where) from error
    path = settings.disk.path
    if path and not Path(path).is_absolute():
        raise Refused(
            f"{path!r} does not begin with /",
            field="disk.path",
            remedy="Write the whole path, or leave it empty",
        )
    token = settings.token.get_secret_value()
    if token and not TOKEN.fullmatch(token):
        raise Refused(
            f"it has fewer than {TOKEN_LENGTH} characters, or others than"
            " letters, digits and signs of ASCII",
            field="token",
            remedy="Make one: openssl rand -hex 24",
        )
    _check_names(settings)
    if settings.listen == EVERYWHERE and not token:
        raise Refused(
            f"who listens on {EVERYWHERE} needs a token: it causes real"
            " trouble for whoever can reach it",
            field="token",
            remedy=f"Set one, or leave 'listen' at {Settings().listen}",
        )
    return settings


def _check_names(settings: Settings) -> None:
    """Raise Refused unless each service has a name of its own."""
    for number, name in enumerate(settings.services):
        program = settings.program(name)
        if settings.services.count(name) > 1:
            why, remedy = f"{name} is there twice", "Name each of them once"
        elif len(program) > MOST_NAME:
            why = f"a process called {program} has more than {MOST_NAME} signs"
            remedy = "Choose a shorter name, or shorter 'programs'"
        else:
            continue
        raise Refused(why, field=f"services.{number}", remedy=remedy)


def _read(file: Path) -> Any:
    """Return what a YAML file says."""
    try:
        text = file.read_bytes()[: MOST_BYTES + 1]
    except OSError as error:
        raise Refused(
            f"{file} cannot be read: {error.strerror}",
            field=VARIABLE,
            remedy=f"Let {VARIABLE} name a file with the settings",
        ) from error
    if len(text) > MOST_BYTES:
        raise Refused(f"{file} is longer than 64 KiB", field=VARIABLE)
    try:
        return read_strictly(text)
    except NotStrict as error:
        raise Refused(str(error), field=str(file), remedy=REMEDY) from error


def _explained(error: ValidationError, where: str) -> Refused:
    """Return the first thing that is wrong, named as it is written."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    more = error.error_count() - 1
    text = first["msg"][:1].lower() + first["msg"][1:]
    others = f" (and {more} more)" if more else ""
    return Refused(
        f"{where}: {text}{others}", field=field or where, remedy=REMEDY
    )
