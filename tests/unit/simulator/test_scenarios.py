"""Scenarios are read strictly: what is wrong is told with where and how."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.fault import Option, Spec
from simulator.problem import Refused, Unknown
from simulator.scenario import Scenario
from simulator.scenarios import Scenarios
from simulator.stage import Stage
from tests.unit.simulator.scene import settings_at

SPECS = tuple(
    Spec(
        name=name,
        purpose="Something.",
        unit="%",
        least=1,
        most=100,
        default=90,
        seconds=60,
        expects=("kill_process",),
        options={
            "shape": Option("which", "leak", choices=("leak", "step")),
            "nice": Option("how", 0, least=0, most=19),
        },
    )
    for name in ("cpu", "disk")
)
ONE = {"at": "0s", "fault": "cpu", "for": "60s"}
GOOD = {
    "name": "one",
    "purpose": "It shows\n  something.",
    "expects": ["kill_process"],
    "steps": [ONE],
}
Write = Callable[..., Scenario]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return what writes a file and reads it as a scenario."""

    def read(text: str | None = None, **fields: Any) -> Scenario:
        """Write a good file with other fields, or a text; read it."""
        tree = {**GOOD, **fields}
        kept = {key: value for key, value in tree.items() if value != "-"}
        text = yaml.safe_dump(kept) if text is None else text
        (tmp_path / "one.yaml").write_text(text)
        return Scenarios(SPECS, 900, tmp_path).find("one")

    return read


def test_a_file_is_a_scenario(write: Write) -> None:
    """Times are seconds; what is not said is the kind's own."""
    steps = [
        {"at": "500ms", "fault": "cpu", "for": "2m", "level": 40},
        {
            "at": "1.5s",
            "fault": "disk",
            "for": "15m",
            "options": {"nice": 3},
            "expects": "no_action",
        },
        {"at": "1m", "stop": "cpu"},
    ]
    found = write(steps=steps)
    assert found.purpose == "It shows something."
    assert found.seconds == 901.5
    first, second, third = found.steps
    assert first.order is not None
    assert second.order is not None
    assert (first.at, first.order.level, first.order.seconds) == (0.5, 40, 120)
    assert first.order.expects == ("kill_process",)
    assert (second.order.level, second.order.seconds) == (90, 900)
    assert second.order.options == {"nice": 3}
    assert second.order.expects == ("no_action",)
    assert (third.at, third.stop, third.order) == (60, "cpu", None)
    assert found.as_json()["steps"][2] == {"at": 60, "stop": "cpu"}


@pytest.mark.parametrize(
    ("fields", "where", "says"),
    [
        ({"name": "two"}, "name", "name: one"),
        ({"name": "-"}, "name", "name: one"),
        ({"purpose": "  "}, "purpose", "one line"),
        ({"purpose": 7}, "purpose", "one line"),
        ({"extra": 1}, "extra", "The fields are"),
        ({"expects": []}, "expects", "Write a list"),
        ({"expects": ["Kill it"]}, "expects", "Write a list"),
        ({"expects": "-"}, "expects", "Write a list"),
        ({"steps": []}, "steps", "1 to 50 steps"),
        ({"steps": {}}, "steps", "1 to 50 steps"),
        ({"steps": [ONE] * 51}, "steps", "1 to 50 steps"),
        ({"steps": ["cpu"]}, "steps.1", "as the scenarios"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(
    write: Write, fields: dict[str, Any], where: str, says: str
) -> None:
    """With the file, the field, and what to write instead."""
    with pytest.raises(Refused) as told:
        write(**fields)
    assert told.value.field == where
    assert told.value.detail.startswith("one.yaml: ")
    assert says in told.value.remedy


@pytest.mark.parametrize(
    ("step", "where", "says"),
    [
        ({"fault": "CPU"}, "fault", "Choose one of: cpu, disk"),
        ({"fault": "-"}, "fault", "Choose one of: cpu, disk"),
        ({"level": 101}, "level", "from 1 to 100"),
        ({"level": 0}, "level", "from 1 to 100"),
        ({"level": "much"}, "level", "from 1 to 100"),
        ({"seconds": 5}, "seconds", "The fields are"),
        ({"at": 5}, "at", "Write a number and a unit"),
        ({"at": "5"}, "at", "Write a number and a unit"),
        ({"at": "-5s"}, "at", "Write a number and a unit"),
        ({"at": "5 s"}, "at", "Write a number and a unit"),
        ({"at": "-"}, "at", "Write a number and a unit"),
        ({"for": "-"}, "for", "Write a number and a unit"),
        ({"for": "1.5s"}, "for", "whole seconds"),
        ({"for": "0s"}, "for", "whole seconds"),
        ({"for": "901s"}, "for", "most.seconds"),
        ({"options": {"rice": 1}}, "options.rice", "Its options are"),
        ({"options": {"nice": 20}}, "options.nice", "from 0 to 19"),
        ({"options": {"shape": "x"}}, "options.shape", "leak, step"),
        ({"options": [1]}, "options", "as the scenarios"),
        ({"expects": [7]}, "expects", "Write a list"),
        ({"stop": "cpu"}, "fault", "The fields are: at, stop"),
    ],
)
def test_what_is_wrong_with_a_step_is_told(
    write: Write, step: dict[str, Any], where: str, says: str
) -> None:
    """By its number; the first one is 1."""
    given = {k: v for k, v in {**ONE, **step}.items() if v != "-"}
    with pytest.raises(Refused) as told:
        write(steps=[{"at": "0s", "fault": "disk", "for": "1s"}, given])
    assert told.value.field == f"steps.2.{where}"
    assert says in told.value.remedy


@pytest.mark.parametrize(
    ("steps", "where"),
    [
        ([("5s", "cpu"), ("1s", "disk")], "steps.2.at"),
        ([("0s", "cpu"), ("60s", "cpu")], "steps.2.fault"),
        ([("0s", "cpu"), ("61s", "-cpu")], "steps.2.stop"),
        ([("0s", "-cpu")], "steps.1.stop"),
        ([("0s", "cpu"), ("3s", "-cpu"), ("4s", "-cpu")], "steps.3.stop"),
        ([("59m", "cpu"), ("3599s", "disk")], "steps"),
    ],
)
def test_what_cannot_happen_is_refused(
    write: Write, steps: list[tuple[str, str]], where: str
) -> None:
    """Steps in order, one fault of a kind at a time, an hour at most."""
    given = [
        {"at": at, "stop": kind[1:]}
        if kind.startswith("-")
        else {**ONE, "at": at, "fault": kind}
        for at, kind in steps
    ]
    with pytest.raises(Refused) as told:
        write(steps=given)
    assert told.value.field == where


def test_a_kind_may_begin_again_once_it_has_ended(write: Write) -> None:
    """By its time, or by a step."""
    steps = [
        ONE,
        {"at": "3s", "stop": "cpu"},
        {**ONE, "at": "3s"},
        {**ONE, "at": "63001ms"},
    ]
    assert len(write(steps=steps).steps) == 4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: one\nname: two\n", "line 1: 'name' is there twice"),
        ("name: [one\n", "line 2"),
        ("a: !!python/object:os.system x\n", "line 1"),
        ("- one\n", "no mapping"),
        ("", "no mapping"),
        ("x" * 70_000, "longer than 64 KiB"),
        ("[" * 1_500, "one.yaml"),
    ],
)
def test_what_is_no_yaml_of_ours_is_told(
    write: Write, text: str, says: str
) -> None:
    """With the line where there is one; nothing of it is run."""
    with pytest.raises(Refused, match=r"file: one\.yaml") as told:
        write(text)
    assert says in told.value.detail


@pytest.mark.parametrize("name", ["none", "../one", "one.yaml", "", "ONE"])
def test_an_unknown_name_says_what_there_is(
    write: Write, tmp_path: Path, name: str
) -> None:
    """No name leads out of the folder."""
    write()
    with pytest.raises(Unknown) as told:
        Scenarios(SPECS, 900, tmp_path).find(name)
    assert told.value.remedy == "Choose one of: one"


def test_a_wrong_one_does_not_hide_the_others(
    write: Write, tmp_path: Path
) -> None:
    """It is listed with what is wrong with it."""
    write()
    (tmp_path / "bad.yaml").write_text("name: bad\nsteps: 7\n")
    bad, good = Scenarios(SPECS, 900, tmp_path).as_json()
    assert (good["name"], good["problem"], good["seconds"]) == (
        "one",
        None,
        60,
    )
    assert bad["name"] == "bad"
    assert bad["problem"]["field"] == "purpose"


def test_those_that_are_there_can_be_played(home: Path) -> None:
    """With the kinds and the caps of a simulator as it is shipped."""
    stage = Stage(settings_at(home, most={"memory_mb": 1024, "disk_mb": 64}))
    most = stage.settings.most.seconds
    found = Scenarios(stage.specs(), most).as_json()
    assert {one["name"]: one["problem"] for one in found} == dict.fromkeys(
        [
            "disk-filled-by-one-log",
            "flapping",
            "leak-under-load",
            "noisy-neighbour",
            "nothing-wrong",
            "red-herring",
            "self-healing",
            "service-down-disk-full",
        ]
    )
    assert all(one["purpose"].endswith(".") for one in found)


def test_a_low_cap_is_told_for_the_scenario_that_needs_more(
    home: Path,
) -> None:
    """The others can be played."""
    stage = Stage(settings_at(home, most={"memory_mb": 32}))
    found = Scenarios(stage.specs(), 900).as_json()
    wrong = {one["name"]: one["problem"] for one in found if one["problem"]}
    assert set(wrong) == {"leak-under-load", "nothing-wrong"}
    assert wrong["leak-under-load"]["field"] == "steps.2.level"
    assert "caps are settings" in wrong["leak-under-load"]["remedy"]
