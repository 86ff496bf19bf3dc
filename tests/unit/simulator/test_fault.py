"""Orders become plans, or are refused with their field."""

import pytest

from simulator.fault import Option, Order, Plan, Spec, make_plan
from simulator.problem import Refused

SPEC = Spec(
    name="cpu",
    purpose="It is for tests.",
    unit="%",
    least=1,
    most=100,
    default=90,
    seconds=120,
    expects=("kill_process",),
    options={
        "processes": Option("how many", 1, least=1, most=4),
        "shape": Option("which", "leak", choices=("leak", "step")),
    },
)


def test_what_is_left_out_is_the_default() -> None:
    """A kind alone is an order."""
    plan = make_plan(SPEC, Order("cpu"), 900)
    assert plan == Plan(90, 120, {"processes": 1, "shape": "leak"})
    assert (plan.number("processes"), plan.word("shape")) == (1, "leak")


def test_a_short_cap_shortens_the_default() -> None:
    """A default never passes a cap."""
    assert make_plan(SPEC, Order("cpu"), 30).seconds == 30


def test_words_may_stand_for_numbers() -> None:
    """A command line has only words."""
    order = Order("cpu", options={"processes": "3", "shape": "step"})
    plan = make_plan(SPEC, order, 900)
    assert plan.options == {"processes": 3, "shape": "step"}


@pytest.mark.parametrize(
    ("order", "field", "says"),
    [
        (Order("cpu", level=101), "level", "out of range"),
        (Order("cpu", level=0), "level", "out of range"),
        (Order("cpu", level=True), "level", "no whole number"),
        (Order("cpu", seconds=901), "seconds", "1 to 900"),
        (Order("cpu", seconds=0), "seconds", "out of range"),
        (Order("cpu", options={"speed": 1}), "options.speed", "no option"),
        (
            Order("cpu", options={"processes": 5}),
            "options.processes",
            "1 to 4",
        ),
        (
            Order("cpu", options={"processes": "1.5"}),
            "options.processes",
            "no whole number",
        ),
        (
            Order("cpu", options={"processes": "nan"}),
            "options.processes",
            "no whole number",
        ),
        (
            Order("cpu", options={"processes": float("inf")}),
            "options.processes",
            "no whole number",
        ),
        (
            Order("cpu", options={"shape": ["leak"]}),
            "options.shape",
            "leak, step",
        ),
    ],
)
def test_what_is_wrong_is_named(order: Order, field: str, says: str) -> None:
    """Each refusal names the field and what may stand there."""
    with pytest.raises(Refused, match=says) as caught:
        make_plan(SPEC, order, 900)
    assert caught.value.field == field
    assert caught.value.remedy


def test_a_kind_tells_about_itself() -> None:
    """A page can be made of it."""
    said = SPEC.as_json()
    assert said["kind"] == "cpu"
    assert (said["least"], said["most"], said["level"]) == (1, 100, 90)
    assert said["options"]["shape"]["choices"] == ["leak", "step"]
    assert said["expects"] == ["kill_process"]
