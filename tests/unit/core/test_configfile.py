"""Settings: a mistake is answered with its place and a remedy."""

import os
from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from app.core.configfile import Config, Section, load_config, reveal
from app.core.errors import ConfigError


class Inner(Section):
    """A section inside a section."""

    port: int = Field(8080, ge=1, le=65_535)
    names: tuple[str, ...] = ()


class Outer(Section):
    """A section with everything that settings have."""

    inner: Inner = Inner()
    secret: SecretStr = SecretStr("x")
    active: bool = False


def write(folder: Path, text: str) -> Path:
    """Return a settings file with a text."""
    file = folder / "settings.yaml"
    file.write_text(text)
    return file


def problems_of(config: Config) -> list[str]:
    """Return what is wrong below ``outer``, as a person reads it."""
    with pytest.raises(ConfigError) as caught:
        config.read(Outer, "outer")
    return [str(problem) for problem in caught.value.problems]


def test_values_come_from_the_file(tmp_path: Path) -> None:
    """What the file says is read; what it leaves out has its default."""
    file = write(tmp_path, "outer:\n  inner:\n    port: 99\n")
    outer = load_config(file, {}).read(Outer, "outer")
    assert outer.inner.port == 99
    assert outer.active is False


def test_a_variable_goes_before_the_file(tmp_path: Path) -> None:
    """Any value can be set by a variable, dashes written as underscores."""
    file = write(
        tmp_path, "outer:\n  inner: {port: 99}\nmy-part: {active: no}\n"
    )
    environ = {
        "SMOKEJUMPER_OUTER__INNER__PORT": "100",
        "SMOKEJUMPER_OUTER__INNER__NAMES": "[a, b]",
        "SMOKEJUMPER_MY_PART__ACTIVE": "true",
        "OTHER": "1",
    }
    config = load_config(file, environ)
    outer = config.read(Outer, "outer")
    assert outer.inner.port == 100
    assert outer.inner.names == ("a", "b")
    assert config.read(Outer, "my-part").active is True


def test_a_secret_of_digits_stays_text(tmp_path: Path) -> None:
    """A variable's value is not turned into a number on the way."""
    environ = {"SMOKEJUMPER_OUTER__SECRET": "0123"}
    config = load_config(write(tmp_path, ""), environ)
    outer = config.read(Outer, "outer")
    assert outer.secret.get_secret_value() == "0123"


def test_a_wrong_value_names_file_line_and_variable(tmp_path: Path) -> None:
    """The place, the setting and the variable that would mend it."""
    file = write(tmp_path, "outer:\n  active: yes\n  inner:\n    port: nine\n")
    (problem,) = problems_of(load_config(file, {}))
    assert f"{file}:4: outer.inner.port" in problem
    assert "SMOKEJUMPER_OUTER__INNER__PORT" in problem


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    """What a variable set is not blamed on the file."""
    file = write(tmp_path, "outer:\n  inner: {port: 9}\n")
    environ = {"SMOKEJUMPER_OUTER__INNER__PORT": "0"}
    (problem,) = problems_of(load_config(file, environ))
    assert problem.startswith("variable SMOKEJUMPER_OUTER__INNER__PORT:")


def test_an_unknown_name_suggests_the_known_one(tmp_path: Path) -> None:
    """A typing error is answered with what was probably meant."""
    file = write(tmp_path, "outer:\n  inner:\n    prot: 9\n")
    (problem,) = problems_of(load_config(file, {}))
    assert ":3: outer.inner.prot: is not a setting" in problem
    assert "Did you mean 'port'?" in problem


def test_an_unknown_section_is_named(tmp_path: Path) -> None:
    """A top-level name that nobody reads is a mistake, not a comment."""
    config = load_config(write(tmp_path, "sevrer: {}\n"), {})
    (problem,) = config.unknown(("server", "log"))
    assert problem.setting == "sevrer"
    assert problem.remedy == "Did you mean 'server'?"


def test_a_secret_is_never_in_the_message(tmp_path: Path) -> None:
    """Even a wrongly typed secret stays out of the error."""
    file = write(tmp_path, "outer:\n  secret: [hunter2]\n")
    (problem,) = problems_of(load_config(file, {}))
    assert "outer.secret" in problem
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: [1\nb: 2\n", 2), ("a: 1\n b: 2\n", 2), ("- 1\n", None)],
)
def test_what_is_not_yaml_is_refused(
    tmp_path: Path, text: str, line: int | None
) -> None:
    """A broken file names the line, a file of another kind itself."""
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(file, {})
    where = caught.value.problems[0].where
    assert where == (f"{file}:{line}" if line else str(file))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nsecrets: [*topsecret]\n", 2),
        ("a: 1\nb: !topsecret x\n", 2),
        ("a: topsecret: 1\n", 1),
        ("a: 1\nb: 'topsecret\x01'\n", 2),
        ("a: 2026-99-99\n", 1),
        ("a: &topsecret [*topsecret]\n", 1),
    ],
)
def test_a_broken_file_is_not_quoted(
    tmp_path: Path, text: str, line: int
) -> None:
    """Whatever YAML says of it: the line is told, no word of the file."""
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(file, {})
    (problem,) = caught.value.problems
    assert problem.where == f"{file}:{line}"
    assert problem.what == "is not YAML"
    assert "topsecret" not in str(problem)


@pytest.mark.parametrize(
    ("text", "name", "lines"),
    [
        ("outer: {active: yes}\nouter: {active: no}\n", "outer", (1, 2)),
        ("outer:\n  secret: a\n\n  secret: b\n", "outer.secret", (2, 4)),
        ("list:\n- a: 1\n  b: 2\n  a: 3\n", "list.0.a", (2, 4)),
    ],
)
def test_a_name_that_stands_twice_is_refused(
    tmp_path: Path, text: str, name: str, lines: tuple[int, int]
) -> None:
    """YAML drops the first: a section, or a secret, would be gone."""
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(file, {})
    (problem,) = caught.value.problems
    first, last = lines
    assert problem.where == f"{file}:{last}"
    assert name in str(problem)
    assert f"first in {file}:{first}" in problem.what


def test_a_part_that_is_used_twice_stands_there_once(tmp_path: Path) -> None:
    """YAML's anchors are no repetition."""
    text = "outer: &o {inner: {port: 7}}\nother:\n  <<: *o\n  active: yes\n"
    config = load_config(write(tmp_path, text), {})
    assert config.read(Outer, "other").inner.port == 7


def test_two_parts_may_be_merged_in(tmp_path: Path) -> None:
    """YAML takes both: neither drops the other."""
    text = (
        "outer: &o {inner: {port: 7}}\nmore: &m {active: yes}\n"
        "other:\n  <<: *o\n  <<: *m\n"
    )
    found = load_config(write(tmp_path, text), {}).read(Outer, "other")
    assert found.active


@pytest.mark.parametrize("name", ["1", "2026-11-21", "1.5"])
def test_a_name_that_is_no_text_is_refused(tmp_path: Path, name: str) -> None:
    """YAML reads it as a number or a date: in quotes it is a name."""
    file = write(tmp_path, f"outer:\n  {name}: {{active: yes}}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(file, {})
    assert f"{file}:2: outer.{name}:" in str(caught.value)
    assert "quotes" in str(caught.value)


@pytest.mark.parametrize("text", ["[x]", "text", "7"])
def test_a_section_of_the_wrong_kind_is_refused(
    tmp_path: Path, text: str
) -> None:
    """A list or a text in the place of names does not pass silently."""
    config = load_config(write(tmp_path, f"outer: {text}\n"), {})
    (problem,) = problems_of(config)
    assert ":1: outer: must hold names and values" in problem
    with pytest.raises(ConfigError, match="outer: must hold names"):
        config.names("outer")


def test_a_wrong_item_names_the_variable_of_its_list(tmp_path: Path) -> None:
    """No variable sets one item: the list's own is named."""
    file = write(tmp_path, "outer:\n  inner:\n    names:\n      - [1]\n")
    (problem,) = problems_of(load_config(file, {}))
    assert ":4: outer.inner.names.0:" in problem
    assert problem.endswith("set SMOKEJUMPER_OUTER__INNER__NAMES.")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing file says how to point at another one."""
    with pytest.raises(ConfigError, match="SMOKEJUMPER_CONFIG"):
        load_config(tmp_path / "none.yaml", {})


@pytest.mark.parametrize("name", ["SMOKEJUMPER_A__B__", "SMOKEJUMPER_"])
def test_a_variable_that_leads_nowhere_is_named(
    tmp_path: Path, name: str
) -> None:
    """A variable of ours that means nothing stops start-up."""
    with pytest.raises(ConfigError, match=name):
        load_config(write(tmp_path, "a: {b: 1}\n"), {name: "1"})


def test_secrets_may_be_elsewhere(tmp_path: Path) -> None:
    """env: and file: are followed; a literal is itself."""
    file = tmp_path / "token"
    file.write_text("from-file\n")
    assert reveal(SecretStr(f"file:{file}"), {}) == "from-file"
    assert reveal(SecretStr("env:TOKEN"), {"TOKEN": "from-env"}) == "from-env"
    assert reveal(SecretStr("plain"), {}) == "plain"


@pytest.mark.parametrize("text", ["", "env:NONE", "file:/does/not/exist"])
def test_a_secret_that_is_not_there_is_refused(text: str) -> None:
    """An empty secret would let everybody in."""
    with pytest.raises(ValueError, match=r"empty|not set|cannot be read"):
        reveal(SecretStr(text), {})


def test_bytes_that_are_no_text_are_no_secret() -> None:
    """What Python makes of them fails only where they are compared."""
    environ = {"TOKEN": os.fsdecode(b"top\x80secret")}
    with pytest.raises(ValueError, match="TOKEN is not UTF-8") as caught:
        reveal(SecretStr("env:TOKEN"), environ)
    assert "top" not in str(caught.value)
