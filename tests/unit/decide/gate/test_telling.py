"""Tellings: the same seed, the same alerts; a twin is never acted on."""

import pytest

from app.decide.casing import make_case
from app.decide.gate import telling
from app.decide.gate.dice import Dice
from app.decide.gate.lessons import ACTING, Lesson, parse, read_lessons
from app.decide.gate.telling import HOLE, tell, tell_all
from app.decide.gate.training import find_vital
from app.decide.gate.twins import PLACES, make_vital
from tests.unit.decide.gate.school import GROUNDER, KNOWLEDGE, few_lessons

TIMES = 6
SOME = [lesson for lesson in read_lessons() if lesson.action in ACTING]
# Names of home-made things in a twin's other labels may be known otherwise.
MOST_MISSED = 0.05


def one(line: str) -> Lesson:
    """Return the lesson of a line."""
    return next(parse([line], "mine.txt"))


def test_the_same_seed_tells_the_same() -> None:
    """Weights can be made again out of what is in the repository."""
    first, again, other = (
        list(tell_all(few_lessons(), TIMES, seed)) for seed in (7, 7, 8)
    )
    assert first == again
    assert first != other
    assert len(first) == TIMES * len(few_lessons())


def test_one_lesson_is_told_in_many_ways() -> None:
    """Hosts, names, severities and styles of sources differ."""
    lesson = one(
        "collect_diagnostics | - | cpu | info warning | HighLoad; load is"
        " high | the load is {value} | -"
    )
    told = [tell(lesson, 0, Dice(seed)).told for seed in range(60)]
    assert {one.source for one in told} == {"alertmanager", "zabbix"}
    assert {one.severity for one in told} == {"info", "warning"}
    assert len({str(one.labels) for one in told}) > 40


def test_no_hole_stays_open() -> None:
    """What stands in braces is filled, in names as in texts."""
    for example in tell_all(read_lessons()[::7], 1, 5):
        texts = (example.told.name, *example.told.annotations.values())
        assert not any(HOLE.search(text) for text in texts), example


def test_what_is_told_can_be_a_case() -> None:
    """A severity of none is unknown in our scale, whatever the source."""
    lesson = one("no_action | - | general | none | Watchdog | - | -")
    for seed in range(20):
        case = make_case(tell(lesson, 0, Dice(seed)).told, 0)
        assert case.severity == "unknown"
        assert case.status == "firing"


def test_a_label_of_the_lesson_names_the_host() -> None:
    """Instance is a host, and no label besides."""
    lesson = one(
        "escalate | - | disk | error | Full; {host} is full | - |"
        " instance=db-03"
    )
    for seed in range(20):
        labels = tell(lesson, 0, Dice(seed)).told.labels
        host = labels.get("instance") or labels["host"]
        assert host.split(":")[0] == "db-03"


def test_twins_are_never_acted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """On what holds state the same words mean to hand over."""
    monkeypatch.setattr(telling, "TWINS", 1.0)
    seen = missed = 0
    for number, lesson in enumerate(SOME):
        example = tell(lesson, number, Dice(number))
        if example.action == lesson.action:
            continue  # nothing in it could be another thing
        seen += 1
        assert example.action == "escalate"
        assert example.ok == ("collect_diagnostics",)
        case = make_case(example.told, 0)
        menu = GROUNDER.menu(case)
        vital = find_vital(case, menu, KNOWLEDGE)
        missed += lesson.action in menu.names and lesson.action not in vital
    assert seen > 0.8 * len(SOME)
    assert missed <= MOST_MISSED * seen


@pytest.mark.parametrize("action", sorted(ACTING - {"free_memory"}))
def test_a_twin_differs_by_its_thing_alone(action: str) -> None:
    """The host stays, and so does every other label."""
    labels = {"team": "web", "namespace": "shop", "pod": "a-6f8c9d7b5-k2lmn"}
    if action in PLACES:
        labels[PLACES[action][0][0]] = "mine"
    host, changed = make_vital(action, "web-1", labels, Dice(4))
    assert host == "web-1"
    assert changed is not None
    assert changed != labels
    assert changed.keys() == labels.keys()
    assert changed["team"] == "web"


def test_what_names_no_thing_has_no_twin() -> None:
    """A lesson without a label to change is told as it is."""
    assert make_vital("restart_service", "web-1", {}, Dice(1)) == (
        "web-1",
        None,
    )


def test_dice_throw_the_same_again() -> None:
    """Picks, shares and orders follow from the seed alone."""

    def throws(seed: int) -> tuple[object, ...]:
        """Return some throws."""
        dice = Dice(seed)
        return (
            [dice.below(10) for _ in range(9)],
            dice.pick("abcdefgh"),
            dice.hits(0.5),
            dice.shuffled(range(9)),
        )

    assert throws(1) == throws(1)
    assert throws(1) != throws(2)
    assert sorted(Dice(3).shuffled(range(9))) == list(range(9))
    assert not Dice(1).hits(0.0)
    assert Dice(1).hits(1.0)
