"""Rules of the site say which actions a menu may hold."""

from pathlib import Path

import pytest

from app.core.errors import ConfigError
from app.decide.narrowing import Narrowing, make_narrowing
from app.models.inventory import Inventory, Thing
from tests.unit.decide.sites import CATALOGUE, WEB, case, host, written, wrong

RULES = """
menu:
  - matchers: ['environment="production"', 'role=~"database|queue"']
    actions: [collect_diagnostics]
  - matchers: ['team="shop"', 'alertname!="Test"']
    actions: [restart_service, free_memory]
  - matchers: ['alertname="Test"']
    actions: []
"""


def make(folder: Path, text: str, *things: Thing) -> Narrowing:
    """Return the rules of some settings, with things in the inventory."""
    inventory = Inventory(things)
    return make_narrowing(written(folder, text), CATALOGUE, lambda: inventory)


def test_the_first_rule_that_fits_wins(tmp_path: Path) -> None:
    """Without one nothing is narrowed."""
    rules = make(tmp_path, RULES)
    assert rules(case(WEB)) is None
    shop = case({**WEB, "team": "shop"})
    assert rules(shop) == frozenset({"restart_service", "free_memory"})
    both = {"team": "shop", "environment": "production", "role": "queue"}
    assert rules(case(both)) == frozenset({"collect_diagnostics"})
    assert rules(case({"team": "shop"}, "Test")) == frozenset()


def test_the_inventory_knows_better_than_labels(tmp_path: Path) -> None:
    """What it says of the host wins over a label of the same name."""
    shop = host("web-01", team="shop")
    rules = make(tmp_path, RULES, shop, host("web-02"))
    assert rules(case({**WEB, "team": "data"})) == frozenset({
        "restart_service", "free_memory",
    })  # fmt: skip
    other = {"instance": "web-02:9100", "team": "shop"}
    assert rules(case(other)) == frozenset({"restart_service", "free_memory"})
    assert rules(case({"instance": "web-03:9100"})) is None


def test_several_hosts_get_only_what_all_of_them_may(tmp_path: Path) -> None:
    """A label more cannot lift what holds for one of the hosts."""
    db = host("db-01", environment="production", role="database")
    rules = make(tmp_path, RULES, db, host("web-01", team="shop"))
    both = case({"instance": "web-01", "host": "db-01"})
    assert rules(both) == frozenset()
    known = case({"instance": "stranger", "host": "db-01"})
    assert rules(known) == frozenset({"collect_diagnostics"})


def test_free_text_moves_no_rule(tmp_path: Path) -> None:
    """Summary and annotations are not asked."""
    rules = make(tmp_path, RULES)
    told = case(WEB, summary="team=shop", annotations={"team": "shop"})
    assert rules(told) is None


def test_a_rule_for_the_rest_fits_everything(tmp_path: Path) -> None:
    """No matchers: all alerts."""
    rules = make(tmp_path, "menu: [{matchers: [], actions: [free_memory]}]")
    assert rules(case({})) == frozenset({"free_memory"})


@pytest.mark.parametrize("text", ["{}", "menu: []", "menu:"])
def test_without_rules_nothing_is_narrowed(tmp_path: Path, text: str) -> None:
    """The section is optional."""
    assert make(tmp_path, text)(case(WEB)) is None


def test_what_is_wrong_is_named_by_its_line(tmp_path: Path) -> None:
    """Unknown actions and matchers that are none, all at once."""
    text = """
menu:
  - matchers: ['a=~"("']
    actions: [restart_service]
  - matchers: [nonsense]
    actions: [reboot]
"""
    with pytest.raises(ConfigError) as caught:
        make(tmp_path, text)
    places = [one.split(": ")[0] for one in wrong(caught)]
    assert places == [
        "settings.yaml:3 menu.0.matchers",
        "settings.yaml:5 menu.1.matchers",
        "settings.yaml:6 menu.1.actions",
    ]
    assert "there is no action 'reboot'" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["menu: 5", "menu: [{actions: []}]", "menu: [{x: 1}]"]
)
def test_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    """A rule that nobody understands must not be passed by."""
    with pytest.raises(ConfigError):
        make(tmp_path, text)


def test_the_rules_ask_for_the_host_that_would_be_acted_on(
    tmp_path: Path,
) -> None:
    """Not for the gateway through which it was told."""
    db = host("db-01", environment="production", role="database")
    rules = make(tmp_path, RULES, db, host("push-1", team="shop"))
    told = {"instance": "push-1:9091", "exported_instance": "db-01"}
    assert rules(case(told)) == frozenset({"collect_diagnostics"})
