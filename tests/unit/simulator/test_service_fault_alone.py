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


def test_who_writes_elsewhere_is_not_down_for_want_of_room(
    open_stage: Callable[..., Stage],
) -> None:
    """It is refused with the setting, before anything is tried."""
    order = Order("service", seconds=5, options={"shape": "no-room"})
    with pytest.raises(Unable, match="do not write") as caught:
        open_stage(spool="own").start(order)
    assert caught.value.field == "spool"


def test_without_services_it_is_refused(
    open_stage: Callable[..., Stage],
) -> None:
    """It names the setting; the kind is there all the same."""
    with pytest.raises(Unable, match="services"):
        open_stage(services=[]).start(Order("service", seconds=5))
