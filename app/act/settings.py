"""What is set about acting: how long, how often, and where actions run."""

from pydantic import Field

from app.core.configfile import Section
from app.models.action import Name, Run
from app.models.mission import SECOND, Limits


class ActSettings(Section):
    """The section ``act`` of the settings."""

    enabled: bool = True
    rounds: int = Field(2, ge=1, le=10)
    deadline_seconds: int = Field(3_600, ge=10, le=604_800)
    deciding_seconds: int = Field(600, ge=1, le=86_400)
    poll_seconds: float = Field(2.0, ge=0.05, le=300)
    concurrency: int = Field(16, ge=1, le=200)
    lease_seconds: float = Field(9.0, ge=2, le=12)
    collect_evidence: bool = True
    output_bytes: int = Field(1_048_576, ge=1_024, le=67_108_864)
    run: dict[Name, Run | tuple[Run, ...]] = Field(
        default_factory=dict, max_length=1_000
    )

    @property
    def ways(self) -> dict[str, tuple[Run, ...]]:
        """Return where actions run here, the first choice first."""
        return {
            name: (run,) if isinstance(run, Run) else run
            for name, run in self.run.items()
        }

    @property
    def limits(self) -> Limits:
        """Return what the pipeline needs to know of it."""
        return Limits(
            rounds=self.rounds,
            deadline=self.deadline_seconds * SECOND,
            deciding=self.deciding_seconds * SECOND,
            poll=int(self.poll_seconds * SECOND),
        )
