"""What a site changes about actions, and what it cannot."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.act import actions
from app.act.catalogue import make_catalogue
from app.act.changing import apply_changes
from app.act.settings import ActSettings
from app.core.configfile import Config
from app.core.errors import ConfigError
from app.core.registry import scan
from app.models.action import Budget, Catalogue


def changed(change: Mapping[str, Any]) -> Catalogue:
    """Return the catalogue of a site that changes something."""
    config = Config({"act": {"change": change}}, {(): "here"})
    settings = config.read(ActSettings, "act")
    whole = make_catalogue(scan(actions), [])
    return apply_changes(whole, settings.change, config)


def complaint(change: Mapping[str, Any]) -> str:
    """Return what is said about a change that cannot be."""
    with pytest.raises(ConfigError) as caught:
        changed(change)
    return str(caught.value)


def test_what_is_left_out_stays() -> None:
    """Only what is named is different, and only of that action."""
    before = changed({})
    after = changed({"restart_service": {"hold_seconds": 5}})
    old, new = before.get("restart_service"), after.get("restart_service")
    assert old.check is not None
    assert new.check is not None
    assert new.check.hold_seconds == 5
    assert new.check.within_seconds == old.check.within_seconds
    assert new.check.name == old.check.name
    assert new.cooldown_seconds == old.cooldown_seconds
    assert after.get("kill_process") == before.get("kill_process")
    assert after.digest != before.digest


def test_all_that_can_be_changed() -> None:
    """The lengths of time, the pause and the budget."""
    change = {
        "hold_seconds": 4,
        "within_seconds": 30,
        "every_seconds": 1,
        "cooldown_seconds": 0,
        "budget": {"runs": 9, "window_seconds": 60},
    }
    spec = changed({"kill_process": change}).get("kill_process")
    assert spec.check is not None
    assert (spec.check.within_seconds, spec.check.every_seconds) == (30, 1)
    assert spec.cooldown_seconds == 0
    assert spec.budget == Budget(runs=9, window_seconds=60)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"restart_servce": {}}, "Did you mean 'restart_service'"),
        ({"escalate": {"cooldown_seconds": 1}}, "no action that can run"),
        ({"kill_process": {"risk": "observe"}}, "act.change.kill_process"),
        ({"kill_process": {"hold_seconds": -1}}, "hold_seconds"),
        (
            {"kill_process": {"hold_seconds": 80_000, "every_seconds": 1}},
            "measure less often",
        ),
        ({"collect_diagnostics": {"hold_seconds": 5}}, "not measured"),
    ],
)
def test_what_cannot_be(change: Mapping[str, Any], said: str) -> None:
    """A wrong name, field or length is told with its place."""
    text = complaint(change)
    assert said in text
    assert "act.change" in text
