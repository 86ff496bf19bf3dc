"""With an inventory, only what it knows and allows is on the menu."""

import pytest
from msgspec.structs import replace

from app.models.action import ALWAYS, Parameter
from app.models.case import Happening
from tests.unit.decide.sites import (
    WEB,
    case,
    extended,
    grounder,
    host,
    job,
    on,
    values,
)


def test_only_what_the_inventory_knows_is_a_target() -> None:
    """An unknown host is handed to people, under whatever label."""
    told = case(WEB)
    known = grounder(host("web-01", aliases=("10.0.0.5",)))
    assert values(known.menu(told), "restart_service", "host") == ["web-01"]
    stranger = grounder(host("web-02"))
    assert set(stranger.menu(told).names) == set(ALWAYS)
    assert (
        "web-01 is not in the inventory"
        in (stranger.menu(told).left_out["restart_service"])
    )
    both = case({**WEB, "node": "web-02", "host": "web-03"})
    assert values(stranger.menu(both), "free_memory", "host") == ["web-02"]


def test_an_inventory_that_knows_nothing_yet_lets_nothing_through() -> None:
    """Kept and empty is not the same as not kept."""
    assert "restart_service" in grounder().menu(case(WEB)).names
    menu = grounder(is_kept=True).menu(case(WEB))
    assert set(menu.names) == set(ALWAYS)


def test_a_host_is_found_by_its_short_name_if_it_is_the_only_one() -> None:
    """A name that two hosts share leads to neither."""
    told = case(WEB)
    one = grounder(host("web-01.a.example"))
    assert "restart_service" in one.menu(told).names
    two = grounder(host("web-01.a.example"), host("web-01.b.example"))
    assert set(two.menu(told).names) == set(ALWAYS)


def test_a_host_that_lists_services_has_only_these() -> None:
    """What it does not list is handed to people; none listed: any."""
    listed = grounder(host("web-01"), on("php-fpm", "web-01"))
    assert "restart_service" not in listed.menu(case(WEB)).names
    assert "free_memory" in listed.menu(case(WEB)).names
    named = grounder(host("web-01"), on("nginx", "web-01"))
    assert "restart_service" in named.menu(case(WEB)).names
    elsewhere = grounder(
        host("web-01"), host("web-02"), on("php-fpm", "web-02")
    )
    assert "restart_service" in elsewhere.menu(case(WEB)).names


def test_a_service_must_be_on_every_host_that_could_be_chosen() -> None:
    """No combination is on the menu that the inventory does not know."""
    told = case({**WEB, "node": "web-02"})
    things = (host("web-01"), host("web-02"), on("nginx", "web-01"))
    some = grounder(*things, on("php-fpm", "web-02"))
    assert "restart_service" not in some.menu(told).names
    every = grounder(*things, on("nginx", "web-02"))
    assert values(every.menu(told), "restart_service", "host") == [
        "web-01",
        "web-02",
    ]


def test_containers_are_looked_up_as_services_are() -> None:
    """A container of the same name as a service is still another thing."""
    told = case({"host": "web-01", "container_name": "shop"})
    held = grounder(host("web-01"), on("shop", "web-01", "container"))
    assert "restart_container" in held.menu(told).names
    other = grounder(host("web-01"), on("cache", "web-01", "container"))
    assert "restart_container" not in other.menu(told).names


@pytest.mark.parametrize(
    ("name", "service", "is_on"),
    [
        ("web-01", "nginx", False),
        ("WEB-01.a.example", "nginx", False),
        ("10.0.0.5", "proxy", False),
        ("web-02", "nginx", True),
        ("web-01", "php-fpm", True),
        ("nobody", "nginx", True),
    ],
)
def test_what_failed_by_another_name_is_not_offered_again(
    name: str, service: str, *, is_on: bool
) -> None:
    """A host, and what is on it, is the same by each of its names."""
    before = Happening(
        at=1,
        action="restart_service",
        arguments={"host": name, "service": service},
        verdict="not_fixed",
    )
    made = grounder(
        host("web-01", aliases=("10.0.0.5",)),
        host("web-02"),
        on("nginx", "web-01", aliases=("proxy",)),
        on("php-fpm", "web-01"),
    )
    told = replace(case(WEB), failed=(before,))
    assert ("restart_service" in made.menu(told).names) is is_on


@pytest.mark.parametrize(
    ("of_host", "of_service", "is_on"),
    [
        (None, None, True),
        (frozenset({"restart_service"}), None, True),
        (None, frozenset({"restart_service"}), True),
        (frozenset(), None, False),
        (None, frozenset(), False),
        (frozenset({"collect_diagnostics"}), None, False),
        (frozenset({"restart_service"}), frozenset({"free_memory"}), False),
    ],
)
def test_host_and_service_must_both_allow_an_action(
    of_host: frozenset[str] | None,
    of_service: frozenset[str] | None,
    is_on: bool,
) -> None:
    """None allows all, and one that forbids is enough."""
    menu = grounder(
        host("web-01", actions=of_host),
        on("nginx", "web-01", actions=of_service),
    ).menu(case(WEB))
    assert ("restart_service" in menu.names) is is_on
    if of_host is not None:
        assert ("collect_diagnostics" in menu.names) is (
            "collect_diagnostics" in of_host
        )
    assert {*ALWAYS} <= {*menu.names}


def test_a_second_host_that_forbids_is_enough() -> None:
    """A brain may choose any of the hosts, so all of them must allow it."""
    told = case({**WEB, "node": "db-01"})
    held = grounder(
        host("web-01"), host("db-01", actions=frozenset({"free_memory"}))
    )
    menu = held.menu(told)
    assert "restart_service" not in menu.names
    assert "db-01" in menu.left_out["restart_service"]
    assert "free_memory" in menu.names


def test_an_own_job_is_held_back_whatever_its_host_is_called() -> None:
    """The kind of thing counts, not the parameter's name or its place."""
    what = Parameter(
        purpose="the unit",
        shape="service",
        labels=("name",),
        inventory="service",
    )
    where = Parameter(
        purpose="the machine",
        shape="host",
        labels=("instance",),
        inventory="host",
    )
    catalogue = extended(job(unit=what, machine=where))
    free = grounder(host("web-01"), catalogue=catalogue)
    menu = free.menu(case(WEB))
    offer = menu.find("requeue")
    assert offer is not None
    assert list(offer.candidates) == ["unit", "machine"]
    held = grounder(host("web-01", actions=frozenset()), catalogue=catalogue)
    assert "requeue" not in held.menu(case(WEB)).names
    listed = grounder(
        host("web-01"), on("php-fpm", "web-01"), catalogue=catalogue
    )
    assert "requeue" not in listed.menu(case(WEB)).names


def test_a_job_about_a_service_alone_needs_no_host() -> None:
    """Without a host nothing is listed, and nothing breaks."""
    what = Parameter(
        purpose="the unit",
        shape="service",
        labels=("name",),
        inventory="service",
    )
    held = grounder(
        host("web-01"),
        on("php-fpm", "web-01"),
        catalogue=extended(job(unit=what)),
    )
    assert values(held.menu(case(WEB)), "requeue", "unit") == ["nginx"]
