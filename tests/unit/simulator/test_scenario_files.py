"""Every scenario can be played where the simulator comes with settings."""

import sys
from pathlib import Path

import pytest
import yaml

from scripts.demo.settings import make_simulator
from scripts.demo.stage import Stage as DemoStage
from simulator.scenarios import FOLDER, Scenarios
from simulator.settings import Settings, load_settings, make_settings
from simulator.stage import Stage
from tests.unit.simulator.scene import HERE

NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
PLACES = ("config", "docker/config", "the demo")


def settings_of(place: str, folder: Path) -> Settings:
    """Return the settings that the simulator has somewhere."""
    if place == "the demo":
        demo = DemoStage(folder, Path(sys.executable), scratch=folder / "s")
        return make_settings(make_simulator(demo))
    file = HERE / place / "simulator.yaml"
    if place == "config":
        return load_settings(file)
    # The container's token is written in when it starts.
    tree = yaml.safe_load(file.read_text()) | {"token": "x" * 48}
    return make_settings(tree)


def test_there_are_eight() -> None:
    """All of those that docs/simulator.md tells of."""
    assert len(NAMES) == 8


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", NAMES)
def test_none_asks_for_more_than_it_may(
    name: str, place: str, tmp_path: Path
) -> None:
    """Kinds, levels, options and times are within the caps there."""
    settings = settings_of(place, tmp_path)
    specs = Stage(settings).specs()
    found = Scenarios(specs, settings.most.seconds).find(name)
    assert found.steps


@pytest.mark.parametrize("place", PLACES)
def test_a_default_level_is_within_its_cap(place: str, tmp_path: Path) -> None:
    """Who says nothing but the kind is never refused for that."""
    for spec in Stage(settings_of(place, tmp_path)).specs():
        assert spec.least <= spec.default <= spec.most, spec.name
