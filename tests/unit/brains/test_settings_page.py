"""The settings file shows every setting of these brains, with its default."""

from typing import Any

import pytest
from pydantic import BaseModel

from app.core.configfile import Section, load_config
from app.core.errors import ConfigError
from app.decide.brains.ollama import OllamaSettings
from app.decide.brains.openai import OpenAISettings
from app.decide.brains.openai import plugin as openai
from app.decide.brains.systemone import SystemOneSettings
from tests.unit.brains.making import FakeEnv
from tests.unit.test_house import SETTINGS, defaults

MODELS: dict[str, type[Section]] = {
    "ollama": OllamaSettings,
    "openai": OpenAISettings,
    "systemone": SystemOneSettings,
}


def flat(model: BaseModel) -> dict[str, Any]:
    """Return settings as plain values, secrets told."""
    found = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        reveal = getattr(value, "get_secret_value", None)
        found[name] = reveal() if reveal else value
    return found


@pytest.mark.parametrize("name", MODELS)
def test_every_setting_stands_there_with_its_default(name: str) -> None:
    """What the file says is what holds when it says nothing."""
    config = load_config(SETTINGS, {})
    assert set(config.names("brains", name)) == set(MODELS[name].model_fields)
    shown = flat(config.read(MODELS[name], "brains", name))
    expected = {p[-1]: v for p, v in defaults(MODELS[name], ()).items()}
    assert shown == expected


@pytest.mark.parametrize(
    ("model", "written"),
    [
        (OllamaSettings, {"url": "nowhere"}),
        (OllamaSettings, {"url": "http://user:pass@host"}),
        (OllamaSettings, {"model": " "}),
        (OllamaSettings, {"model": "a\nb"}),
        (OllamaSettings, {"num_ctx": 512}),
        (OllamaSettings, {"keep_alive": "long"}),
        (OllamaSettings, {"mode": "free"}),
        (OllamaSettings, {"concurrency": 0}),
        (OpenAISettings, {"url": "file:///etc/passwd"}),
        (SystemOneSettings, {"most_options": 1}),
    ],
)
def test_wrong_settings_are_refused(
    model: type[BaseModel], written: dict[str, Any]
) -> None:
    """Start-up stops; nothing is called with half a setting."""
    with pytest.raises(ValueError, match="validation error"):
        model.model_validate(written)


def test_a_key_that_no_header_can_carry_is_a_setting_that_is_wrong() -> None:
    """It says which one, and never what it is."""
    written = {"url": "http://127.0.0.1:1/v1", "key": "schlüssel"}
    with pytest.raises(ConfigError) as caught:
        openai(FakeEnv("openai", written))
    assert "brains.openai.key" in str(caught.value)
    assert "schlüssel" not in str(caught.value)
