"""How sure a model was: its number, what it means, and who said so."""

import asyncio
import json
import math
from typing import Any

import pytest

from app.core.registry import scan
from app.decide import brains
from app.models.choice import Calibrated, Call, Choice
from app.ports import Brain, Closing
from tests.models.fake_ollama import DIGEST, FakeOllama, chat
from tests.models.fake_openai import FakeOpenAI, completion
from tests.models.fake_systemone import FakeSystemOne
from tests.models.server import FakeServer
from tests.unit.brains.making import FakeEnv, make_case, make_menu

NAMES = ("ollama", "openai", "systemone")
CASE = make_case()
MENU = make_menu(CASE)
RIGHT = {"host": "web-1", "service": "nginx"}
CALL = json.dumps({"name": "restart_service", "arguments": RIGHT})
PIECES = [
    ('{"name": "', -2.0),
    ("restart_service", math.log(0.8)),
    (CALL.partition("restart_service")[2], -2.0),
]
# Which build of its model each fake names.
BUILDS = {"ollama": DIGEST, "openai": "fp_44709d6fcb", "systemone": ""}


class Unknowing(FakeEnv):
    """An environment in which no model was ever measured."""

    def calibrate(
        self, model: str, raw: float, build: str = ""
    ) -> Calibrated | None:
        """Know nothing."""
        self.calibrated.append((model, raw, build))
        return None


def make_server(name: str) -> FakeServer:
    """Return a server whose model is sure at 0.8."""
    if name == "ollama":
        pieces = [{"token": text, "logprob": odds} for text, odds in PIECES]
        return FakeOllama(chat(CALL, logprobs=pieces))
    if name == "openai":
        return FakeOpenAI(completion(CALL, pieces=PIECES))
    return FakeSystemOne({"restart_service": 0.8, "escalate": 0.2})


def make_env(
    name: str, server: FakeServer, kind: type[FakeEnv] = FakeEnv
) -> FakeEnv:
    """Return what a brain is made with."""
    written: dict[str, Any] = {"url": server.url, "model": "llama3.2"}
    if name == "ollama":
        written["enabled"] = True
    if name == "openai":
        written["url"] = f"{server.url}/v1"
    return kind(name, written)


def make(env: FakeEnv) -> Brain:
    """Return the brain of an environment."""
    brain: Brain | None = scan(brains)[env.name](env)
    assert brain is not None
    return brain


def choose(env: FakeEnv) -> tuple[Choice, Call]:
    """Return what a brain chooses, and the record of its last call."""
    choice = asyncio.run(make(env).decide(CASE, MENU))
    return choice, choice.calls[-1]


@pytest.mark.parametrize("name", NAMES)
def test_the_number_and_its_meaning_are_recorded(name: str) -> None:
    """The confidence is what the calibration says, never the number."""
    with make_server(name) as server:
        env = make_env(name, server)
        choice, call = choose(env)
    assert call.surety == pytest.approx(0.8)
    assert call.calibration == "halved"
    assert choice.confidence == pytest.approx(0.4)
    ((model, raw, build),) = env.calibrated
    assert (model, raw) == (call.model, call.surety)
    assert build == call.model_digest
    assert build == BUILDS[name]


@pytest.mark.parametrize("name", NAMES)
def test_of_an_unknown_model_only_the_number_is_recorded(name: str) -> None:
    """So that a calibration can be made of what was recorded."""
    with make_server(name) as server:
        choice, call = choose(make_env(name, server, Unknowing))
    assert call.surety == pytest.approx(0.8)
    assert call.calibration == ""
    assert choice.confidence is None


def test_without_probabilities_nothing_is_asked() -> None:
    """No number, no meaning."""
    with FakeOllama(chat(CALL)) as server:
        env = make_env("ollama", server)
        choice, call = choose(env)
    assert (call.surety, call.calibration) == (None, "")
    assert choice.confidence is None
    assert env.calibrated == []


@pytest.mark.parametrize("name", NAMES)
def test_a_closed_brain_asks_no_more(name: str) -> None:
    """Its client is given back, on the loop that it was used on."""

    async def live(brain: Brain) -> None:
        """Ask once, close, and ask again."""
        await brain.decide(CASE, MENU)
        assert isinstance(brain, Closing)
        await brain.close()
        with pytest.raises(RuntimeError, match="closed"):
            await brain.decide(CASE, MENU)

    with make_server(name) as server:
        asyncio.run(live(make(make_env(name, server))))
