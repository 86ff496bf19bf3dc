"""Strays: a label that names a thing is no reason to act on it."""

import msgspec
import pytest

from app.decide.gate import strays
from app.decide.gate.dice import Dice
from app.decide.gate.lessons import ACTING, Lesson, parse
from app.decide.gate.strays import THINGS, add_stray, find_strays
from app.decide.gate.telling import tell, tell_all
from app.decide.gate.training import Teacher, to_examples
from app.decide.gate.weighing import open_gate
from tests.unit.decide.gate.school import (
    GROUNDER,
    KNOWLEDGE,
    case_of,
    few_lessons,
    menu_of,
)

THING = {"service": ("nginx",)}


def one(line: str) -> Lesson:
    """Return the lesson of a line."""
    return next(parse([line], "mine.txt"))


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every lesson that may have a stray have one."""
    monkeypatch.setattr(strays, "STRAYS", 1.0)


def told(line: str, things: tuple[strays.Labels, ...] = (THING,)) -> set[str]:
    """Return which labels a telling of a lesson has that name a thing."""
    lesson, dice = one(line), Dice(3)
    example = tell(lesson, 0, dice)
    strayed = add_stray(example.told, lesson, things, dice)
    return set(THINGS & strayed.labels.keys())


@pytest.mark.usefixtures("always")
def test_what_is_about_no_thing_names_one() -> None:
    """Its answer stays what it is: the name says what is wrong."""
    line = "escalate | - | certificate | warning | CertExpires | - | -"
    assert told(line) == {"service"}
    assert told(line, ({"pod": ("a-1",)},)) == {"pod"}


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    "line",
    [
        # Were its service named, that would be what is down.
        "escalate | - | service | error | SomethingIsDown | - | -",
        "collect_diagnostics | - | memory | warning | MemoryHigh | - | -",
    ],
)
def test_what_may_be_about_the_thing_names_none(line: str) -> None:
    """There a thing that is named might be what is wrong."""
    assert told(line) == set()


@pytest.mark.usefixtures("always")
def test_a_process_may_be_what_burns_the_processor() -> None:
    """So none is named where that is the problem; a service may be."""
    line = "collect_diagnostics | - | cpu | warning | CpuHigh | - | -"
    assert told(line, ({"process": ("chrome",)},)) == set()
    assert told(line) == {"service"}


@pytest.mark.usefixtures("always")
def test_what_a_lesson_names_itself_stays() -> None:
    """A stray takes the place of nothing."""
    line = "escalate | - | config | error | Drift | - | unit=sshd.service"
    assert told(line) == {"unit"}


def test_only_what_calls_for_no_action_gets_them() -> None:
    """And all else is told in the same words as without."""
    lessons = few_lessons()
    things = find_strays(lessons)
    assert {frozenset(labels) for labels in things} == {
        frozenset({"service"}),
        frozenset({"namespace", "pod"}),
    }
    plain = list(tell_all(lessons, 40, 7))
    strayed = list(tell_all(lessons, 40, 7, things))
    changed = 0
    for before, after in zip(plain, strayed, strict=True):
        if before == after:
            continue
        changed += 1
        assert before.action not in ACTING
        more = after.told.labels.items() - before.told.labels.items()
        assert {name for name, _ in more} <= THINGS
        same = msgspec.structs.replace(after.told, labels=before.told.labels)
        assert same == before.told
    assert changed > 10


def test_a_lesson_that_acts_counts_more_and_an_outcome_as_ever() -> None:
    """Strays must not talk the gate out of what is really broken."""
    teacher = Teacher(GROUNDER, KNOWLEDGE)
    seen = list(teacher.see_all(few_lessons(), 1))
    weights = dict(
        zip([s.action for s in seen], to_examples(seen).weights, strict=True)
    )
    assert weights["restart_service"] > weights["escalate"] == 1.0
    site = [msgspec.structs.replace(one, weight=3.0) for one in seen]
    assert set(to_examples(site).weights) == {3.0}


@pytest.mark.parametrize(
    "labels",
    [
        {"service": "apache2"},
        {"unit": "varnish.service"},
        {"process": "chromium"},
        {"container": "swagger-ui"},
        {"namespace": "shop", "pod": "ui-6f8c9d7b5-k2lmn"},
    ],
)
@pytest.mark.parametrize(
    "name",
    [
        "TlsCertificateExpiresInDays",
        "Intrusion detected",
        "RaidControllerBatteryFailed",
        "Licence ends next month",
        "Announcement",
    ],
)
def test_the_shipped_gate_acts_on_no_thing_only_because_it_is_named(
    name: str, labels: dict[str, str]
) -> None:
    """Whatever could be restarted or ended there."""
    case = case_of({"instance": "web-1", **labels}, name)
    weighed = open_gate().weigh(case, menu_of(case))
    assert weighed.options[0].action not in ACTING
