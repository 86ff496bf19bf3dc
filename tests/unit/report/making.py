"""Messages, dispatches and settings for the tests of telling people."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from app.core.clock import SystemClock
from app.core.configfile import Config, load_config
from app.core.registry import scan
from app.models.message import Dispatch, Facts, Kind, Letter, Message
from app.ports import Channel
from app.report import channels
from app.report.making import make_channels
from app.report.settings import ReportSettings

NOW = 1_795_227_242_000_000
SECOND = 1_000_000


def settings(**more: Any) -> ReportSettings:
    """Return settings as a file would give them."""
    return ReportSettings.model_validate(more)


def config_of(folder: Path, tree: Mapping[str, Any]) -> Config:
    """Return a configuration as if it was read from a file."""
    file = folder / "settings.yaml"
    file.write_text(json.dumps(tree), encoding="utf-8")
    return load_config(file, {})


def make(
    folder: Path,
    sections: Mapping[str, Any],
    report: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> dict[str, Channel]:
    """Return the channels of a section ``channels``."""
    config = config_of(folder, {"channels": sections, "report": report or {}})
    plugins = scan(channels)
    clock = SystemClock()
    return make_channels(config, plugins, environ or {}, clock, folder)


def facts(kind: str = Kind.ESCALATED, **more: Any) -> Facts:
    """Return what a message says."""
    values: dict[str, Any] = {
        "at": NOW,
        "incident": 7,
        "title": "HighCPU on host:web-01",
        "severity": "critical",
        "happened": "restart_service did not help",
        **more,
    }
    return Facts(kind=kind, **values)


def message(
    kind: str = Kind.ESCALATED,
    number: int = 1,
    incident: int = 7,
    said: Facts | None = None,
    **labels: str,
) -> Message:
    """Return a message; labels beside kind and severity as wanted."""
    said = said or facts(kind, incident=incident)
    known = {"kind": str(kind), "severity": said.severity, **labels}
    return Message(
        id=number,
        entry_id=number,
        at=NOW,
        kind=kind,
        incident_id=incident,
        severity=said.severity,
        labels=json.dumps(known),
        facts=msgspec.json.encode(said).decode(),
    )


def dispatch(channel: str = "chat", number: int = 1, **more: Any) -> Dispatch:
    """Return a dispatch that waits."""
    values: dict[str, Any] = {
        "message_id": number,
        "incident_id": 7,
        "kind": Kind.ESCALATED.value,
        "due_at": NOW,
        "created_at": NOW,
        **more,
    }
    return Dispatch(id=number, channel=channel, **values)


def letter(
    kind: str = Kind.ESCALATED, key: str = "sj-1", **more: Any
) -> Letter:
    """Return a letter."""
    values: dict[str, Any] = {
        "severity": "critical",
        "title": "[critical] Yours now: HighCPU",
        "text": "what happened\n\nWhy: nobody knows",
        **more,
    }
    return Letter(key=key, kind=kind, facts=facts(kind), **values)
