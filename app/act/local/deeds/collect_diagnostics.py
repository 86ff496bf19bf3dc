"""Collect diagnostics: look at this machine, change nothing, say it all."""

import socket
from typing import Any

import msgspec
from pydantic import Field

from app.act.local import probes
from app.act.local.deed import Deed, DeedEnv, Done, fit
from app.act.local.hand import Hand
from app.act.local.look.lens import Lens
from app.act.local.look.looking import (
    GENERAL,
    bounded,
    look_round,
    pick,
    say_first,
)
from app.act.local.look.probe import Probe
from app.core.clock import to_iso
from app.core.configfile import Section
from app.core.errors import NotAccepted
from app.core.registry import scan
from app.models.evidence import Evidence
from app.models.job import JobState
from app.models.origins import TOPICS

# What is kept of the time of a job: writing and reading it takes some.
REST_SECONDS = 1.0
PIECES = 3


class DiagnosticsSettings(Section):
    """How long is looked, and how much is said.

    Attributes:
        seconds: all of it takes no longer.
        window_seconds: so long is watched what moves.
        output_bytes: so much is kept of what was seen.
    """

    seconds: float = Field(20.0, ge=2.0, le=300.0)
    window_seconds: float = Field(2.0, ge=0.2, le=60.0)
    output_bytes: int = Field(200_000, ge=4_000, le=800_000)


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is looked at, where, and which service the alert is about."""

    host: str
    topic: str = GENERAL
    service: str = ""


def plugin(env: DeedEnv) -> Deed:
    """Return the deed."""
    found = {name: make(env) for name, make in scan(probes).items()}
    return CollectDiagnostics(env, found)


class CollectDiagnostics:
    """Looks at this machine through the probes of a topic."""

    takes: type[msgspec.Struct] = Arguments

    def __init__(self, env: DeedEnv, found: dict[str, Probe]) -> None:
        """Take the settings, the past, and all probes by name."""
        self._settings = env.settings(DiagnosticsSettings)
        self._clock = env.clock
        self._host = env.host
        self._past = env.past
        self._probes = found

    def do(self, arguments: Any, hand: Hand) -> Done:
        """Look, say what was seen, and what stands out in one line."""
        host = fit("host", arguments.host)
        if arguments.topic not in TOPICS:
            raise NotAccepted(f"{arguments.topic[:40]!r} is no topic")
        service = arguments.service and fit("service", arguments.service)
        left = hand.seconds_left - REST_SECONDS
        lens = Lens(
            self._past,
            self._host,
            window_seconds=self._settings.window_seconds,
            seconds=max(1.0, min(self._settings.seconds, left)),
        )
        lens.service = service
        chosen = pick(self._probes, arguments.topic)
        sections, oddities = look_round(
            chosen, lens, is_short=arguments.topic == GENERAL
        )
        hand.check()
        evidence = Evidence(
            topic=arguments.topic,
            host=f"{host} ({socket.gethostname()})",
            at=to_iso(self._clock.now()) or "",
            stands_out=say_first(oddities, self._past.seconds),
            sections=tuple(sections),
        )
        hand.say(bounded(evidence, self._settings.output_bytes))
        lines = [line for one in sections for line in one.lines]
        if all(line.startswith("not readable") for line in lines):
            return Done("nothing could be read", JobState.FAILED)
        return Done("; ".join(evidence.stands_out[:PIECES]))
