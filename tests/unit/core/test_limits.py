"""Limits that cannot be held stop the start, before anything hangs."""

import pytest

from app.core.configfile import Config
from app.core.errors import ConfigError
from app.core.settings import Limits


def wrong(**limits: object) -> str:
    """Return what is wrong with some limits."""
    config = Config({"limits": limits}, {(): "settings"})
    with pytest.raises(ConfigError) as caught:
        config.read(Limits, "limits")
    return str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["header_seconds", "body_seconds", "idle_seconds", "waiting_seconds"],
)
@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e300, 0])
def test_a_wait_has_an_end(name: str, value: float) -> None:
    """Locks and databases take no endless wait: nothing would be taken."""
    assert f"limits.{name}:" in wrong(**{name: value})


def test_the_queue_has_room_for_one_body() -> None:
    """Else such a delivery is told for ever to come again."""
    text = wrong(body_bytes=2_048, waiting_bytes=2_047)
    assert "limits.waiting_bytes:" in text
    assert "2048" in text
    tree = {"body_bytes": 2_048, "waiting_bytes": 2_048}
    read = Config(tree, {(): "settings"}).read(Limits)
    assert read.waiting_bytes == 2_048
