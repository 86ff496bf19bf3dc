"""The fault "service" where nobody keeps a service."""

from collections.abc import Callable

import pytest

from simulator.fault import Order
from simulator.problem import Unable
from simulator.stage import Stage


def test_without_a_keeper_nothing_is_broken(
    open_stage: Callable[..., Stage],
) -> None:
    """A stage alone has nobody who would stop a service: it says so."""
    with pytest.raises(Unable, match="kept by nobody"):
        open_stage().start(Order("service", seconds=5))


def test_without_services_it_is_refused(
    open_stage: Callable[..., Stage],
) -> None:
    """It names the setting; the kind is there all the same."""
    with pytest.raises(Unable, match="services"):
        open_stage(services=[]).start(Order("service", seconds=5))
