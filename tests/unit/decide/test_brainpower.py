"""Brains are made out of the settings, each once."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.core.configfile import Config, Section
from app.core.errors import ConfigError
from app.decide.brainpower import Brains, Workshop
from app.decide.calibration import Calibrations
from app.decide.dialogue import TextDialogue
from app.models.case import Case
from app.models.choice import Choice, Option, Weighed
from app.models.menu import Menu
from app.ports import Brain, BrainEnv
from tests.calibrations import make_calibration
from tests.fakes import FakeClock
from tests.unit.decide.sites import CATALOGUE, case, grounder

Plugin = Callable[[BrainEnv], Brain | None]


class OneSettings(Section):
    """What the fake brain can be told."""

    says: str = "escalate"
    key: SecretStr = SecretStr("")
    ask: str = ""


class One:
    """A brain that says one thing."""

    def __init__(self, env: BrainEnv, settings: OneSettings) -> None:
        self.env = env
        self.settings = settings
        self.peer = env.peer(settings.ask) if settings.ask else None

    async def decide(self, case: Case, menu: Menu) -> Choice:
        """Return the choice."""
        del case, menu
        return Choice(action=self.settings.says)


class FakeGate:
    """A gate that is never asked."""

    version = "v"

    def weigh(self, case: Case, menu: Menu) -> Weighed:
        """Return nothing much."""
        del case, menu
        return Weighed((Option("escalate"),), 0.5)


def one(env: BrainEnv) -> Brain | None:
    """Make a brain."""
    return One(env, env.settings(OneSettings))


def none(env: BrainEnv) -> Brain | None:
    """Be not configured."""
    del env
    return None


def make(
    settings: Mapping[str, Any], **plugins: Plugin
) -> tuple[Brains, list[str]]:
    """Return what makes brains, and the names of those it made."""
    made: list[str] = []

    def counted(name: str, plugin: Plugin) -> Plugin:
        """Return a plug-in that writes down that it was called."""

        def call(env: BrainEnv) -> Brain | None:
            """Make it."""
            made.append(name)
            return plugin(env)

        return call

    workshop = Workshop(
        config=Config({"brains": dict(settings)}, {(): "file:1"}),
        plugins={name: counted(name, p) for name, p in plugins.items()},
        environ={"KEY": "s3cret"},
        clock=FakeClock(),
        dialogue=TextDialogue(),
        open_gate=FakeGate,
        catalogue=CATALOGUE,
        home=Path("/somewhere"),
        calibrations=Calibrations((make_calibration(brain="a", model="m"),)),
    )
    return Brains(workshop), made


def the(brain: Brain | None) -> One:
    """Return a fake brain that is there."""
    assert isinstance(brain, One)
    return brain


def test_each_brain_is_made_once_with_its_own_settings() -> None:
    """Whoever asks for it gets the same."""
    brains, made = make({"a": {"says": "no_action"}}, a=one, b=one)
    found = brains.make_all()
    assert sorted(found) == ["a", "b"] == sorted(made)
    assert the(found["a"]).settings.says == "no_action"
    assert the(found["b"]).settings.says == "escalate"
    assert brains.make("a") is found["a"]
    assert made.count("a") == 1


def test_what_is_not_configured_is_not_there() -> None:
    """And asked for, it is nothing."""
    brains, _ = make({}, a=one, b=none)
    assert sorted(brains.make_all()) == ["a"]
    assert brains.make("b") is None


def test_a_brain_gets_those_that_it_asks_for() -> None:
    """Made before it, whatever their names."""
    brains, made = make({"a": {"ask": "z"}}, a=one, z=one)
    found = brains.make_all()
    assert the(found["a"]).peer is found["z"]
    assert made == ["a", "z"]


def test_two_that_need_each_other_end_there() -> None:
    """The second finds nothing where the first will be."""
    brains, made = make({"a": {"ask": "b"}, "b": {"ask": "a"}}, a=one, b=one)
    found = brains.make_all()
    assert the(found["a"]).peer is found["b"]
    assert the(found["b"]).peer is None
    assert made == ["a", "b"]


@pytest.mark.parametrize(
    "settings", [{"oracle": {}}, {"a": {"ask": "oracle"}}]
)
def test_a_brain_that_there_is_not_stops_the_start(
    settings: dict[str, Any],
) -> None:
    """Set, or asked for by another; the error names those there are."""
    brains, _ = make(settings, a=one, b=one)
    with pytest.raises(ConfigError) as caught:
        brains.make_all()
    (problem,) = caught.value.problems
    assert problem.setting == "brains.oracle"
    assert "no brain 'oracle'" in problem.what
    assert problem.remedy == "Known here: a, b."


def test_a_wrong_setting_stops_the_start() -> None:
    """With the path of the setting."""
    brains, _ = make({"a": {"says": "escalate", "typo": 1}}, a=one)
    with pytest.raises(ConfigError) as caught:
        brains.make_all()
    assert caught.value.problems[0].setting == "brains.a.typo"


def test_a_brain_gets_what_is_around_it() -> None:
    """The gate, the time, the catalogue, and what its numbers mean."""
    brains, _ = make({}, a=one, b=one)
    env = the(brains.make("a")).env
    assert env.name == "a"
    assert env.catalogue is CATALOGUE
    assert env.home == Path("/somewhere")
    assert env.clock.now() == FakeClock().now()
    assert env.gate().version == "v"
    known = env.calibrate("m", 0.8)
    assert known is not None
    assert known.confidence < 0.8
    assert known.version
    assert env.calibrate("another", 0.8) is None
    assert the(brains.make("b")).env.calibrate("m", 0.8) is None
    assert env.model("a") == ""


def test_a_secret_is_looked_up() -> None:
    """One that is not there is a wrong setting, and is not shown."""
    brains, _ = make({}, a=one)
    env = the(brains.make("a")).env
    assert env.secret(SecretStr("env:KEY")) == "s3cret"
    with pytest.raises(ConfigError) as caught:
        env.secret(SecretStr("env:GONE"))
    assert caught.value.problems[0].setting == "brains.a"


def test_what_is_made_decides() -> None:
    """It is a brain as the decider wants it."""
    brains, _ = make({"a": {"says": "no_action"}}, a=one)
    about = case()
    found = the(brains.make("a"))
    choice = asyncio.run(found.decide(about, grounder().menu(about)))
    assert choice.action == "no_action"
