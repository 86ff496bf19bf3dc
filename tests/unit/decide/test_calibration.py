"""Calibrations: what a model's number means, and the file they are in."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.core.errors import ConfigError
from app.decide.calibration import (
    FEWEST,
    MOST_BYTES,
    MOST_KEPT,
    PLACE,
    Calibrations,
    keep,
    open_calibrations,
    read_calibrations,
)
from tests.calibrations import make_calibration

SHARES = st.floats(0, 1)


def written(home: Path, *entries: Any) -> Path:
    """Write entries as they are, right or wrong."""
    file = home / PLACE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.encode({"entries": list(entries)}))
    return file


@given(one=SHARES, other=SHARES)
def test_it_keeps_the_order_and_is_never_certain(
    one: float, other: float
) -> None:
    """What is surer stays surer; 0 and 1 are claims that nobody can keep."""
    known = make_calibration()
    low, high = (known.tell(raw) for raw in sorted((one, other)))
    assert 0 < low.confidence <= high.confidence < 1
    assert low.version == known.version


def test_a_number_by_hand() -> None:
    """At even odds only the shift counts."""
    known = make_calibration(slope=2.0, shift=0.0)
    assert known.tell(0.5).confidence == pytest.approx(0.5)
    assert known.tell(0.75).confidence == pytest.approx(0.9)


def test_only_the_model_that_was_measured_has_a_meaning() -> None:
    """Another brain, model or build has none; without a build any fits."""
    made = make_calibration(build="b1")
    known = Calibrations((made, make_calibration(brain="openai", model="x")))
    assert known.find("ollama", "llama3.2", "b1") == made
    assert known.find("ollama", "llama3.2", "b2") is None
    assert known.find("ollama", "llama3.2", "") is None
    assert known.find("ollama", "llama3.2:latest", "b1") is None
    assert known.find("openai", "llama3.2", "b1") is None
    assert known.find("openai", "x", "whatever") is not None


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    """A second fit of a model takes the place of the first, not of others."""
    file = tmp_path / PLACE
    other = make_calibration(brain="openai", model="x")
    keep(file, make_calibration())
    keep(file, other)
    fresh = make_calibration(slope=0.7)
    keep(file, fresh)
    found = open_calibrations(tmp_path)
    assert found.entries == (other, fresh)
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_without_a_file_nothing_is_known(tmp_path: Path) -> None:
    """That is no mistake."""
    with capture_logs() as said:
        assert open_calibrations(tmp_path) == Calibrations()
    assert said == []


def changed(**fields: Any) -> dict[str, Any]:
    """Return an entry with something changed and the version kept."""
    plain: dict[str, Any] = msgspec.to_builtins(make_calibration())
    return plain | fields


WRONG: dict[str, tuple[list[Any], str]] = {
    "changed by hand": ([changed(slope=3.0)], "changed by hand"),
    "no slope": (
        [msgspec.to_builtins(make_calibration(slope=0.0))],
        "right from wrong",
    ),
    "upside down": (
        [msgspec.to_builtins(make_calibration(slope=-1.0))],
        "right from wrong",
    ),
    "far off": (
        [msgspec.to_builtins(make_calibration(shift=1e300))],
        "right from wrong",
    ),
    "few": (
        [msgspec.to_builtins(make_calibration(cases=FEWEST - 1))],
        "49 cases",
    ),
    "unknown field": ([changed(extra=1)], "cannot be read"),
    "twice": ([changed(), changed()], "two calibrations"),
    "too many": (
        [
            msgspec.to_builtins(make_calibration(model=str(i)))
            for i in range(MOST_KEPT + 1)
        ],
        "more than 100",
    ),
}


@pytest.mark.parametrize("kind", list(WRONG))
def test_a_wrong_file_is_told_and_not_used(tmp_path: Path, kind: str) -> None:
    """The whole file: nobody knows what else in it is wrong."""
    entries, says = WRONG[kind]
    good = msgspec.to_builtins(make_calibration(brain="good"))
    file = written(tmp_path, good, *entries)
    before = file.read_bytes()
    with capture_logs() as said:
        assert open_calibrations(tmp_path) == Calibrations()
    (line,) = said
    assert line["log_level"] == "error"
    assert says in line["error"]
    assert str(file) in line["error"]
    # Nothing is written over what a person may want to look at.
    with pytest.raises(ConfigError, match=says):
        keep(file, make_calibration())
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"entries": [{"slope": NaN}]}',
        b"[" * 100_000,
        b" " * (MOST_BYTES + 1),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: bytes) -> None:
    """Empty, torn, deep or endless."""
    file = tmp_path / "calibrations.json"
    file.write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        read_calibrations(file)
    assert caught.value.problems[0].remedy


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    """Neither read nor written."""
    (tmp_path / PLACE).mkdir(parents=True)
    assert open_calibrations(tmp_path) == Calibrations()
    with pytest.raises(ConfigError, match="cannot be read"):
        keep(tmp_path / PLACE, make_calibration())


def test_no_bad_calibration_is_ever_written(tmp_path: Path) -> None:
    """What would be refused when read is refused when written."""
    file = tmp_path / PLACE
    with pytest.raises(ConfigError, match="right from wrong"):
        keep(file, make_calibration(slope=-0.5))
    assert not file.exists()


def test_the_version_stands_for_all_of_it(tmp_path: Path) -> None:
    """Other figures or another set: another version."""
    made = make_calibration()
    assert made.version == make_calibration().version
    for fields in ({"slope": 0.51}, {"origin": {"x": "y"}}, {"cases": 61}):
        assert make_calibration(**fields).version != made.version
    keep(tmp_path / PLACE, made)
    (entry,) = json.loads((tmp_path / PLACE).read_text())["entries"]
    assert entry["version"] == made.version
