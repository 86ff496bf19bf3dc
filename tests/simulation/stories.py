"""How a short story is begun, and led to the point that it is about."""

from tests.simulation.dealing import Deal, Dealer
from tests.simulation.hosts import BROKEN
from tests.simulation.loop import SECOND
from tests.simulation.node import Node
from tests.simulation.sim import Simulation


def until(sim: Simulation, what: str, about: str = "") -> None:
    """Let all go on until a node waits at a point."""
    for _ in range(2_000):
        points = sim.points
        if points and points[0].what == what and about in points[0].about:
            return
        if not sim.step_fairly():
            sim.advance(sim.next_span())
    raise AssertionError(f"nobody came to {what} {about}")


def begin(
    deal: Deal, action: str = "clean", nodes: int = 1, host: str = "web-1"
) -> Simulation:
    """Return a history in which a job is to start on a sick host."""
    sim = Simulation(Dealer([action], [deal] * 3), nodes)
    sim.stage.hosts.all[host].value = BROKEN
    sim.monitor()
    return sim


def lose_lease(sim: Simulation, owner: Node) -> None:
    """Freeze a node until another one took over; then all goes on."""
    sim.freeze(owner)
    sim.advance(12 * SECOND)
    until(sim, "turned", "claim_due")
    sim.thaw(owner)
    sim.drain(600)
