"""Sources out of settings: every mistake is named before anything starts."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from app.access.asked import Asked
from app.bootstrap import Outside, build
from app.core.configfile import load_config
from app.core.errors import ConfigError

BEARER = {"kind": "bearer", "secrets": ["t"]}


def wire(folder: Path, **tree: Any) -> Any:
    """Return the product of some settings."""
    file = folder / "smokejumper.yaml"
    file.write_text(yaml.safe_dump(tree))
    environ = {"TOKEN": "secret", "LINE": "secret\n"}
    return build(load_config(file, {}), Outside(environ=environ, home=folder))


def wrong(folder: Path, auth: Any, **server: Any) -> str:
    """Return what is wrong with one source's authentication."""
    sources = {"alertmanager": {"auth": auth}}
    with pytest.raises(ConfigError) as caught:
        wire(folder, sources=sources, server=server)
    return str(caught.value)


def test_a_source_may_have_several_names(tmp_path: Path) -> None:
    """Each with its own secret and path."""
    product = wire(
        tmp_path,
        sources={
            "alertmanager": {"auth": BEARER},
            "lab": {"type": "alertmanager", "auth": BEARER},
            "off": {"type": "alertmanager", "auth": BEARER, "enabled": False},
        },
    )
    assert set(product.entrances) == {"alertmanager", "lab"}
    assert product.entrances["lab"].paths == ("/webhooks/lab",)


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        ({"kind": "bearer"}, "auth.secrets: is missing for kind 'bearer'"),
        ({"kind": "hmac", "secrets": ["k"]}, "auth.header: is missing"),
        ({"kind": "mtls", "header": "x"}, "auth.names: is missing"),
        ({"kind": "basic", "secrets": ["nocolon"]}, "user:password"),
        ({"kind": "bearer", "secrets": ["env:NONE"]}, "NONE is not set"),
        ({"kind": "bearer", "secrets": [""]}, "the secret is empty"),
        ({"kind": "bearer", "secrets": ["t "]}, "secrets.0: begins or ends"),
        ({"kind": "bearer", "secrets": ["env:LINE"]}, "secrets.0: begins or"),
        ({"kind": "bearer", "secrets": ["a\x07b"]}, "cannot be sent"),
        ({**BEARER, "scheme": ""}, "auth.scheme"),
        ({**BEARER, "scheme": "My Word"}, "auth.scheme"),
        ({**BEARER, "header": "X-Key"}, "header: is nothing that kind"),
        ({"kind": "none", "secrets": ["t"]}, "secrets: is nothing that kind"),
        ({"kind": "hmac", "secrets": ["k"], "header": "X:"}, "auth.header"),
        (
            {**BEARER, "kind": "hmac", "header": "X", "timestamp_header": "ä"},
            "auth.timestamp_header",
        ),
        (
            {"kind": "mtls", "header": "x", "names": [""], "proxies": ["::1"]},
            "auth.names.0",
        ),
        ({"kind": "own"}, "has no signature of its own"),
        ({"kind": "magic"}, "auth.kind"),
        ({}, "auth.kind: is missing"),
        ({"kind": "none", "knid": 1}, "Did you mean 'kind'"),
        (
            {
                "kind": "mtls",
                "header": "x",
                "names": ["a"],
                "proxies": ["proxy.example"],
            },
            "proxies.0: is no address",
        ),
    ],
)
def test_wrong_authentication_is_named(
    tmp_path: Path, auth: dict[str, Any], words: str
) -> None:
    """With the setting, the place and the remedy."""
    text = wrong(tmp_path, auth)
    assert words in text
    assert "smokejumper.yaml:" in text


def test_a_secret_is_not_in_the_error(tmp_path: Path) -> None:
    """Not even a wrong one."""
    text = wrong(tmp_path, {"kind": "basic", "secrets": ["hunter2"]})
    assert "hunter2" not in text


def test_open_to_the_world_must_be_said_twice(tmp_path: Path) -> None:
    """None is for loopback, unless beyond_loopback says otherwise."""
    text = wrong(tmp_path, {"kind": "none"}, host="0.0.0.0")
    assert "anybody could send" in text
    auth = {"kind": "none", "beyond_loopback": True}
    sources = {"alertmanager": {"auth": auth}}
    wire(tmp_path, sources=sources, server={"host": "0.0.0.0"})


def test_an_unknown_type_suggests_the_known_one(tmp_path: Path) -> None:
    """And all mistakes of a file are told at once."""
    sources = {"alertmanger": {"auth": BEARER}, "x": {"auth": BEARER}}
    with pytest.raises(ConfigError) as caught:
        wire(tmp_path, sources=sources)
    assert len(caught.value.problems) == 2
    assert "Did you mean 'alertmanager'?" in str(caught.value)


def test_an_unknown_section_stops_it(tmp_path: Path) -> None:
    """A setting that nobody reads is a mistake."""
    with pytest.raises(ConfigError, match="databse"):
        wire(tmp_path, databse={})


def test_a_wrong_database_is_named(tmp_path: Path) -> None:
    """With what to write."""
    with pytest.raises(ConfigError, match=r"database\.url.*mysql"):
        wire(tmp_path, database={"url": "mysql://x/y"})


def test_api_tokens_are_revealed(tmp_path: Path) -> None:
    """From a variable, or refused when it is not there."""
    product = wire(tmp_path, api={"tokens": ["env:TOKEN"]})
    headers = {"authorization": "Bearer secret"}
    asked = Asked(method="GET", peer="192.0.2.7", headers=headers)
    assert product.gate.find(asked).way == "settings"
    with pytest.raises(ConfigError, match=r"api\.tokens\.0"):
        wire(tmp_path, api={"tokens": ["env:NONE"]})


def test_an_api_token_that_nobody_could_show(tmp_path: Path) -> None:
    """A line end came along with the variable."""
    with pytest.raises(ConfigError, match=r"api\.tokens\.0: begins or ends"):
        wire(tmp_path, api={"tokens": ["env:LINE"]})


@pytest.mark.parametrize("name", ["Shop", "-x", "a/b", "a b", "ä", ""])
def test_a_name_that_is_no_path_is_refused(tmp_path: Path, name: str) -> None:
    """It is a part of a path and of a metric: the remedy says what may be."""
    with pytest.raises(ConfigError) as caught:
        wire(tmp_path, sources={name: {"type": "alertmanager"}})
    text = str(caught.value)
    assert "is no name for a source" in text
    assert "a-z, 0-9" in text
    assert "smokejumper.yaml:" in text


@pytest.mark.parametrize("sources", [["x"], "x", {1: {"auth": BEARER}}])
def test_sources_must_be_names_and_settings(
    tmp_path: Path, sources: Any
) -> None:
    """A list of names does not start a service without any source."""
    with pytest.raises(ConfigError, match=r"smokejumper\.yaml:\d+: sources"):
        wire(tmp_path, sources=sources)


@pytest.mark.parametrize("section", ["server", "database", "log", "api"])
def test_every_section_must_hold_names(tmp_path: Path, section: str) -> None:
    """A list in its place is an error, not a crash and not the default."""
    with pytest.raises(ConfigError, match=f"{section}: must hold names"):
        wire(tmp_path, **{section: [1]})


def test_an_empty_list_allows_nothing_by_mistake(tmp_path: Path) -> None:
    """It would have narrowed nothing down: it stops the start."""
    source = {"auth": BEARER, "allow": {"cluster": []}}
    with pytest.raises(ConfigError, match=r"allow\.cluster: is an empty"):
        wire(tmp_path, sources={"alertmanager": source})
