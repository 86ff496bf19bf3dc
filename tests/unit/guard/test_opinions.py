"""What people say of what was only observed, as answers nobody asked for."""

from collections.abc import Iterable

import pytest

from app.guard.opinions import to_answers
from app.guard.trust import Standing, report
from app.models.opinion import Opinion

WHERE = ("restart_service", "production")


def say(correct: str = "restart_service", **more: object) -> Opinion:
    """Return what somebody says of a decision."""
    plain = {
        "decision": 1,
        "action": WHERE[0],
        "environment": WHERE[1],
        "arguments": {"host": "web-1", "signal": 9},
        "proposer": "cascade",
        "author": "ana",
        "correct": correct,
    }
    return Opinion(**{**plain, **more})  # type: ignore[arg-type]


def line_of(opinions: Iterable[Opinion]) -> Standing:
    """Return the one line that opinions come to."""
    (line,) = report(to_answers([WHERE], opinions), [])
    return line


def counted(*opinions: Opinion) -> tuple[int, int]:
    """Return how many decisions were judged, and how many were right."""
    line = line_of(opinions)
    return line.answers, line.agreed


@pytest.mark.parametrize(
    ("right", "agrees"),
    [
        ("restart_service", True),
        (" Restart_Service ", True),
        ("restart_service(host=web-1)", True),
        ('restart_service( signal = 9, host="web-1" )', True),
        ("restart_service()", True),
        ("restart_service(host=web-2)", False),
        ("restart_service(user=web-1)", False),
        ("restart_service(web-1)", False),
        ("restart", False),
        ("escalate", False),
        ("", False),
    ],
)
def test_only_the_very_action_agrees(right: str, *, agrees: bool) -> None:
    """Other arguments are another call, as an edited question is."""
    assert counted(say(right)) == (1, int(agrees))


def test_of_one_person_the_last_word_counts() -> None:
    """However the name is spelled."""
    assert counted(say(), say("escalate", author="ANA ")) == (1, 0)
    assert counted(say("escalate"), say(), say(author="Ana")) == (1, 1)


def test_one_who_disagrees_outweighs_all_others() -> None:
    """And whatever was said, each decision counts once."""
    three = [say(author=name) for name in ("ana", "ben", "cem")]
    assert counted(*three) == (1, 1)
    assert counted(*three, say("no_action", author="dia")) == (1, 0)
    assert counted(say("no_action", author="dia"), *three) == (1, 0)
    assert counted(*three, say(decision=2), say("x", decision=3)) == (3, 2)


@pytest.mark.parametrize("name", ["", " ", "Nobody", "anonymous"])
def test_nobody_s_word_does_not_count(name: str) -> None:
    """As nobody stands behind it; another one's does."""
    assert counted(say("escalate", author=name)) == (0, 0)
    assert counted(say("escalate", author=name), say()) == (1, 1)


def test_nobody_confirms_what_they_proposed() -> None:
    """As nobody grants it; that it was wrong after all, they may say."""
    mine = {"proposer": "person:Ana"}
    assert counted(say(**mine)) == (0, 0)
    assert counted(say("escalate", **mine)) == (1, 0)
    assert counted(say(author="ben", **mine)) == (1, 1)


def test_a_value_may_have_commas() -> None:
    """What stands between two names belongs to the first."""
    call = "restart_service(host=web-1, args=-a,b)"
    held = {"host": "web-1", "args": "-a,b"}
    assert counted(say(call, arguments=held)) == (1, 1)
    assert counted(say(call, arguments={**held, "args": "-a"})) == (1, 0)


def test_a_line_needs_nobody_who_says_something() -> None:
    """It says how people can: nobody asks them."""
    line = line_of([])
    assert (line.action, line.environment) == WHERE
    assert (line.mode, line.answers, line.agreed) == ("observe", 0, 0)
    assert (line.rate, line.earned) == (None, "")
    assert line.why.startswith("20 more answers are needed: confirm or ")
    assert "main.py correct N TEXT --about action --right ACTION" in line.why


def test_what_many_confirm_earns_the_next_step() -> None:
    """By the same figures as where people are asked."""
    many = [say(decision=number) for number in range(35)]
    line = line_of(many)
    assert (line.answers, line.agreed, line.earned) == (35, 35, "suggest")
    assert "main.py" not in line.why
    assert line_of(many[:19]).why.startswith("1 more answers are needed")
    wrong = [say("escalate", decision=number) for number in range(35, 40)]
    assert line_of([*many, *wrong]).earned == ""


def test_each_place_has_a_line_of_its_own() -> None:
    """Those of which nobody said anything, too."""
    kinds = [WHERE, ("free_memory", "")]
    other = say(decision=2, environment="staging")
    lines = report(to_answers(kinds, [say(), other]), [])
    assert [(one.action, one.environment, one.answers) for one in lines] == [
        ("free_memory", "", 0),
        ("restart_service", "production", 1),
        ("restart_service", "staging", 1),
    ]
