"""The settings: off as shipped, and mistakes are named."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from simulator.problem import Forbidden, Refused
from simulator.settings import (
    Settings,
    load_settings,
    make_settings,
    place_of_settings,
)
from tests.unit.simulator.scene import HERE

SHIPPED = HERE / "config" / "simulator.yaml"


def test_as_shipped_it_is_off_and_says_how_to_turn_it_on() -> None:
    """Nobody gets trouble without asking for it."""
    settings = load_settings(SHIPPED)
    with pytest.raises(Forbidden, match="enabled: true") as caught:
        settings.need_enabled()
    assert caught.value.field == "enabled"
    assert caught.value.status == 403


def test_the_shipped_file_says_every_default() -> None:
    """What it shows is what holds when a line is left out."""
    assert load_settings(SHIPPED) == Settings()
    shown = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))

    def names(model: type[BaseModel], values: dict[str, object]) -> None:
        """Compare one part, and the parts in it."""
        assert set(values) == set(model.model_fields)
        for name, one in model.model_fields.items():
            kind = one.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                part = values[name]
                assert isinstance(part, dict)
                names(kind, part)

    names(Settings, shown)


@pytest.mark.parametrize(
    ("values", "field", "says"),
    [
        ({"enbaled": True}, "enbaled", "not permitted"),
        ({"most": {"seconds": 0}}, "most.seconds", "greater than"),
        ({"most": {"memory_mb": "lots"}}, "most.memory_mb", "integer"),
        ({"host": "a b"}, "host", "match pattern"),
        ({"listen": "192.0.2.1"}, "listen", "127.0.0.1"),
        ({"services": ["../x"]}, "services.0", "match pattern"),
        ({"disk": {"kind": "loop"}}, "disk.kind", "tmpfs"),
        ({"services": ["shop", "shop"]}, "services.0", "twice"),
        (
            {"services": ["shop-of-all"], "programs": "demoabc"},
            "services.0",
            "more than 15",
        ),
        ({"token": "a" * 15}, "token", "fewer than 16"),
        ({"token": "with a blank in it"}, "token", "others than"),
        ({"token": "\u00fc" * 20}, "token", "others than"),
        ({"disk": {"path": "var/x"}}, "disk.path", "does not begin with /"),
        ([1], "settings", "holds no mapping"),
    ],
)
def test_a_mistake_is_named_with_its_field(
    values: object, field: str, says: str
) -> None:
    """Whoever wrote it knows where to look, and what to write."""
    with pytest.raises(Refused, match=says) as caught:
        make_settings(values)
    assert caught.value.field == field
    assert caught.value.remedy


def test_more_than_one_mistake_is_counted() -> None:
    """The first is told, and that there are others."""
    with pytest.raises(Refused, match="and 1 more"):
        make_settings({"a": 1, "b": 2})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"host: [", r"no YAML, line \d"),
        (b"\xff\xfe\x00", "no YAML"),
        (b"[" * 30_000, "no YAML"),
        (b"enabled: false\nenabled: true\n", "'enabled' is there twice"),
        (b"#" * 70_000, "longer than 64 KiB"),
    ],
)
def test_a_file_that_is_no_settings_is_named(
    tmp_path: Path, text: bytes, says: str
) -> None:
    """A torn or foreign file is told apart from a wrong setting."""
    path = tmp_path / "simulator.yaml"
    path.write_bytes(text)
    with pytest.raises(Refused, match=says):
        load_settings(path)


def test_a_missing_file_names_the_variable(tmp_path: Path) -> None:
    """No file is no reason to run with guesses."""
    with pytest.raises(Refused, match="SIMULATOR_CONFIG"):
        load_settings(tmp_path / "none.yaml")


def test_the_variable_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A demo has settings of its own."""
    path = tmp_path / "own.yaml"
    path.write_text("host: web-01\n", encoding="utf-8")
    monkeypatch.setenv("SIMULATOR_CONFIG", str(path))
    assert load_settings().host == "web-01"
    assert place_of_settings({}) == Path("config/simulator.yaml")


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    """Nothing said is nothing changed."""
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing\n", encoding="utf-8")
    assert load_settings(path) == Settings()


def test_paths_are_whole(tmp_path: Path) -> None:
    """The disk is below the folder unless it is said otherwise."""
    settings = make_settings({"folder": str(tmp_path / "a" / ".." / "b")})
    assert settings.home == tmp_path / "b"
    assert settings.disk_path == tmp_path / "b" / "disk"
    other = make_settings({"disk": {"path": "/srv/small"}})
    assert other.disk_path == Path("/srv/small")
    assert other.home.is_absolute()


def test_a_refusal_reads_well() -> None:
    """As one line, and as the body of an answer."""
    one = Refused("9 is out of range", field="level", remedy="Give 1 to 5")
    assert str(one) == "level: 9 is out of range. Give 1 to 5"
    assert set(one.as_json()) == {"title", "detail", "field", "remedy"}
    assert re.match(r"^[A-Z]", one.as_json()["title"])
