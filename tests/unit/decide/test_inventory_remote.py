"""What a Prometheus and a Zabbix answer becomes hosts, or a clear error."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ConfigError, OutgoingFailed
from app.decide.inventories import prometheus, zabbix
from app.models.inventory import Thing
from app.ports import InventorySource
from tests.unit.decide.listener import Answer, Asked, Listener
from tests.unit.decide.sites import make_env, named

TARGETS = [
    {"instance": "web-01.example.net:9100", "job": "node", "team": "shop",
     "nodename": "web-01"},
    {"instance": "web-01.example.net:9113", "job": "nginx", "role": "web",
     "env": "production"},
    {"instance": "10.1.2.3:8080", "job": "pods", "pod": "shop-x",
     "host": "not-an-alias", "node": "kube-07"},
    {"instance": "[2001:db8::5]:9100", "job": "node"},
    {"instance": "https://example.net/health", "job": "probe"},
    {"instance": "localhost:9090", "job": "prometheus"},
    {"instance": "web-02;reboot:9100", "job": "odd"},
    {"job": "nameless"},
]  # fmt: skip
HOSTS = [
    {"hostid": "1", "host": "db-01", "name": "Database 1 (primary)",
     "interfaces": [{"ip": "10.0.0.9", "dns": "db-01.example.net"},
                    {"ip": "127.0.0.1", "dns": ""}],
     "tags": [{"tag": "Team", "value": "data"},
              {"tag": "env", "value": "production"}],
     "groups": [{"groupid": "4", "name": "Databases"},
                {"groupid": "5", "name": "Linux"}]},
    {"hostid": "2", "host": "Shop frontend", "name": "web-01",
     "interfaces": [], "tags": [{"tag": "role", "value": "web"}],
     "hostgroups": [{"name": "Linux"}]},
    {"hostid": "3", "host": "Zabbix server", "name": "Zabbix server",
     "interfaces": [{"ip": "127.0.0.1", "dns": "localhost"}]},
]  # fmt: skip


def say(labels: list[dict[str, str]]) -> Answer:
    """Return what answers as Prometheus does."""
    targets = [{"labels": one, "health": "up"} for one in labels]
    body = {"status": "success", "data": {"activeTargets": targets}}
    return lambda _asked: (200, json.dumps(body).encode())


def speak(version: str, result: object = HOSTS) -> Answer:
    """Return what answers as a Zabbix of a release does."""

    def answer(asked: Asked) -> tuple[int, bytes]:
        """Answer one call."""
        is_version = json.loads(asked.body)["method"] == "apiinfo.version"
        found = version if is_version else result
        said = {"jsonrpc": "2.0", "result": found, "id": 1}
        return 200, json.dumps(said).encode()

    return answer


def ask(
    folder: Path,
    answer: Answer,
    plugin: Callable[[Any], InventorySource | None],
    **settings: object,
) -> tuple[tuple[Thing, ...], list[Asked]]:
    """Return what an inventory makes of an answer, and what it asked."""
    name = plugin.__module__.rsplit(".", 1)[-1]
    with Listener(answer) as listener:
        tree = {"url": f"{listener.url}/", **settings}
        source = plugin(make_env(folder, name, tree))
        assert source is not None
        return asyncio.run(source.load()), listener.asked


def test_the_instances_of_a_prometheus_are_hosts(tmp_path: Path) -> None:
    """Ports are cut off; pages, odd names and localhost are no hosts."""
    things, asked = ask(tmp_path, say(TARGETS), prometheus.plugin)
    found = named(things)
    assert list(found) == [
        "web-01.example.net", "10.1.2.3", "kube-07", "2001:db8::5",
    ]  # fmt: skip
    web = found["web-01.example.net"]
    assert web.aliases == ("web-01",)
    assert (web.role, web.environment, web.team) == (
        "web", "production", "shop",
    )  # fmt: skip
    assert found["10.1.2.3"].aliases == ()
    assert {thing.source for thing in things} == {"prometheus"}
    (one,) = asked
    assert one.path == "/api/v1/targets?state=active"
    assert "authorization" not in one.headers


def test_a_token_is_shown_as_bearer(tmp_path: Path) -> None:
    """It may stand in a variable."""
    _, asked = ask(tmp_path, say([]), prometheus.plugin, token="env:TOKEN")
    assert asked[0].headers["authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(
    ("version", "in_header", "groups"),
    [
        ("6.0.14", False, "selectGroups"),
        ("6.2.0", False, "selectHostGroups"),
        ("6.4.1", True, "selectHostGroups"),
        ("7.4.0alpha1", True, "selectHostGroups"),
    ],
)
def test_each_release_of_zabbix_is_asked_in_its_way(
    tmp_path: Path, version: str, in_header: bool, groups: str
) -> None:
    """Nobody shows a token to ask for the version."""
    _, asked = ask(tmp_path, speak(version), zabbix.plugin, token="env:TOKEN")
    first, second = asked
    assert (first.path, second.path) == ("/api_jsonrpc.php",) * 2
    assert b"s3cret" not in first.body
    assert "authorization" not in first.headers
    request = json.loads(second.body)
    assert request["method"] == "host.get"
    assert groups in request["params"]
    assert ("auth" in request) is not in_header
    assert ("authorization" in second.headers) is in_header
    assert b"s3cret" in second.body or in_header


def test_hosts_of_zabbix_have_names_tags_and_groups(tmp_path: Path) -> None:
    """What cannot be the name of a host is left out."""
    things, _ = ask(tmp_path, speak("6.0.1"), zabbix.plugin, token="x")
    found = named(things)
    assert list(found) == ["db-01", "web-01"]
    db = found["db-01"]
    assert db.aliases == ("db-01.example.net", "10.0.0.9")
    assert (db.role, db.environment, db.team) == (
        "Databases, Linux", "production", "data",
    )  # fmt: skip
    assert found["web-01"].role == "web"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda _asked: (500, b""), "status 500"),
        (lambda _asked: (401, b""), "status 401"),
        (lambda _asked: (302, b""), "status 302"),
        (lambda _asked: (200, b"<html>"), "the answer is no"),
        (lambda _asked: (200, b"[]"), "the answer is no"),
        (lambda _asked: (200, b"[" * 7_000), "the answer is no"),
        (lambda _asked: (200, b'{"result": 5}'), "the answer"),
        (lambda _asked: (200, b"{}" * 5_000), "the answer is too long"),
        (lambda _asked: (200, b'{"error": {"data": "No permission."}}'),
         "No permission.|no list of targets"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("plug", [prometheus, zabbix])
def test_what_is_no_answer_is_a_failure(
    tmp_path: Path, plug: Any, answer: Answer, why: str
) -> None:
    """Nothing is made of it, and the reason names the address."""
    with pytest.raises(OutgoingFailed, match=why) as caught:
        ask(tmp_path, answer, plug.plugin, token="x", body_bytes=8_000)
    assert str(caught.value).startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    "result", ["x", {"a": 1}, [{"name": "nameless"}], [[]], [5]]
)
def test_hosts_in_another_shape_are_a_failure(
    tmp_path: Path, result: object
) -> None:
    """Half an inventory would forbid the other half."""
    with pytest.raises(OutgoingFailed, match="no list of hosts"):
        ask(tmp_path, speak("6.0.0", result), zabbix.plugin, token="x")


@pytest.mark.parametrize("plug", [prometheus, zabbix])
def test_who_is_away_is_a_failure(tmp_path: Path, plug: Any) -> None:
    """Nobody listens any more: that is a failure with the address."""
    with Listener(lambda _asked: (200, b"")) as listener:
        url = listener.url
    source = plug.plugin(
        make_env(tmp_path, plug.__name__.rsplit(".", 1)[-1],
                 {"url": url, "token": "x", "timeout_seconds": 0.5})
    )  # fmt: skip
    with pytest.raises(OutgoingFailed, match=url):
        asyncio.run(source.load())


@pytest.mark.parametrize(
    ("plug", "settings", "what"),
    [
        (zabbix, {"url": "http://z"}, "needs a token"),
        (zabbix, {"url": "http://z", "token": "env:MISSING"},
         "the variable MISSING is not set"),
        (zabbix, {"url": "http://z", "token": "tök"}, "header can carry"),
        (prometheus, {"url": "http://p", "token": "a\nb"},
         "header can carry"),
        (prometheus, {"url": "p:9090"}, "write http://HOST:PORT"),
        (prometheus, {"url": "http://u:p@p"}, "write the secret as token"),
        (prometheus, {"url": "http://p", "tokn": "x"}, "is not a setting"),
        (prometheus, {"token": "x"}, "is missing"),
    ],
)  # fmt: skip
def test_wrong_settings_stop_the_start(
    tmp_path: Path, plug: Any, settings: dict[str, str], what: str
) -> None:
    """The line is named, and no secret is told."""
    name = plug.__name__.rsplit(".", 1)[-1]
    with pytest.raises(ConfigError, match=what) as caught:
        plug.plugin(make_env(tmp_path, name, settings))
    (problem,) = caught.value.problems
    assert problem.setting.startswith(f"inventory.{name}")
    assert "tök" not in str(problem)


@pytest.mark.parametrize("plug", [prometheus, zabbix])
def test_without_settings_there_is_none(tmp_path: Path, plug: Any) -> None:
    """It is optional."""
    name = plug.__name__.rsplit(".", 1)[-1]
    assert plug.plugin(make_env(tmp_path, name, None)) is None
