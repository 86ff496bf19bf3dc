"""Weighing: an action is as bad as what its jobs may do at this site.

What it declares holds everywhere. What a job does with what the site's
settings let it do may be worse, and then the guard must know.
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from app.models.action import ActionSpec, Catalogue, Risk

ORDER = tuple(Risk)


@runtime_checkable
class Weighing(Protocol):
    """A backend that knows how bad its jobs may be."""

    def risk_of(self, job: str) -> Risk:
        """Return how bad a job may be as it is set up here."""


def apply_risks(
    catalogue: Catalogue, backends: Mapping[str, Weighing]
) -> Catalogue:
    """Return a catalogue in which no action is worse than it says.

    Args:
        catalogue: the actions, with where each runs.
        backends: those that are configured.
    """
    return catalogue.changed(lambda spec: _weigh(spec, backends))


def _weigh(spec: ActionSpec, backends: Mapping[str, Weighing]) -> ActionSpec:
    """Return an action with the worst risk that it may have here."""
    found = [spec.risk]
    for run in spec.ways:
        backend = backends.get(run.backend)
        if backend is not None:
            found.append(backend.risk_of(run.job))
    worst = max(found, key=ORDER.index)
    if worst is spec.risk:
        return spec
    return spec.model_copy(update={"risk": worst})
