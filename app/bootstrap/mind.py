"""The mind: the catalogue, what there is, and the brains that choose."""

import msgspec

from app.bootstrap.ground import Ground
from app.core.registry import scan
from app.decide import brains, inventories
from app.decide.brainpower import Brains, Workshop
from app.decide.calibration import open_calibrations
from app.decide.deciding import Decider
from app.decide.dialogue import TextDialogue
from app.decide.gate.place import LateGate
from app.decide.grounding import Grounder
from app.decide.knowledge import read_knowledge
from app.decide.narrowing import Narrowing, make_narrowing
from app.decide.reins import model_of
from app.decide.stock import InventorySettings, Meters, Stock, Surroundings
from app.decide.stock import make_sources as make_inventories
from app.models.action import Catalogue


class Mind(msgspec.Struct, frozen=True):
    """What decides.

    Attributes:
        catalogue: what may be done.
        stock: what there is to do it to.
        narrowing: what the rules of the menu leave.
        decider: asks a brain, and checks what it says.
    """

    catalogue: Catalogue
    stock: Stock
    narrowing: Narrowing
    decider: Decider


def make_mind(ground: Ground, catalogue: Catalogue) -> Mind:
    """Return all that decides, with every brain that is configured."""
    stock = _make_stock(ground, catalogue)
    narrowing = make_narrowing(
        ground.config, catalogue, lambda: stock.inventory
    )
    knowledge = read_knowledge()
    workshop = _make_workshop(ground, catalogue)
    decider = Decider(
        Brains(workshop).make_all(),
        lambda: Grounder(catalogue, stock.inventory, knowledge),
        narrowing,
        workshop.calibrations,
    )
    return Mind(catalogue, stock, narrowing, decider)


def _make_stock(ground: Ground, catalogue: Catalogue) -> Stock:
    """Return who knows what there is."""
    names = {spec.name for spec in catalogue.specs}
    around = Surroundings(ground.outside.environ, ground.outside.home, names)
    settings = ground.config.read(InventorySettings, "inventory")
    return Stock(
        make_inventories(ground.config, scan(inventories), around),
        settings.refresh_seconds,
        ground.outside.clock,
        Meters(ground.registry),
    )


def _make_workshop(ground: Ground, catalogue: Catalogue) -> Workshop:
    """Return what brains are made with."""
    home = ground.outside.home
    gate = LateGate(home)
    return Workshop(
        config=ground.config,
        plugins=scan(brains),
        environ=ground.outside.environ,
        clock=ground.outside.clock,
        dialogue=TextDialogue(),
        open_gate=lambda: gate,
        catalogue=catalogue,
        home=home,
        calibrations=open_calibrations(home),
        model_of=model_of,
    )
