"""The inventory that people write: read whole, or refused by its line."""

import asyncio
from pathlib import Path

import pytest

from app.core.errors import ConfigError
from app.decide.inventories import file as plug
from tests.service import HOME
from tests.unit.decide.sites import make_env, named, write, wrong

WHOLE = """
hosts:
  web-01:
    aliases: [web-01.example.net, 10.0.0.11]
    role: web
    environment: production
    team: shop
    actions: [restart_service]
    services:
      nginx:
      php8.2-fpm: {actions: []}
    containers: [shop-api]
  build-07:
"""


def make(folder: Path, text: str) -> plug.FileInventory:
    """Return the inventory of a file with this text."""
    write(folder / "inventory.yaml", text)
    made = plug.plugin(make_env(folder, "file", "inventory.yaml"))
    assert isinstance(made, plug.FileInventory)
    return made


def test_the_whole_file_is_read(tmp_path: Path) -> None:
    """Hosts, what runs on them, and what may be done to each."""
    things = asyncio.run(make(tmp_path, WHOLE).load())
    found = named(things)
    assert list(found) == [
        "web-01", "nginx", "php8.2-fpm", "shop-api", "build-07",
    ]  # fmt: skip
    web = found["web-01"]
    assert web.aliases == ("web-01.example.net", "10.0.0.11")
    assert (web.role, web.environment, web.team) == (
        "web", "production", "shop",
    )  # fmt: skip
    assert web.actions == frozenset({"restart_service"})
    assert found["nginx"].actions is None
    assert found["php8.2-fpm"].actions == frozenset()
    assert (found["shop-api"].kind, found["shop-api"].host) == (
        "container", "web-01",
    )  # fmt: skip
    assert found["build-07"].actions is None
    assert {thing.source for thing in things} == {"file"}


def test_the_example_is_one(tmp_path: Path) -> None:
    """What is shipped to be copied can be read."""
    text = (HOME / "config" / "inventory.example.yaml").read_text()
    assert "db-01" in named(make(tmp_path, text).read())


HOST = "is not the name or address of one machine: letters, digits, - and ."
TAG = "tag:yaml.org,2002:python/object/apply:os.system"
UNIT = "is not a unit's name: letters, digits and . _ @ : + -"
EMPTY = "Value error, is empty: write [] for none, or leave it out"


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("hosts:\n  w: {rolle: web}\n", ":2 hosts.w.rolle",
         "is not a setting"),
        ("hosts:\n  w:\n    actions: [reboot]\n", ":3 hosts.w.actions",
         "there is no action 'reboot'"),
        ("hosts:\n  w:\n    services:\n      x: {actions: [fly]}\n",
         ":4 hosts.w.services.x.actions", "there is no action 'fly'"),
        ("hosts:\n  w:\n    actions:\n", ":3 hosts.w.actions", EMPTY),
        ("hosts:\n  w:\n  w:\n", ":3 inventory", "'w' stands there twice"),
        ("hosts:\n  w:9100:\n", ":2 hosts.w:9100", f"'w:9100' {HOST}"),
        ("hosts:\n  a b:\n", ":2 hosts.a b", f"'a b' {HOST}"),
        ("hosts:\n  a:\n    services: [n.service]\n",
         ":3 hosts.a.services.n.service", f"'n.service' {UNIT}"),
        ("hosts: [[a]]\n", ":1 hosts", "must hold names and values"),
        ("", " hosts", "is missing"),
        ("hosts: {a: [\n", ":2 inventory", "is not YAML"),
        ("hosts: !!python/object/apply:os.system [x]\n", ":1 inventory",
         f"has the unknown tag '{TAG}'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_line(
    tmp_path: Path, text: str, place: str, what: str
) -> None:
    """The start stops, with the place and what to do."""
    with pytest.raises(ConfigError) as caught:
        make(tmp_path, text)
    assert wrong(caught) == [f"inventory.yaml{place}: {what}"]
    assert all(one.remedy for one in caught.value.problems)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """Nobody repairs one line to be told of the next."""
    text = "hosts:\n  a: {actions: [fly]}\n  b: {actions: [dive]}\n"
    with pytest.raises(ConfigError) as caught:
        make(tmp_path, text)
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("settings", [{"path": 1}, ["x"], 5])
def test_the_setting_is_a_path(tmp_path: Path, settings: object) -> None:
    """Anything else is said to be none."""
    with pytest.raises(ConfigError, match="is not the path"):
        plug.plugin(make_env(tmp_path, "file", settings))


def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    """An inventory that is silently empty would forbid everything."""
    with pytest.raises(ConfigError, match="cannot be read"):
        plug.plugin(make_env(tmp_path, "file", "missing.yaml"))


@pytest.mark.parametrize("settings", [None, ""])
def test_without_a_path_there_is_none(
    tmp_path: Path, settings: object
) -> None:
    """An empty setting is as good as none."""
    assert plug.plugin(make_env(tmp_path, "file", settings)) is None


def test_a_change_is_seen_and_a_wrong_one_told(tmp_path: Path) -> None:
    """The file is read again when it has changed, and only then."""
    made = make(tmp_path, "hosts: [a]\n")
    before = made.read()
    assert made.read() is before
    write(tmp_path / "inventory.yaml", "hosts: [a, b]\n")
    assert list(named(made.read())) == ["a", "b"]
    write(tmp_path / "inventory.yaml", "hosts: 5\n")
    for _ in range(2):
        with pytest.raises(ConfigError):
            made.read()
    (tmp_path / "inventory.yaml").unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        made.read()
