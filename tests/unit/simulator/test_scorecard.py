"""The scorecard: its figures, its JSON, its table and its picture."""

import io
import json
import re
from xml.etree import ElementTree

import pytest
from rich.console import Console

from simulator.picture import MOST_ROWS, STRIP_LEFT, STRIP_RIGHT, draw
from simulator.results import Outcome, Score
from simulator.scorecard import as_json, as_table, figures, seconds, spread
from tests.unit.simulator.telling import Told, at, fact, judge

SVG = "{http://www.w3.org/2000/svg}"
NASTY = '<script>alert(1)</script> & "x" \' \x1b[31m\x00'
DISK = {"host": "sim-disk", "mountpoint": "/srv"}


def some() -> Score:
    """Return one that was fixed, one missed, one left alone, one wrong."""
    told = Told()
    told.mend(4)
    told.alert(201, 2, fingerprint="w", name="DiskFull", labels=DISK)
    told.decide(202, "restart_service", 2)
    told.run(203, "restart_service", 2)
    told.run(204, "restart_service", 9)
    return judge(
        told,
        fact(),
        fact(100, 110, id="missed"),
        fact(120, 130, id="quiet", fault="busy", expects=("no_action",)),
        fact(
            200,
            400,
            id="wrong",
            fault="disk",
            unit="% full",
            target=DISK,
            expects=("free_disk_space",),
            ended_by="time",
        ),
    )


def only(scenario: str) -> Score:
    """Return one fault of a scenario of some name."""
    told = Told()
    told.mend(4)
    return judge(told, fact(scenario=scenario, step="1-cpu"))


def printed(score: Score) -> str:
    """Return the table as it is printed."""
    text = io.StringIO()
    Console(file=text, width=200).print(as_table(score))
    return text.getvalue()


def test_the_figures_are_counted() -> None:
    """Each of them once; what need not be fixed is not in the share."""
    summary = as_json(some())["summary"]
    outcomes = summary.pop("outcomes")
    assert outcomes == {
        "wrong_action": 1,
        "fixed": 1,
        "left_alone": 1,
        "missed": 1,
    }
    assert summary == {
        "n": 4,
        "to_fix": 3,
        "detected": 2,
        "missed": 1,
        "right_first_action": 2,
        "wrong_actions": 2,
        "fixed": 1,
        "false_fixed": 0,
        "escalated": 0,
        "resolved": 1,
        "detection_seconds": {"n": 2, "median": 2.5, "p90": 4, "most": 4},
        "fixed_seconds": {"n": 1, "median": 16, "p90": 16, "most": 16},
    }
    told = {name: (value, mood) for name, value, mood in figures(some())}
    assert told["detected"] == ("2 of 3", "bad")
    assert told["fixed"] == ("1 of 3", "bad")
    assert told["wrong actions"] == ("2", "bad")
    assert told['false "fixed"'] == ("0", "good")
    assert told["median to fixed"] == ("16.0 s, p90 16.0 s", "")


def test_the_json_has_a_version_and_all_of_it() -> None:
    """By kind of fault, too, and each fault with its moments."""
    told = json.loads(json.dumps(as_json(some())))
    assert told["version"] == 1
    assert set(told["by_fault"]) == {"busy", "cpu", "disk"}
    assert told["by_fault"]["cpu"]["n"] == 2
    assert told["by_fault"]["cpu"]["fixed"] == 1
    assert [one["outcome"] for one in told["results"]] == [
        "fixed",
        "missed",
        "left_alone",
        "wrong_action",
    ]
    assert told["results"][0]["began_at"] == "2026-11-21T20:00:00Z"
    assert len(told["stray_actions"]) == 1
    assert told["read_at"] == "2026-11-21T20:10:00Z"


@pytest.mark.parametrize(
    ("values", "median", "p90", "most"),
    [
        ([], None, None, None),
        ([None], None, None, None),
        ([3.0, None], 3, 3, 3),
        ([1.0, 2.0], 1.5, 2, 2),
        ([float(n) for n in range(10, 0, -1)], 5.5, 9, 10),
        ([float(n) for n in range(1, 21)], 10.5, 18, 20),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(
    values: list[float | None],
    median: float | None,
    p90: float | None,
    most: float | None,
) -> None:
    """And what was never measured is no zero."""
    found = spread(values)
    assert found["n"] == len([one for one in values if one is not None])
    assert (found["median"], found["p90"], found["most"]) == (
        median,
        p90,
        most,
    )


def test_the_table_is_for_people() -> None:
    """A line for each fault, the figures, and what was wrong in words."""
    lines = printed(some()).splitlines()
    assert re.search(r"^cpu 90 %.* 4\.0 s .*yes .*16\.0 s .*fixed", lines[1])
    assert re.search(r"^disk 90 %.*restart_service.*no .*wrong", lines[4])
    text = "\n".join(lines)
    assert "right first action  2 of 4" in text
    assert "wrong: restart_service, succeeded (fault disk)" in text
    assert "wrong: restart_service, succeeded (for no fault)" in text


def test_a_false_fixed_is_no_time() -> None:
    """The table says that it was false."""
    told = Told()
    told.mend(4)
    score = judge(told, fact(ended=300, ended_by="time"))
    assert "false!" in printed(score)
    assert ('false "fixed"', "1", "bad") in figures(score)


def test_a_stranger_steers_neither_terminal_nor_page() -> None:
    """Names of strangers are text, in the table and in the picture."""
    score = only(NASTY)
    text = printed(score)
    assert "\x1b" not in text
    assert "\x00" not in text
    assert "<script>alert(1)</script>" in text
    root = ElementTree.fromstring(draw(score, title=NASTY))
    assert root.findall(f".//{SVG}script") == []
    shown = "".join(root.itertext())
    assert "<script>alert(1)</script>" in shown
    assert "\x1b" not in shown


def test_the_picture_is_one_that_can_be_read_by_all() -> None:
    """It has a title, its figures as words, and both colour schemes."""
    root = ElementTree.fromstring(draw(some()))
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Smokejumper: the scorecard"
    assert "detected: 2 of 3" in (root.findtext(f"{SVG}desc") or "")
    style = root.findtext(f"{SVG}style") or ""
    assert "prefers-color-scheme: dark" in style
    words = [one.text for one in root.findall(f"{SVG}text")]
    for word in ("fixed", "missed", "left alone", "wrong action"):
        assert word in words
    used = {one.get("class") for one in root.iter()}
    for kind in ("wait", "think", "act", "truth", "good", "bad"):
        assert kind in used
        assert f".{kind} {{" in style


def test_each_bar_is_where_its_time_is() -> None:
    """Noticed at 4 s, acted at 5 s, fixed at 16 s; the fault to 14 s."""
    root = ElementTree.fromstring(draw(only("")))
    bars = {
        one.get("class"): one
        for one in root.findall(f"{SVG}rect")
        if one.get("class") in {"wait", "think", "act", "truth"}
    }
    scale = (STRIP_RIGHT - STRIP_LEFT) / 20
    for kind, begin, end in (
        ("wait", 0, 4),
        ("think", 4, 5),
        ("act", 5, 16),
        ("truth", 0, 14),
    ):
        left = float(bars[kind].get("x") or 0)
        wide = float(bars[kind].get("width") or 0)
        assert left == pytest.approx(STRIP_LEFT + begin * scale, abs=0.1)
        assert wide == pytest.approx((end - begin) * scale, abs=0.1)


@pytest.mark.parametrize("ended", [None, 0.001, 14, 100_000])
def test_nothing_is_drawn_outside(ended: float | None) -> None:
    """However long a fault was, or whether it ended at all."""
    told = Told()
    told.alert(4)
    score = judge(told, fact(ended=ended, ended_by=""), fact(3, 9, id="b"))
    root = ElementTree.fromstring(draw(score))
    width, height = (float(root.get(one) or 0) for one in ("width", "height"))
    for box in root.findall(f"{SVG}rect"):
        x, y, wide, high = (
            float(box.get(one) or 0) for one in ("x", "y", "width", "height")
        )
        assert 0 <= x <= x + wide <= width
        assert 0 <= y <= y + high <= height


def test_many_faults_are_cut_and_none_is_no_error() -> None:
    """The picture says how many it left out."""
    many = [
        fact(n * 100, n * 100 + 5, id=str(n)) for n in range(MOST_ROWS + 3)
    ]
    score = judge(Told(), *many)
    text = draw(score)
    assert ">and 3 more<" in text
    assert text.count(">missed<") == MOST_ROWS
    empty = Score(read_at=at(0), results=())
    ElementTree.fromstring(draw(empty))
    assert as_json(empty)["summary"]["n"] == 0
    assert "detected" in printed(empty)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0, "0.0 s"), (4.25, "4.2 s"), (123.4, "123 s")],
)
def test_times_are_short(value: float | None, text: str) -> None:
    """Tenths of a second where they matter."""
    assert seconds(value) == text


def test_every_outcome_has_its_words_in_the_picture() -> None:
    """None of them is longer than its place."""
    score = some()
    for outcome in Outcome:
        one = score.results[0].model_copy(update={"outcome": outcome})
        text = draw(score.model_copy(update={"results": (one,)}))
        assert f">{outcome.replace('_', ' ')}<" in text
