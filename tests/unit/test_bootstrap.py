"""Wiring says all that is wrong with the settings, at once."""

from pathlib import Path

import pytest

from app.bootstrap import build
from app.core.configfile import load_config
from app.core.errors import ConfigError

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
