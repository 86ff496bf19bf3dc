"""The inventory of a real Prometheus and of a real Zabbix."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.core.errors import OutgoingFailed
from app.core.registry import scan
from app.decide import inventories
from app.decide.stock import Surroundings, make_sources
from app.models.inventory import Inventory
from tests.real.prometheus import Prometheus
from tests.real.waiting import wait_for
from tests.real.zabbix import Zabbix
from tests.unit.decide.sites import named, written

pytestmark = pytest.mark.real


class Lab:
    """A Zabbix with two hosts, and tokens of those who may see them."""

    def __init__(self, zabbix: Zabbix) -> None:
        self.url = zabbix.url
        self.admin = zabbix.log_in()
        self.token = self.make_token("1")
        self.stranger = self._add_stranger()
        group = self.admin.create("hostgroup", name="Databases")
        self.admin.create(
            "host",
            host="lab-db-01",
            name="Lab DB 01 (primary)",
            groups=[{"groupid": group}],
            interfaces=[
                {
                    "type": 1,
                    "main": 1,
                    "useip": 0,
                    "ip": "10.9.8.7",
                    "dns": "lab-db-01.example.net",
                    "port": "10050",
                }
            ],
            tags=[
                {"tag": "team", "value": "data"},
                {"tag": "environment", "value": "lab"},
            ],
        )
        self.admin.create(
            "host",
            host="unwatched-01",
            groups=[{"groupid": group}],
            status=1,
        )

    def make_token(self, user: str) -> str:
        """Return a token of a user, as the page of tokens makes one."""
        token = self.admin.create("token", name=f"of {user}", userid=user)
        request = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "token.generate",
            # The only method whose parameters are a list.
            "params": [token],
            "auth": self.admin._token,
        }
        answer = httpx.post(self.admin._url, json=request, timeout=60).json()
        found: str = answer["result"][0]["token"]
        return found

    def _add_stranger(self) -> str:
        """Return the token of a user who may see no host."""
        group = self.admin.create("usergroup", name="Strangers")
        user = self.admin.create(
            "user",
            username="stranger",
            passwd="0n-call-t0night",
            roleid="1",
            usrgrps=[{"usrgrpid": group}],
        )
        return self.make_token(user)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return a running Zabbix API; its server is not needed."""
    with Zabbix(tmp_path_factory.mktemp("zabbix-inventory")) as zabbix:
        yield Lab(zabbix)


def load(folder: Path, name: str, **settings: str) -> Inventory:
    """Return what a source of the inventory knows."""
    config = written(folder, {"inventory": {name: settings}})
    around = Surroundings({}, folder, frozenset())
    (source,) = make_sources(config, scan(inventories), around).values()
    return Inventory(asyncio.run(source.load()))


def test_zabbix_tells_its_hosts(lab: Lab, tmp_path: Path) -> None:
    """Names, addresses, tags and groups; what it does not watch is not."""
    known = load(tmp_path, "zabbix", url=lab.url, token=lab.token)
    host = known.find_host("lab-db-01")
    assert host is not None
    assert host.aliases == ("lab-db-01.example.net", "10.9.8.7")
    assert (host.role, host.team, host.environment) == (
        "Databases", "data", "lab",
    )  # fmt: skip
    assert known.find_host("10.9.8.7") == host
    assert known.find_host("unwatched-01") is None
    assert known.find_host("127.0.0.1") is None


def test_zabbix_tells_only_what_the_user_may_see(
    lab: Lab, tmp_path: Path
) -> None:
    """A user without rights knows nothing; a wrong token is told so."""
    known = load(tmp_path, "zabbix", url=lab.url, token=lab.stranger)
    assert known.things == ()
    with pytest.raises(OutgoingFailed, match=r"Zabbix says: \w+"):
        load(tmp_path, "zabbix", url=lab.url, token="0" * 64)


def test_prometheus_tells_its_instances(tmp_path: Path) -> None:
    """What it watches is known, under the name that alerts have."""
    with Prometheus(tmp_path / "prometheus", [], {"Unused": "info"}) as real:

        def look() -> Inventory:
            """Return what it watches by now."""
            return load(tmp_path, "prometheus", url=real.url)

        # Its only target listens on loopback, which names no host.
        assert look().things == ()
        relabel(tmp_path / "prometheus", real)
        known = wait_for("hosts", look)
        host = known.find_host("web-01")
        assert host is not None
        assert (host.name, host.team) == ("web-01.example.net", "shop")
        assert list(named(known.things)) == ["web-01.example.net"]


def relabel(folder: Path, real: Prometheus) -> None:
    """Let a real Prometheus call its target otherwise."""
    file = folder / "prometheus.yml"
    watched = real.watched
    file.write_text(
        "global: {scrape_interval: 1s}\n"
        "scrape_configs:\n"
        "  - job_name: lab\n"
        "    static_configs:\n"
        f"      - targets: ['{watched}']\n"
        "        labels:\n"
        "          instance: web-01.example.net:9100\n"
        "          team: shop\n"
    )
    real.reload()
