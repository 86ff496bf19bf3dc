"""The application's own settings; plug-ins own theirs, in their files."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from app.core.configfile import Config, Section


class Limits(Section):
    """What one request may cost; over it the answer is 413, 422 or 503."""

    body_bytes: int = Field(1_048_576, ge=1_024, le=67_108_864)
    alerts: int = Field(500, ge=1, le=100_000)
    labels: int = Field(64, ge=1, le=10_000)
    label_name_chars: int = Field(128, ge=1)
    label_value_chars: int = Field(4_096, ge=1)
    annotation_chars: int = Field(65_536, ge=1)
    annotations: int = Field(128, ge=1, le=10_000)
    identity_chars: int = Field(512, ge=16, le=600)
    depth: int = Field(32, ge=1, le=200)
    header_seconds: float = Field(10.0, gt=0, le=86_400)
    body_seconds: float = Field(10.0, gt=0, le=86_400)
    idle_seconds: float = Field(75.0, gt=0, le=86_400)
    connections: int = Field(512, ge=1)
    connections_per_peer: int = Field(256, ge=1)
    waiting_deliveries: int = Field(5_000, ge=1)
    waiting_bytes: int = Field(67_108_864, ge=1_024)
    waiting_seconds: float = Field(5.0, gt=0, le=86_400)

    @field_validator("waiting_bytes")
    @classmethod
    def _has_room(cls, size: int, info: ValidationInfo) -> int:
        """Return the size of the queue: the longest body must fit.

        One that does not would be told for ever to come again.
        """
        most = info.data.get("body_bytes", 0)
        if size < most:
            raise ValueError(f"has no room for one body of {most} bytes")
        return size


class ServerSettings(Section):
    """Where the service listens and what a request may cost."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65_535)
    limits: Limits = Limits()


class DatabaseSettings(Section):
    """Where everything is kept."""

    url: SecretStr = SecretStr("sqlite:///var/smokejumper.db")
    migrate_on_start: bool = True
    wal_alarm_bytes: int = Field(268_435_456, ge=1_048_576)


class LogSettings(Section):
    """How much is logged, and in which form."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class ApiSettings(Section):
    """Who may read; without a token only this machine may."""

    tokens: tuple[SecretStr, ...] = ()
    streams: int = Field(100, ge=1, le=10_000)
    exports: int = Field(4, ge=1, le=100)


class Settings(Section):
    """Everything that is not a plug-in's own."""

    server: ServerSettings
    database: DatabaseSettings
    log: LogSettings
    api: ApiSettings


OWN: Mapping[str, type[Section]] = {
    "server": ServerSettings,
    "database": DatabaseSettings,
    "log": LogSettings,
    "api": ApiSettings,
}


def read_settings(config: Config) -> Settings:
    """Return the application's settings out of the configuration."""
    return Settings(
        server=config.read(ServerSettings, "server"),
        database=config.read(DatabaseSettings, "database"),
        log=config.read(LogSettings, "log"),
        api=config.read(ApiSettings, "api"),
    )
