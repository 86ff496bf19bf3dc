"""Static Ansible inventories are read as Ansible documents them."""

import asyncio
import stat
from pathlib import Path

import pytest

from app.core.errors import ConfigError
from app.decide.inventories import ansible as plug
from tests.unit.decide.sites import make_env, named, write, wrong

INI = """
# Hosts that are in no group come first.
mail.example.net

[web]
www[01:03].example.net  team=shop
blue ansible_host=10.0.0.5 ansible_port=5555   # by its address
badge.example.net:5309

[db]
db-[a:c].example.net role="database"

[eu:children]
web
db

[eu:vars]
environment = production
ntp_server=ntp.example.net

[web:vars]
env=staging
role=web
"""
YAML = """
all:
  vars:
    team: infra
  hosts:
    mail.example.net:
  children:
    web:
      hosts:
        www[01:02]:
          ansible_host: "{{ address }}"
        blue: {ansible_host: 10.0.0.5, secret: !vault "x"}
      vars: {environment: staging}
    eu:
      children:
        web:
        db:
          hosts: {db-1: {team: data, environment: production}}
"""


def make(folder: Path, name: str, text: str) -> plug.AnsibleInventory:
    """Return the inventory of one file."""
    write(folder / name, text)
    made = plug.plugin(make_env(folder, "ansible", name))
    assert isinstance(made, plug.AnsibleInventory)
    return made


def test_an_ini_file_is_read(tmp_path: Path) -> None:
    """Ranges, groups of groups and variables, the inner ones first."""
    found = named(asyncio.run(make(tmp_path, "hosts", INI).load()))
    assert list(found) == [
        "mail.example.net",
        "www01.example.net",
        "www02.example.net",
        "www03.example.net",
        "blue",
        "badge.example.net",
        "db-a.example.net",
        "db-b.example.net",
        "db-c.example.net",
    ]
    assert found["blue"].aliases == ("10.0.0.5",)
    assert found["www02.example.net"].team == "shop"
    assert found["www02.example.net"].environment == "production"
    assert found["badge.example.net"].role == "web"
    assert found["db-b.example.net"].role == "database"
    assert found["mail.example.net"].environment == ""
    assert {thing.source for thing in found.values()} == {"ansible"}


@pytest.mark.parametrize("name", ["hosts.yml", "hosts"])
def test_a_yaml_file_is_read(tmp_path: Path, name: str) -> None:
    """With or without the ending; templates and vaults say nothing."""
    found = named(make(tmp_path, name, YAML).read())
    assert list(found) == [
        "mail.example.net", "www01", "www02", "blue", "db-1",
    ]  # fmt: skip
    assert found["www01"].aliases == ()
    assert found["blue"].aliases == ("10.0.0.5",)
    assert found["blue"].environment == "staging"
    assert found["blue"].role == "eu, web"
    assert found["blue"].team == "infra"
    assert (found["db-1"].team, found["db-1"].environment) == (
        "data", "production",
    )  # fmt: skip


def test_a_folder_is_read_as_ansible_does(tmp_path: Path) -> None:
    """All files in order; what is beside them is passed by."""
    write(tmp_path / "site" / "01-web", "[web]\nweb-01\n")
    write(tmp_path / "site" / "02.yml", "web: {vars: {team: shop}}\n")
    for name in ("x.cfg", ".hidden", "old~", "note.md"):
        write(tmp_path / "site" / name, "[[[")
    write(tmp_path / "site" / "group_vars" / "web", "role: x\n")
    made = plug.plugin(make_env(tmp_path, "ansible", "site"))
    assert made is not None
    (host,) = asyncio.run(made.load())
    assert (host.name, host.team, host.role) == ("web-01", "shop", "web")
    write(tmp_path / "site" / "03", "web-02\n")
    assert len(asyncio.run(made.load())) == 2


def test_localhost_is_no_host_of_the_site(tmp_path: Path) -> None:
    """Every machine calls itself that."""
    text = "localhost ansible_connection=local\n127.0.0.1\nweb-01\n"
    assert list(named(make(tmp_path, "hosts", text).read())) == ["web-01"]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("hosts", "#!/bin/sh\ntouch ran\n",
         "hosts hosts: is a program: it is not run"),
        ("aws.yml", "plugin: amazon.aws.aws_ec2\n",
         "aws.yml:1 plugin: sets up a plug-in: it is not run"),
        ("hosts", "$ANSIBLE_VAULT;1.1;AES256\n6132\n",
         "hosts hosts: is encrypted"),
        ("hosts", "[web\nweb-01\n",
         "hosts:1 hosts: is no heading of a group"),
        ("hosts", "web-02\nweb-01 oops\n",
         "hosts:2 hosts: 'oops' is not of the form name=value"),
        ("hosts", "web-01 a='b\n", "hosts:1 hosts: No closing quotation"),
        ("hosts", "[w:vars]\nx\n",
         "hosts:2 hosts: is not of the form name=value"),
        ("hosts", "web[0:99999999]\n",
         "hosts:1 hosts: a range of more than 50000 hosts"),
        ("hosts", "web[0:999][0:999]\n",
         "hosts:1 hosts: 'web[0:999][0:999]' means more than 50000"),
        ("hosts", "web[z:a]\n", "hosts:1 hosts: [z:a] is no range"),
        ("hosts", "[a:children]\nb\n[b:children]\na\n[b]\nweb\n",
         "hosts hosts: the group 'a' holds itself"),
        ("hosts.yml", "web: {host: {a: }}\n",
         "hosts.yml:1 web: 'host' is not hosts, children or vars"),
        ("hosts.yml", "web:\n  hosts: [a]\n",
         "hosts.yml:2 web.hosts: must hold names and values"),
        ("hosts.yml", "- a\n", "hosts.yml hosts: holds no groups"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_line(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    """The start stops, with the place, and nothing was run."""
    path = write(tmp_path / name, text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(ConfigError) as caught:
        plug.plugin(make_env(tmp_path, "ansible", name))
    assert wrong(caught) == [problem]
    assert not (tmp_path / "ran").exists()


def test_a_path_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    """It says which one, and what to do."""
    with pytest.raises(ConfigError, match="cannot be read"):
        plug.plugin(make_env(tmp_path, "ansible", "missing"))
    assert plug.plugin(make_env(tmp_path, "ansible", None)) is None


@pytest.mark.parametrize(
    "text", ["a: &a [*a]\n", "a: " + "[" * 1_500 + "\n", "{" * 1_500]
)
def test_what_is_deep_or_holds_itself_is_refused(
    tmp_path: Path, text: str
) -> None:
    """A file cannot make reading it go on for ever."""
    with pytest.raises(ConfigError):
        make(tmp_path, "hosts.yml", text)


def test_a_file_that_means_too_much_is_refused(tmp_path: Path) -> None:
    """Aliases of aliases say more than anybody wrote."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)
    ]
    with pytest.raises(ConfigError, match="says too much"):
        make(tmp_path, "hosts.yml", "\n".join(lines))
