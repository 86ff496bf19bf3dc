"""The lessons: every line is sound, and a wrong one names its place."""

from collections import Counter

import pytest

from app.decide.casing import make_case
from app.decide.gate.dice import Dice
from app.decide.gate.lessons import (
    ACTING,
    ACTIONS,
    SEVERITIES,
    Lesson,
    parse,
    read_lessons,
)
from app.decide.gate.telling import HOLE, _fillings, tell_all
from app.decide.gate.training import find_vital
from app.models.origins import TOPICS
from tests.unit.decide.gate.school import GROUNDER, KNOWLEDGE, menu_of

LESSONS = read_lessons()
FILES = sorted({lesson.file for lesson in LESSONS})
GOOD = "escalate | - | disk | warning error | A; B | text | host=a,b"
# So many acting tellings must find what they act on.
LEAST_GROUNDED = 0.9
# So many may contradict the rule about what holds state.
MOST_VITAL = 0.08


def of_file(file: str) -> list[Lesson]:
    """Return the lessons of a file."""
    return [lesson for lesson in LESSONS if lesson.file == file]


def test_there_are_lessons_of_every_action_topic_and_severity() -> None:
    """Nothing can be chosen that was never shown."""
    assert {lesson.action for lesson in LESSONS} == set(ACTIONS)
    assert {lesson.topic for lesson in LESSONS} == set(TOPICS)
    graded = {grade for lesson in LESSONS for grade in lesson.severities}
    assert graded == set(SEVERITIES)


@pytest.mark.parametrize("file", FILES)
def test_every_line_can_be_told(file: str) -> None:
    """Each lesson has a name, a severity and values for its labels."""
    for lesson in of_file(file):
        assert lesson.names, lesson
        assert lesson.severities, lesson
        assert all(lesson.labels.values()), lesson


@pytest.mark.parametrize("file", FILES)
def test_every_hole_of_a_text_is_filled(file: str) -> None:
    """A placeholder is a label of its lesson, or one that is always known."""
    known = {"host", *_fillings(Dice(1))}
    for lesson in of_file(file):
        # The host is taken out of the labels: {host} stands for it.
        named = lesson.labels.keys() - {"instance", "host"}
        for text in (*lesson.names, *lesson.texts):
            open_ones = set(HOLE.findall(text)) - known - named
            assert not open_ones, (file, lesson.names, open_ones)


@pytest.mark.parametrize("file", FILES)
def test_what_is_acceptable_is_never_bolder(file: str) -> None:
    """Acting lessons accept looking or handing over, and no other act."""
    for lesson in of_file(file):
        assert lesson.action not in lesson.ok, lesson
        assert len(set(lesson.ok)) == len(lesson.ok), lesson
        if lesson.action in ACTING:
            assert not ACTING & set(lesson.ok), lesson


def test_no_lesson_is_there_twice() -> None:
    """A copy would be held back and learned at once."""
    told = Counter(
        (lesson.names, lesson.texts, str(lesson.labels)) for lesson in LESSONS
    )
    assert [names for (names, _, _), n in told.items() if n > 1] == []


def test_acting_lessons_find_what_they_act_on() -> None:
    """Else they teach to escalate what their line says should be done."""
    acting = [lesson for lesson in LESSONS if lesson.action in ACTING]
    total: Counter[str] = Counter()
    grounded: Counter[str] = Counter()
    vital: Counter[str] = Counter()
    for example in tell_all(acting, 2, 3):
        if example.action not in ACTING:
            continue
        case = make_case(example.told, 0)
        menu = GROUNDER.menu(case)
        total[example.action] += 1
        grounded[example.action] += example.action in menu.names
        vital[example.action] += example.action in find_vital(
            case, menu, KNOWLEDGE
        )
    assert set(total) == ACTING
    for action in sorted(ACTING):
        assert grounded[action] >= LEAST_GROUNDED * total[action], action
    assert vital.total() <= MOST_VITAL * total.total(), vital


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("escalate | - | disk | warning | A | text", "6 columns, not 7"),
        (f"{GOOD} | more", "8 columns, not 7"),
        (GOOD.replace("escalate", "reboot"), "no action 'reboot'"),
        (GOOD.replace("| - |", "| reboot |"), "no action 'reboot'"),
        (GOOD.replace("disk", "discs"), "no topic 'discs'"),
        (GOOD.replace("error", "fatal"), "no severity 'fatal'"),
        (GOOD.replace("host=a,b", "host"), "'host' is not key=value"),
        (GOOD.replace("host=a,b", "=a"), "'=a' is not key=value"),
        (GOOD.replace("host=a,b", "host="), "'host=' is not key=value"),
    ],
)
def test_a_wrong_line_is_named(line: str, what: str) -> None:
    """The error says file, line and what is wrong."""
    with pytest.raises(ValueError, match=rf"^mine\.txt:3: .*{what}"):
        list(parse(["# heading", "", line], "mine.txt"))


def test_a_line_says_what_it_says() -> None:
    """Alternatives are parted; headings and blank lines are none."""
    found = list(parse(["# heading", "", GOOD], "mine.txt"))
    assert found == [
        Lesson(
            action="escalate",
            ok=(),
            topic="disk",
            severities=("warning", "error"),
            names=("A", "B"),
            texts=("text",),
            labels={"host": ("a", "b")},
            file="mine.txt",
        )
    ]


def test_a_site_can_be_told_like_a_lesson() -> None:
    """A menu of a telling always holds what hands over."""
    for example in tell_all(LESSONS[:50], 1, 1):
        assert "escalate" in menu_of(make_case(example.told, 0)).names
