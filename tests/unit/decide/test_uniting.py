"""Several sources make one inventory, and what one forbids holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.decide.uniting import unite
from app.models.inventory import Inventory, Thing
from tests.unit.decide.sites import host, on

LOOK = frozenset({"collect_diagnostics"})
RESTART = frozenset({"restart_service", "collect_diagnostics"})


def held(*loads: list[Thing]) -> Inventory:
    """Return the inventory of several sources."""
    return Inventory(unite(loads))


@pytest.mark.parametrize(
    "other",
    [
        host("web-01", source="b"),
        host("WEB-01", source="b"),
        host("web-01.example.net", source="b"),
        host("10.0.0.5", source="b"),
        host("frontend", aliases=("10.0.0.5",), source="b"),
    ],
)
def test_one_host_of_two_sources_is_one(other: Thing) -> None:
    """Whatever name is asked for, what the first forbids holds."""
    first = host(
        "web-01", aliases=("10.0.0.5",), actions=LOOK, role="web", source="a"
    )
    for loads in ([[first], [other]], [[other], [first]]):
        inventory = held(*loads)
        (thing,) = inventory.things
        assert thing.actions == LOOK
        assert set(thing.source.split(", ")) == {"a", "b"}
        for name in ("web-01", "10.0.0.5", other.name):
            assert inventory.find_host(name) == thing


def test_the_first_source_leads() -> None:
    """Its name and words stay; later ones fill what is empty."""
    (thing,) = unite(
        [
            [host("web-01", team="shop")],
            [host("WEB-01", team="infra", environment="production")],
        ]
    )
    assert (thing.name, thing.team, thing.environment) == (
        "web-01", "shop", "production",
    )  # fmt: skip
    assert thing.actions is None


def test_only_what_all_allow_is_allowed() -> None:
    """Two lists of actions are cut down to what both hold."""
    loads = [[host("a", actions=RESTART)], [host("a", actions=LOOK)]]
    assert unite(loads)[0].actions == LOOK


def test_an_address_of_two_hosts_joins_nothing() -> None:
    """Behind one address there may be many."""
    many = [
        host("web-01", aliases=("10.0.0.5",)),
        host("web-02", aliases=("10.0.0.5",)),
    ]
    inventory = held([host("lb-01", aliases=("10.0.0.5",))], many)
    assert len(inventory.things) == 3
    assert inventory.find_host("10.0.0.5") is None
    reverse = held(many, [host("10.0.0.5")])
    assert reverse.find_host("10.0.0.5") is None


def test_a_short_name_joins_only_one_with_one() -> None:
    """Two domains may have a web-01 each."""
    two = [host("web-01.a.example"), host("web-01.b.example")]
    assert len(held([host("web-01")], two).things) == 3
    assert len(held(two, [host("web-01")]).things) == 3
    apart = held([host("web-01.a.example")], [host("web-01.b.example")])
    assert len(apart.things) == 2
    assert len(held([host("10.0.0.1")], [host("10.0.0.2")]).things) == 2


def test_what_is_on_a_host_follows_its_name() -> None:
    """A service is found under the name that its host has in the end."""
    inventory = held(
        [host("web-01", aliases=("10.0.0.5",)), on("nginx", "web-01")],
        [host("10.0.0.5"), on("NGINX", "10.0.0.5", actions=LOOK)],
        [on("php-fpm", "10.0.0.5")],
    )
    nginx = inventory.find_on("service", "nginx", "web-01")
    assert nginx is not None
    assert nginx.actions == LOOK
    assert inventory.find_on("service", "php-fpm", "web-01") is not None
    assert inventory.counts() == {"host": 1, "service": 2}


NAMES = st.sampled_from(["a", "A", "a.x", "b", "b.x", "b.y", "10.0.0.1"])
HOSTS = st.lists(
    st.builds(
        host,
        NAMES,
        aliases=st.lists(NAMES, max_size=2).map(tuple),
        actions=st.none() | st.just(LOOK) | st.just(frozenset[str]()),
    ),
    max_size=4,
    unique_by=lambda thing: thing.name,
)


@given(loads=st.lists(HOSTS, max_size=3), name=NAMES)
def test_a_name_never_leads_to_more_than_its_own_entry_allows(
    loads: list[list[Thing]], name: str
) -> None:
    """Whoever is found by a whole name obeys every entry of that name.

    Where entries of one name could not be made one, it leads to nobody.
    """
    found = held(*loads).find_host(name)
    if found is None:
        return
    key = name.casefold()
    for load in loads:
        for thing in load:
            names = {n.casefold() for n in (thing.name, *thing.aliases)}
            if key in names and thing.actions is not None:
                assert found.actions is not None
                assert found.actions <= thing.actions


def test_the_names_of_a_host_lead_to_no_other_one() -> None:
    """A shared address is none of them; its own name is, whatever else."""
    web = Thing(
        kind="host",
        name="Web-1.example.com",
        aliases=("10.0.0.5", "10.0.0.9", "db-1"),
    )
    db = Thing(kind="host", name="db-1", aliases=("10.0.0.9",))
    inventory = Inventory((web, db))
    names = ("web-1.example.com", "10.0.0.5", "web-1")
    assert inventory.names_of(web) == names
    assert inventory.names_of(db) == ("db-1",)
