"""Every plot ends as it must; a crash at any point breaks no law."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulation.plots import PLOTS, play


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_ends_as_it_must(name: str) -> None:
    """Without a crash each story has the end that was written for it."""
    plot = PLOTS[name]
    sim = play(plot)
    missions = sim.stage.audit.state.missions
    assert missions[1].end == plot.end
    assert len(sim.stage.receiver.works) == plot.starts


def test_what_is_over_is_asked_about_no_more() -> None:
    """What a person grants then is another choice, for what goes on."""
    sim = play(PLOTS["another problem goes on"])
    asked = sim.stage.audit.state.approvals.values()
    assert [(one.action, one.state) for one in asked] == [
        ("clean", "withdrawn"),
        ("sync", "granted"),
    ]


# Those in which a crash hurts most; CI plays all of them.
FIRST = (
    "fixed",
    "granted",
    "the answer is lost",
    "lost and forgotten",
    "sent again",
    "busy at first",
    "well while it runs",
    "halted while asking",
    "another problem goes on",
)


def names() -> Iterator[Any]:
    """Yield the name of each plot."""
    for name in PLOTS:
        marks = [] if name in FIRST else [pytest.mark.long]
        yield pytest.param(name, marks=marks)


@pytest.mark.parametrize("name", list(names()))
def test_a_crash_at_any_point_breaks_no_law(name: str) -> None:
    """Whatever the process dies at, nothing starts twice or is dropped."""
    plot = PLOTS[name]
    points = play(plot).passed
    assert points >= 2
    for number in range(1, points + 1):
        sim = play(plot, crash_at=number)
        assert len(sim.stage.receiver.works) <= plot.starts + 1


@pytest.mark.parametrize(
    "name", ["fixed", pytest.param("granted", marks=pytest.mark.long)]
)
def test_a_turn_that_is_undone_breaks_no_law(name: str) -> None:
    """A process that dies within a turn leaves what was before it."""
    plot = PLOTS[name]
    for number in range(1, play(plot, undoes=True).passed + 1):
        sim = play(plot, crash_at=number, undoes=True)
        assert len(sim.stage.receiver.works) <= plot.starts
