"""What is said about the machine that we run on."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from app.core.configfile import Section
from app.core.folders import Folder

Word = Annotated[str, Field(min_length=1, max_length=500)]
Place = Annotated[str, Field(pattern=r"^/.*[^/]$", max_length=255)]
Command = Annotated[tuple[Word, ...], Field(min_length=1, max_length=50)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@:-]{0,126}$")]


class Declared(Section):
    """A daemon that neither systemd nor supervisor keeps.

    Attributes:
        status: a command that ends with 0 while the daemon runs.
        restart: the command that restarts it.
        seconds: how long that is waited for; it is never ended by us.
    """

    status: Command
    restart: Command
    seconds: float = Field(120.0, gt=0, le=900)

    @model_validator(mode="after")
    def _is_absolute(self) -> Self:
        """Refuse a program that is looked for: it could be another one."""
        for words in (self.status, self.restart):
            if not words[0].startswith("/"):
                raise ValueError(
                    f"{words[0]!r}: write the whole path of the program"
                )
        return self


class HostSettings(Section):
    """The section ``host``: what this machine is called, and who keeps what.

    Attributes:
        names: what it is called in alerts, beside its own names.
        supervisor: where supervisord answers: http://127.0.0.1:9001/RPC2 or
            unix:///run/supervisor.sock; empty: there is none.
        services: daemons that have commands of their own, by their names.
        folders: those that have a size of their own, by their paths.
    """

    names: tuple[str, ...] = ()
    supervisor: Annotated[
        str, Field(pattern=r"^(|https?://.+|unix:///.+)$", max_length=500)
    ] = ""
    services: dict[Name, Declared] = Field(
        default_factory=dict, max_length=1_000
    )
    folders: dict[Place, Folder] = Field(default_factory=dict, max_length=100)

    @field_validator("supervisor")
    @classmethod
    def _is_an_address(cls, written: str) -> str:
        """Refuse what no connection can be made to."""
        try:
            parts = urlsplit(written)
            is_good = parts.port != 0
        except ValueError as error:
            # What it says may have a part of the password.
            raise ValueError("this is no address") from error
        is_good &= bool(parts.hostname) or parts.scheme in ("", "unix")
        if not is_good or not written.isprintable() or " " in written:
            raise ValueError("this is no address of a host and a port")
        return written
