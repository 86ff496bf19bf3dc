"""Wiring says all that is wrong with the settings, at once."""

import asyncio
from pathlib import Path

import pytest

from app.bootstrap import Outside, build
from app.core.configfile import load_config
from app.core.errors import ConfigError
from app.decide.brains.ollama import OllamaBrain
from app.decide.calibration import PLACE, keep
from app.models.case import Case
from app.models.choice import Choice
from app.models.dialogue import Answer
from app.models.menu import Menu
from app.ports import Closing
from tests.calibrations import make_calibration

WRONG = """
server: {port: 8080}
hots: 1
incidents: {again_seconds: -5, hold_down: [{matchers: []}]}
retention: {log_days: -1}
sources:
  zabix: {auth: {kind: none}}
"""


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """Nobody repairs one section to be told of the next."""
    file = tmp_path / "wrong.yaml"
    file.write_text(WRONG)
    with pytest.raises(ConfigError) as caught:
        build(load_config(file, {"SMOKEJUMPER_SERVR__PORT": "1"}))
    told = {one.setting: one.where for one in caught.value.problems}
    assert told == {
        "hots": f"{file}:3",
        "servr": "variable SMOKEJUMPER_SERVR__PORT",
        "incidents.again_seconds": f"{file}:4",
        "incidents.hold_down.0.seconds": f"{file}:4",
        "retention.log_days": f"{file}:5",
        "sources.zabix.type": f"{file}:7",
    }


def test_rules_for_a_source_that_is_not_there_are_named(
    tmp_path: Path,
) -> None:
    """Misspelt, they would hold for nothing, and nobody would know."""
    file = tmp_path / "settings.yaml"
    file.write_text(
        "sources: {zabbix: {auth: {kind: none}}}\n"
        "incidents: {sources: {zabix: {stale_seconds: 60}}}\n"
    )
    with pytest.raises(ConfigError) as caught:
        build(load_config(file, {}))
    (problem,) = caught.value.problems
    assert problem.setting == "incidents.sources.zabix"
    assert problem.where == f"{file}:2"
    assert "zabbix" in problem.remedy
    file.write_text(file.read_text().replace("zabix", "zabbix"))
    build(load_config(file, {}))
    # For an hour: what holds for it when it is back stays where it is.
    build(load_config(file, {"SMOKEJUMPER_SOURCES__ZABBIX__ENABLED": "false"}))


def test_what_brains_hold_open_is_closed_at_the_end(tmp_path: Path) -> None:
    """The client of a model server does not outlive the service."""
    file = tmp_path / "settings.yaml"
    file.write_text(
        "brains: {ollama: {enabled: true},"
        " systemone: {url: 'http://127.0.0.1:9'}}\n"
    )
    outside = Outside(environ={}, home=tmp_path)
    product = build(load_config(file, {}), outside)
    closed: list[str] = []

    class Open:
        """A brain that notes that it was closed."""

        def __init__(self, name: str) -> None:
            self.name = name

        async def decide(self, case: Case, menu: Menu) -> Choice:
            """Choose nothing: it is only closed."""
            raise NotImplementedError

        async def close(self) -> None:
            """Note it."""
            closed.append(self.name)

    made = product.desk.decider.brains
    assert {n for n, one in made.items() if isinstance(one, Closing)} == {
        "ollama",
        "systemone",
    }
    product.desk.decider.brains = {n: Open(n) for n in made}

    async def live() -> None:
        """Start and stop it."""
        await product.start()
        await product.stop()

    asyncio.run(live())
    assert closed == list(made)


def test_calibrations_of_the_home_are_used(tmp_path: Path) -> None:
    """A brain whose model was measured can say how sure it is."""
    keep(tmp_path / PLACE, make_calibration())
    file = tmp_path / "settings.yaml"
    file.write_text("brains: {ollama: {enabled: true}}\n")
    outside = Outside(environ={}, home=tmp_path)
    product = build(load_config(file, {}), outside)
    brain = product.desk.decider.brains["ollama"]
    assert isinstance(brain, OllamaBrain)
    known = brain.calibrate(Answer(model="llama3.2"), 0.9)
    assert known == make_calibration().tell(0.9)
    assert brain.calibrate(Answer(model="another"), 0.9) is None
