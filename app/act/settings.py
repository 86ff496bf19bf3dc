"""What is set about acting: how long, how often, and where actions run."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from app.act.changing import Change
from app.core.configfile import Section
from app.models.action import Name, Run
from app.models.mission import MOST_LEASE_SECONDS, SECOND, Limits

Ways = Annotated[tuple[Run, ...], Field(max_length=20)]


def _in_a_list(written: object) -> object:
    """Return one run as the only one of a list: what is wrong is said once."""
    if written in ([], ()):
        raise ValueError("names no backend: write one, or leave it out")
    return [written] if isinstance(written, dict | Run) else written


class ActSettings(Section):
    """The section ``act`` of the settings."""

    enabled: bool = True
    rounds: int = Field(2, ge=1, le=10)
    deadline_seconds: int = Field(3_600, ge=10, le=604_800)
    deciding_seconds: int = Field(600, ge=1, le=86_400)
    poll_seconds: float = Field(2.0, ge=0.05, le=300)
    well_seconds: int = Field(30, ge=0, le=3_600)
    concurrency: int = Field(16, ge=1, le=200)
    lease_seconds: float = Field(9.0, ge=2, le=MOST_LEASE_SECONDS)
    collect_evidence: bool = True
    output_bytes: int = Field(1_048_576, ge=1_024, le=67_108_864)
    run: dict[Name, Annotated[Ways, BeforeValidator(_in_a_list)]] = Field(
        default_factory=dict, max_length=1_000
    )

    change: dict[Name, Change] = Field(default_factory=dict, max_length=1_000)

    @property
    def limits(self) -> Limits:
        """Return what the pipeline needs to know of it."""
        return Limits(
            rounds=self.rounds,
            deadline=self.deadline_seconds * SECOND,
            deciding=self.deciding_seconds * SECOND,
            poll=int(self.poll_seconds * SECOND),
            well=self.well_seconds * SECOND,
        )
