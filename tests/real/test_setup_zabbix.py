"""The real Zabbix 6.0 keeps the contract that the fakes keep."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.zabbix import Zabbix
from tests.zabbix_contract import (
    WEAK,
    Contract,
    Site,
    acting,  # noqa: F401 (a fixture)
    admin,
)

pytestmark = pytest.mark.real
TEMPLATE = (
    Path(__file__).parents[2]
    / "config/monitoring/zabbix/smokejumper_template.yaml"
)
RULES = {
    kind: {"createMissing": True, "updateExisting": True}
    for kind in ("templates", "items", "triggers", "groups")
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a real frontend, with an account that may little."""
    with Zabbix(tmp_path_factory.mktemp("zabbix-set-up")) as zabbix:
        api = zabbix.log_in()
        role = api.create("role", name="Reader", type=1)
        group = api.create("usergroup", name="Readers")
        api.create(
            "user",
            username=WEAK[0],
            passwd=WEAK[1],
            roleid=role,
            usrgrps=[{"usrgrpid": group}],
        )
        token = api.create("token", name="for the set-up")
        made = api.call("token.generate", **{"0": token})
        with admin(zabbix.url) as session:
            yield Site(zabbix.url, made[0]["token"], session)


class TestReal(Contract):
    """Zabbix 6.0 as Debian has it."""


def test_the_template_is_imported(site: Site) -> None:
    """Twice: the second time there is nothing new."""
    text = TEMPLATE.read_text()
    told = {"format": "yaml", "rules": RULES, "source": text}
    for _ in range(2):
        assert site.zabbix.call("configuration.import", told) is True
    found = site.zabbix.call(
        "trigger.get",
        {"templated": True, "selectTags": "extend", "output": "extend"},
    )
    tags = {
        (tag["tag"], tag["value"])
        for trigger in found
        for tag in trigger["tags"]
        if tag["tag"] != "component"
    }
    assert tags == {
        ("process", "{$SMOKEJUMPER.PROCESS}"),
        ("mountpoint", "{$SMOKEJUMPER.MOUNTPOINT}"),
        ("service", "{$SMOKEJUMPER.SERVICE}"),
    }
    assert len(found) == 5
