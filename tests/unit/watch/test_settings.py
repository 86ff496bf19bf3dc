"""The settings of the watch: whole, documented, and told when wrong."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client import CollectorRegistry

from app.bootstrap import Outside, build
from app.core.clock import SystemClock
from app.core.configfile import load_config
from app.core.errors import ConfigError
from app.core.site import site_of
from app.watch.settings import Thresholds, WatchSettings
from tests.unit.test_house import SETTINGS


def wired(folder: Path, tree: dict[str, Any]) -> Any:
    """Return a product of these settings."""
    file = folder / "smokejumper.yaml"
    url = f"sqlite:///{folder}/x.db"
    file.write_text(yaml.safe_dump({"database": {"url": url}, **tree}))
    return build(load_config(file, {}), Outside(environ={"KEY": "s3cret"}))


def test_every_setting_is_documented_with_its_default() -> None:
    """What stands in the settings file is what holds without it."""
    written = yaml.safe_load(SETTINGS.read_text())["watch"]
    assert WatchSettings.model_validate(written) == WatchSettings()
    assert set(written) == set(WatchSettings.model_fields)
    assert set(written["thresholds"]) == set(Thresholds.model_fields)


def test_one_thing_of_a_threshold_leaves_the_others() -> None:
    """And another limit has another end."""
    found = Thresholds(process_cpu={"for_seconds": 3}, disk={"limit": 50})
    assert (found.process_cpu.limit, found.process_cpu.lower) == (90, 50)
    assert found.process_cpu.for_seconds == 3
    assert (found.disk.end, found.disk.for_seconds) == (45, 60)


@pytest.mark.parametrize(
    "wrong",
    [
        {"every_seconds": 0},
        {"url": "ftp://x"},
        {"url": "http://user:secret@x"},
        {"labels": {"host": "x"}},
        {"labels": {"a-b": "x"}},
        {"source": "../x"},
        {"disks": ["relative"]},
        {"thresholds": {"disk": {"limit": 50, "lower": 60}}},
        {"thresholds": {"dsk": {"limit": 50}}},
        {"services": {"shop": {"port": 0}}},
    ],
    ids=str,
)
def test_wrong_settings_stop_the_start(
    wrong: dict[str, Any], tmp_path: Path
) -> None:
    """And say where."""
    with pytest.raises(ConfigError) as caught:
        wired(tmp_path, {"watch": wrong})
    assert caught.value.problems[0].setting.startswith("watch.")


def test_it_is_off_until_it_is_turned_on(tmp_path: Path) -> None:
    """Then it is a chore like the others, with readings."""
    assert wired(tmp_path, {}).readings is None
    sources = {"watch": {"type": "alertmanager", "auth": {"kind": "none"}}}
    product = wired(tmp_path, {"sources": sources, "watch": {"enabled": True}})
    assert product.readings is not None
    assert isinstance(product.registry, CollectorRegistry)
    assert isinstance(product.clock, SystemClock)


@pytest.mark.parametrize(
    ("watch", "setting"),
    [
        ({"enabled": True}, "watch.source"),
        (
            {"enabled": True, "url": "http://h:1", "secret": "env:NONE"},
            "watch.secret",
        ),
    ],
)
def test_a_watch_that_nobody_hears_stops_the_start(
    watch: dict[str, Any], setting: str, tmp_path: Path
) -> None:
    """There is no source, or its secret is not there."""
    with pytest.raises(ConfigError) as caught:
        wired(tmp_path, {"watch": watch})
    assert [one.setting for one in caught.value.problems] == [setting]


SHARED = "one-long-secret-of-the-watch"
BEARER = {"kind": "bearer", "secrets": ["env:KEY", SHARED]}


@pytest.mark.parametrize(
    ("source", "secret", "setting"),
    [
        ({"auth": BEARER}, "", "watch.secret"),
        ({"auth": BEARER}, "another-long-secret", "watch.secret"),
        ({"auth": {**BEARER, "scheme": "Token"}}, SHARED, "watch.source"),
        (
            {"auth": {"kind": "basic", "secrets": ["watch:a-long-one"]}},
            SHARED,
            "watch.source",
        ),
        ({"auth": {"kind": "none"}, "enabled": False}, "", "watch.source"),
    ],
)
def test_a_watch_that_our_own_source_refuses_stops_the_start(
    source: dict[str, Any], secret: str, setting: str, tmp_path: Path
) -> None:
    """Its alerts would be refused, one after the other, and nobody told."""
    sources = {"watch": {"type": "alertmanager", **source}}
    watch = {"enabled": True, "secret": secret}
    with pytest.raises(ConfigError) as caught:
        wired(tmp_path, {"sources": sources, "watch": watch})
    (problem,) = caught.value.problems
    assert problem.setting == setting
    assert SHARED not in str(caught.value)


@pytest.mark.parametrize("secret", ["env:KEY", SHARED])
def test_each_secret_of_our_own_source_opens_it(
    secret: str, tmp_path: Path
) -> None:
    """There may be several, such as while one is changed."""
    sources = {"watch": {"type": "alertmanager", "auth": BEARER}}
    watch = {"enabled": True, "secret": secret}
    product = wired(tmp_path, {"sources": sources, "watch": watch})
    assert product.readings is not None


@pytest.mark.parametrize(
    "auth",
    [BEARER, {"kind": "basic", "secrets": ["watch:a-long-one"]}],
)
def test_a_token_of_an_account_may_open_our_own_source(
    auth: dict[str, Any], tmp_path: Path
) -> None:
    """Which source it opens is not in the settings."""
    sources = {"watch": {"type": "alertmanager", "auth": auth}}
    watch = {"enabled": True, "secret": "sj_a-token-of-a-service-account"}
    product = wired(tmp_path, {"sources": sources, "watch": watch})
    assert product.readings is not None


def test_a_secret_opens_the_source(tmp_path: Path) -> None:
    """It is read from where the settings say."""
    watch = {"enabled": True, "url": "http://h:1", "secret": "env:KEY"}
    assert wired(tmp_path, {"watch": watch}).readings is not None


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("::", "::1"),
        ("::1", "::1"),
        ("fd00::5", "fd00::5"),
        ("smokejumper.example", "smokejumper.example"),
    ],
)
def test_the_watch_finds_us_wherever_we_listen(host: str, found: str) -> None:
    """A client can read the address, with the colons of IPv6 in it."""
    url = httpx.URL(f"{site_of(host, 8080)}/webhooks/watch")
    assert (url.host, url.port) == (found, 8080)
