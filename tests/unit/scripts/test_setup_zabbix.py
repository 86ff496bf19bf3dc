"""Setting up Zabbix in the releases that run nowhere near."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.setting_up import Status
from scripts.zabbix import wanted as wishes
from tests.zabbix_contract import (
    Act,
    Contract,
    Site,
    acting,  # noqa: F401 (a fixture)
    admin,
    refused,
    wanted,
)
from tests.zabbix_fake import ADMIN, ZabbixFake

HOME = Path(__file__).parents[3]
RELEASES = ("6.0", "6.4", "7.0", "7.2", "7.4")


@pytest.fixture
def release() -> str:
    """Return the release of the fake; tests of one ask for another."""
    return "7.2"


@pytest.fixture
def fake(release: str) -> Iterator[ZabbixFake]:
    """Return a fake that answers, with its usual accounts."""
    with ZabbixFake(release) as running:
        role = running.add(
            "role", {"name": "Super", "type": "3", "rules": {"api.access": 1}}
        )
        for user, password in (ADMIN, ("Wanda", "w3ak-enough")):
            running.add(
                "user",
                {
                    "username": user,
                    "surname": "",
                    "passwd": password,
                    "roleid": role,
                    "usrgrps": [],
                    "medias": [],
                },
            )
        running.sessions["a-token"] = ADMIN[0]
        yield running


@pytest.fixture
def site(fake: ZabbixFake) -> Iterator[Site]:
    """Return the fake as the contract sees it."""
    with admin(fake.url) as zabbix:
        yield Site(fake.url, "a-token", zabbix)


@pytest.mark.parametrize("release", RELEASES)
class TestFakes(Contract):
    """Each release keeps the contract."""


def test_a_refusal_half_way_leaves_nothing(
    fake: ZabbixFake, site: Site, act: Act
) -> None:
    """What was made before is taken back, and the account is named."""
    before = site.all()
    fake.refuses = "action.create"
    stop = refused(act, *wanted("--yes"))
    assert stop.status is Status.REFUSED
    assert "taken back" in stop.remedy
    assert "Super admin" in stop.remedy
    assert site.all() == before
    assert "user.create" in fake.written
    assert "user.delete" in fake.written


def test_an_old_release_is_refused(fake: ZabbixFake, act: Act) -> None:
    """It says which one it is and which one is needed; nobody logs in."""
    fake.version = (5, 4)
    sessions = dict(fake.sessions)
    stop = refused(act, *wanted("--yes"))
    assert "5.4" in stop.reason
    assert "6.0" in stop.reason
    assert fake.sessions == sessions
    assert fake.written == []


def test_a_moved_frontend_is_named(fake: ZabbixFake, act: Act) -> None:
    """A redirect is not followed: a password would go along."""
    stop = refused(act, *wanted(), url=f"{fake.url}/moved")
    assert "https://zabbix.test/" in stop.reason
    assert "--zabbix" in stop.remedy


def test_nobody_named_is_wrong_use(
    act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal the variables are named instead of a prompt."""
    monkeypatch.delenv("ZABBIX_PASSWORD")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    stop = refused(act, *wanted())
    assert stop.status is Status.WRONG_USE
    assert "ZABBIX_TOKEN" in stop.remedy


def test_it_is_a_program(fake: ZabbixFake) -> None:
    """Its exit status and its error are those of all such scripts."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "scripts.setup_zabbix",
            "--zabbix",
            fake.url,
            *wanted(),
        ],
        cwd=HOME,
        env={"ZABBIX_USER": ADMIN[0], "ZABBIX_PASSWORD": ADMIN[1]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == Status.NEEDS_YES, done.stderr
    assert "+++ action Smokejumper (then)" in done.stdout
    assert "--yes" in done.stderr
    assert fake.written == []


def test_the_readme_shows_the_script_itself() -> None:
    """The script that people paste is the one that is tested."""
    readme = (HOME / "README.md").read_text()
    shown = re.search(r"```javascript\n(.*?)```", readme, re.DOTALL)
    assert shown
    assert shown[1] == wishes.SCRIPT.read_text()


def test_the_docs_list_the_parameters_themselves() -> None:
    """The list to type by hand is the one that is set up."""
    docs = (HOME / "docs" / "sources.md").read_text()
    part = docs.split("## Zabbix")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| (\w+) \| `(\{.+\})` \|$", part, re.MULTILINE))
    assert rows == json.loads(wishes.PARAMETERS.read_text())
    assert f"| {wishes.URL} |" in part
    assert f"| {wishes.SECRET} |" in part
