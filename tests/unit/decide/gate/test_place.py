"""Which weights are used: the site's when they fit, else the shipped."""

from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from app.core.errors import ConfigError
from app.decide.gate.place import (
    SITE,
    base_version,
    find_weights,
    open_site,
    site_file,
    stamp,
)
from app.decide.gate.weighing import SHIPPED, TrainedGate, open_gate
from app.decide.gate.weights import Facts, Weights, load, save
from tests.unit.decide.gate.school import (
    KNOWLEDGE,
    any_weights,
    case_of,
    few_weights,
    menu_of,
)


def put(home: Path, **changes: object) -> Path:
    """Write a site's weights, made by this release but for the changes."""
    given = few_weights()
    facts = msgspec.structs.replace(stamp(given.facts), **changes)
    save(Weights(facts, given.actions, given.topics), site_file(home))
    return site_file(home)


def find(home: Path) -> tuple[Path, list[str], str]:
    """Return what is used, what the log calls that, and why."""
    with capture_logs() as lines:
        path = find_weights(home)
    levels = [f"{line['event']} {line['log_level']}" for line in lines]
    return path, levels, str(lines[0].get("error", ""))


def test_without_a_site_s_file_the_shipped_are_used(tmp_path: Path) -> None:
    """The log says so, and nothing is written."""
    path, levels, _ = find(tmp_path)
    assert path == SHIPPED
    assert levels == ["reflex.weights_chosen info"]
    assert list(tmp_path.iterdir()) == []


def test_a_site_s_file_is_used(tmp_path: Path) -> None:
    """The log says which it is."""
    mine = put(tmp_path)
    with capture_logs() as lines:
        assert find_weights(tmp_path) == mine == tmp_path / SITE
    assert lines[0]["which"] == "site"
    assert lines[0]["version"] == open_gate(mine).version
    assert open_gate(mine).version.startswith(f"{base_version()}+")


def test_a_site_s_file_makes_nothing_run_unasked(tmp_path: Path) -> None:
    """What the shipped weights would ask about is asked."""
    wild = any_weights(1, wants="restart_service")
    facts = msgspec.structs.replace(
        wild.facts, thresholds={"restart_service": 0.6}
    )
    path = site_file(tmp_path)
    save(Weights(facts, wild.actions, wild.topics), path)
    case = case_of({"instance": "web-1", "service": "acme-api"}, "CertEnds")
    menu = menu_of(case)
    assert TrainedGate(load(path), KNOWLEDGE).weigh(case, menu).allows
    weighed = open_gate(path).weigh(case, menu)
    assert weighed.options[0].action == "restart_service"
    assert not weighed.allows
    # What was measured to be safe runs as before.
    facts = msgspec.structs.replace(facts, thresholds={"kill_process": 0.6})
    eager = any_weights(1, wants="kill_process")
    save(Weights(facts, eager.actions, eager.topics), path)
    known = case_of(
        {"instance": "web-1", "process": "chrome"}, "ProcessRunaway"
    )
    for gate in (open_gate(), open_gate(path)):
        assert gate.weigh(known, menu_of(known)).allows == {"kill_process"}


def test_where_nobody_can_look_the_shipped_are_used(tmp_path: Path) -> None:
    """Not each decision fails; what is wrong is said."""
    path, levels, error = find(tmp_path / ("x" * 300))
    assert path == SHIPPED
    assert levels == ["reflex.weights_refused error"]
    assert "cannot be read" in error


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": "0123456789ab+cd"}, "another release"),
        ({"version": ""}, "another release"),
        ({"topics": ("x",) * 21}, "other actions or topics"),
        ({"actions": tuple("abcdefghi")}, "other actions or topics"),
    ],
)
def test_what_was_made_for_something_else_is_refused(
    tmp_path: Path, changes: dict[str, object], why: str
) -> None:
    """It says so loudly, with the remedy, and the shipped ones are used."""
    mine = put(tmp_path, **changes)
    path, levels, error = find(tmp_path)
    assert path == SHIPPED
    assert levels == ["reflex.weights_refused error"]
    assert why in error
    assert str(mine) in error
    assert "main.py reflex train" in error
    with pytest.raises(ConfigError, match=why):
        open_site(mine)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no", b"text"])
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """It is no reason not to start."""
    mine = put(tmp_path)
    mine.write_bytes(content)
    path, levels, error = find(tmp_path)
    assert path == SHIPPED
    assert levels == ["reflex.weights_refused error"]
    assert "cannot be read" in error


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    """Whatever lies there, the service starts."""
    site_file(tmp_path).mkdir(parents=True)
    path, levels, _ = find(tmp_path)
    assert path == SHIPPED
    assert levels == ["reflex.weights_refused error"]


def test_a_site_s_version_names_the_release_and_itself() -> None:
    """Two sites of one release have one beginning and two ends."""
    facts = Facts(version="a", actions=(), topics=(), thresholds={})
    other = msgspec.structs.replace(facts, version="b")
    one, two = stamp(facts).version, stamp(other).version
    assert one.split("+")[0] == two.split("+")[0] == base_version()
    assert (one.split("+")[1], two.split("+")[1]) == ("a", "b")
