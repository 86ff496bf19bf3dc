"""Where a setting was written, and all that is wrong at once."""

from pathlib import Path

import pytest
from pydantic import BaseModel, Field, SecretStr

from app.core.configfile import (
    Config,
    Section,
    load_config,
    reveal,
    suggest,
    variable_name,
)
from app.core.errors import ConfigError

TEXT = """\
server:
  port: 1
  hosts:
    - a
    - b
log: {level: info, form: json}
empty:
"""


class Port(Section):
    """A section with something that must be there."""

    port: int = Field(ge=1)


class Level(Section):
    """A section with a choice."""

    level: str = Field("info", pattern="info|error")


def load(folder: Path, text: str = TEXT, **environ: str) -> Config:
    """Return the settings of a text."""
    file = folder / "s.yaml"
    file.write_text(text)
    return load_config(file, environ)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("server", ":1"),
        ("server.port", ":2"),
        ("server.hosts", ":3"),
        ("server.hosts.0", ":4"),
        ("server.hosts.1", ":5"),
        ("log.form", ":6"),
        ("empty", ":7"),
        # What is not there is dated to what is around it.
        ("server.prot", ":1"),
        ("server.hosts.7", ":3"),
        ("log.form.deep.down", ":6"),
        ("nowhere", ""),
        ("nowhere.at.all", ""),
    ],
)
def test_a_place_is_that_of_the_nearest_name(
    tmp_path: Path, path: str, line: str
) -> None:
    """The line of the name itself, else of what holds it, else the file."""
    found = load(tmp_path).origin(*path.split("."))
    assert found == f"{tmp_path}/s.yaml{line}"


@pytest.mark.parametrize(
    ("path", "is_of_variable"),
    [
        ("server.port", True),
        ("server", False),
        ("server.hosts", False),
        ("made.by.it", True),
        ("made", True),
        ("made.by", True),
    ],
)
def test_a_variable_is_the_place_of_what_it_set(
    tmp_path: Path, path: str, *, is_of_variable: bool
) -> None:
    """And of what is there only because of it; not of its neighbours."""
    config = load(
        tmp_path,
        SMOKEJUMPER_SERVER__PORT="2",
        SMOKEJUMPER_MADE__BY__IT="3",
    )
    found = config.origin(*path.split("."))
    assert found.startswith("variable ") is is_of_variable


def test_a_variable_replaces_the_places_below_it(tmp_path: Path) -> None:
    """A line that counts no more is not named for an item of the list."""
    config = load(tmp_path, SMOKEJUMPER_SERVER__HOSTS="[x]")
    assert config.origin("server", "hosts", "0").startswith("variable ")


def test_check_tells_all_sections_in_order(tmp_path: Path) -> None:
    """The first mistake does not hide the second; what is right is silent."""
    text = "log: {level: loud}\nserver: {prot: 5}\nfine: {level: error}\n"
    sections: dict[str, type[BaseModel]] = {
        "server": Port,
        "log": Level,
        "fine": Level,
        "absent": Level,
    }
    problems = load(tmp_path, text).check(sections)
    assert [(p.setting, p.where[-2:]) for p in problems] == [
        ("server.port", ":2"),
        ("server.prot", ":2"),
        ("log.level", ":1"),
    ]
    assert problems[0].remedy == "Add 'port'."
    assert problems[1].remedy == "Did you mean 'port'?"


def test_a_section_that_is_not_there_has_its_own_mistake(
    tmp_path: Path,
) -> None:
    """What must be set is missed also when nothing of it is written."""
    (problem,) = load(tmp_path, "").check({"server": Port})
    assert problem.setting == "server.port"
    assert problem.where == f"{tmp_path}/s.yaml"
    assert problem.what == "is missing"


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ((), ["server", "log", "empty"]),
        (("log",), ["level", "form"]),
        (("empty",), []),
        (("nowhere",), []),
        (("log", "form", "deep"), []),
    ],
)
def test_names_are_told_in_the_order_of_the_file(
    tmp_path: Path, path: tuple[str, ...], names: list[str]
) -> None:
    """Nothing below an empty or absent name."""
    assert load(tmp_path).names(*path) == names


@pytest.mark.parametrize("path", [("server", "port"), ("server", "hosts")])
def test_names_below_a_value_are_refused(
    tmp_path: Path, path: tuple[str, ...]
) -> None:
    """A number or a list has no names; the place is told."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path).names(*path)
    assert caught.value.problems[0].setting == ".".join(path)


@pytest.mark.parametrize(
    ("name", "known", "remedy"),
    [
        ("prot", ("port", "host"), "Did you mean 'port'?"),
        ("xyzzy", ("port", "host"), "Known here: host, port."),
        ("port", (), "Known here: nothing."),
        ("", ("port",), "Known here: port."),
    ],
)
def test_a_remedy_names_what_is_close_or_all(
    name: str, known: tuple[str, ...], remedy: str
) -> None:
    """Close enough is suggested; else there is a list in order."""
    assert suggest(name, known) == remedy


@pytest.mark.parametrize(
    ("path", "variable"),
    [
        (("server", "port"), "SMOKEJUMPER_SERVER__PORT"),
        (("sources", "my-am"), "SMOKEJUMPER_SOURCES__MY_AM"),
        (("sources", "a.b c"), "SMOKEJUMPER_SOURCES__A_B_C"),
        (("sources", "zürich"), "SMOKEJUMPER_SOURCES__Z_RICH"),
        (("a_b", "c1"), "SMOKEJUMPER_A_B__C1"),
    ],
)
def test_the_variable_of_a_path_finds_that_path(
    tmp_path: Path, path: tuple[str, str], variable: str
) -> None:
    """What we tell people to set does set it, in their spelling."""
    assert variable_name(path) == variable
    config = load(
        tmp_path, f"{path[0]}:\n  '{path[1]}': old\n", **{variable: "new"}
    )
    assert config.names(path[0]) == [path[1]]
    assert config.origin(*path) == f"variable {variable}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, two]", [1, "two"]),
        ("{a: 1}", {"a": 1}),
        ("[broken", "[broken"),
        ("yes", "yes"),
        ("007", "007"),
        ("", ""),
        ("a: b", "a: b"),
    ],
)
def test_a_variable_is_text_unless_it_is_a_list_or_a_map(
    tmp_path: Path, text: str, value: object
) -> None:
    """A secret such as 007 or yes is not turned into something else."""

    class Anything(Section):
        """A section that takes anything."""

        v: object = None

    config = load(tmp_path, "", SMOKEJUMPER_P__V=text)
    assert config.read(Anything, "p").v == value


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"s", "s"),
        (b"s\n", "s"),
        (b"s\r\n", "s"),
        (b" s \n", " s "),
        ("pä".encode(), "pä"),
    ],
)
def test_a_secret_file_loses_its_line_end_only(
    tmp_path: Path, content: bytes, secret: str
) -> None:
    """Spaces belong to the secret, as an editor's last line end does not."""
    file = tmp_path / "token"
    file.write_bytes(content)
    assert reveal(SecretStr(f"file:{file}"), {}) == secret


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"\xff\xfe", "not UTF-8")],
)
def test_a_secret_file_without_a_secret_is_refused(
    tmp_path: Path, content: bytes, why: str
) -> None:
    """It would let everybody in, or nobody."""
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=why):
        reveal(SecretStr(f"file:{file}"), {})
