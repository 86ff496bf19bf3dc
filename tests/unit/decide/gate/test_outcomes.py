"""What people say is learned: actions only, and never what is unsafe."""

from itertools import count

import msgspec
import pytest

from app.decide.gate.lessons import ACTING, ACTIONS
from app.decide.gate.outcomes import Learnable, hold, read_outcomes
from app.decide.gate.training import LEAST, Teacher
from app.decide.gate.weighing import TrainedGate
from app.decide.gate.weights import Facts
from app.models.case import Case
from app.store.outcomes import Correction
from tests.unit.decide.gate.school import (
    GROUNDER,
    KNOWLEDGE,
    case_of,
    few_lessons,
    few_weights,
    menu_of,
)

WEB = case_of({"instance": "web-1", "service": "nginx"})
DATABASE = case_of({"instance": "db-1", "service": "mysqld"})
numbers = count(1)


def said(
    correct: str,
    case: Case = WEB,
    *,
    action: str = "escalate",
    author: str = "ana",
    about: str = "action",
    is_own: bool = True,
) -> Correction:
    """Return what somebody says about a decision."""
    return Correction(
        word=next(numbers),
        author=author,
        is_own=is_own,
        about=about,
        correct=correct,
        decision=1,
        action=action,
        casefile=msgspec.json.encode(case).decode(),
    )


def read(*some: Correction) -> Learnable:
    """Return what words teach."""
    return read_outcomes(some, GROUNDER, KNOWLEDGE)


def test_a_correction_wins_over_the_decision() -> None:
    """What is learned is what the person says is right."""
    found = read(said("restart_service", action="escalate"))
    assert [one.action for one in found.outcomes] == ["restart_service"]
    assert found.outcomes[0].case == WEB
    assert found.outcomes[0].ok == ("collect_diagnostics", "escalate")
    assert (found.confirmed, found.left_out) == (0, {})


def test_the_same_action_confirms_a_decision() -> None:
    """A person who names what was decided stands behind it."""
    found = read(said("escalate", action="escalate"))
    assert [one.action for one in found.outcomes] == ["escalate"]
    assert found.confirmed == 1


@pytest.mark.parametrize("about", ["", "action", "Decision", " action "])
@pytest.mark.parametrize(
    "word", ["escalate", " Escalate ", "ESCALATE", "escalate()"]
)
def test_a_word_may_be_written_in_any_way(about: str, word: str) -> None:
    """Case and blanks do not matter."""
    found = read(said(word, about=about))
    assert [one.action for one in found.outcomes] == ["escalate"]


@pytest.mark.parametrize(
    ("word", "why"),
    [
        (said("the switch"), "names no action"),
        (said(""), "names no action"),
        (said("reboot"), "names no action"),
        (said("escalate", about="target"), "names no action"),
        (said("escalate", about="severity"), "names no action"),
        (said("escalate", author="somebody"), "nobody is named"),
        (said("escalate", author="Anonymous"), "nobody is named"),
        (said("escalate", author=" "), "nobody is named"),
        (said("escalate", author="zabbix:ana", is_own=False), "nobody is na"),
        (said("restart_pod"), "not on the menu"),
        (said("restart_service", DATABASE), "holds state"),
        (
            said("free_memory", case_of({"instance": "kafka-2"})),
            "holds state",
        ),
        (
            msgspec.structs.replace(said("escalate"), casefile=""),
            "nothing was decided",
        ),
        (
            msgspec.structs.replace(said("escalate"), casefile="{}"),
            "another release",
        ),
        (
            msgspec.structs.replace(said("escalate"), casefile="no JSON"),
            "another release",
        ),
    ],
)
def test_what_is_not_learned_says_why(word: Correction, why: str) -> None:
    """Each is counted by its reason, and teaches nothing."""
    found = read(word)
    assert found.outcomes == ()
    assert list(found.left_out.values()) == [1]
    assert why in next(iter(found.left_out))


def test_of_two_words_on_one_case_the_later_counts() -> None:
    """Whoever said the first one."""
    found = read(said("restart_service"), said("no_action", author="ben"))
    assert [one.action for one in found.outcomes] == ["no_action"]


def test_a_storm_of_one_case_counts_once() -> None:
    """The incident's number and how long it goes on do not matter."""
    storm = [
        said(
            "no_action",
            msgspec.structs.replace(
                WEB, incident=number, repeats=number, age_seconds=number
            ),
        )
        for number in range(1, 50)
    ]
    assert len(read(*storm).outcomes) == 1
    other = said("no_action", case_of({"instance": "web-2"}))
    assert len(read(*storm, other).outcomes) == 2


def test_what_is_unreadable_hides_nothing_else() -> None:
    """The other words are learned."""
    found = read(said("reboot"), said("escalate"), said("", author=""))
    assert len(found.outcomes) == 1
    assert sum(found.left_out.values()) == 2


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_can_be_learned_or_refused(action: str) -> None:
    """There is an answer to each."""
    found = read(said(action))
    assert len(found.outcomes) + sum(found.left_out.values()) == 1


def facts(**thresholds: float) -> Facts:
    """Return facts with these thresholds."""
    return Facts(version="x", actions=(), topics=(), thresholds=thresholds)


def test_thresholds_of_a_site_are_never_lower() -> None:
    """Neither than the shipped ones, nor than the least there may be."""
    site = facts(kill_process=0.61, restart_pod=0.99, free_memory=0.1)
    shipped = facts(kill_process=0.93, restart_pod=0.95, free_memory=0.2)
    assert hold(site, shipped).thresholds == {
        "kill_process": 0.93,
        "restart_pod": 0.99,
        "free_memory": LEAST,
    }


def test_what_was_closed_stays_closed() -> None:
    """An action whose threshold nothing reaches, or that has none."""
    site = facts(kill_process=0.6, restart_pod=0.6)
    held = hold(site, facts(kill_process=1.02)).thresholds
    assert held["kill_process"] > 1
    assert held["restart_pod"] > 1


def test_many_who_say_so_do_not_open_a_vital_thing() -> None:
    """A hundred corrections that a database be restarted change nothing."""
    cases = [
        case_of({"instance": f"db-{number}", "service": "mysqld"})
        for number in range(100)
    ]
    learnable = read(*(said("restart_service", one) for one in cases))
    assert learnable.outcomes == ()
    weights = Teacher(GROUNDER, KNOWLEDGE).teach(
        few_lessons(), learnable.outcomes
    )
    weighed = TrainedGate(weights, KNOWLEDGE).weigh(
        DATABASE, menu_of(DATABASE)
    )
    assert weighed.options[0].action not in ACTING
    assert not weighed.allows


def test_one_correction_does_not_run_unasked() -> None:
    """What a class was not measured to be safe for is asked."""
    case = case_of(
        {"instance": "web-1", "service": "acme-bakery"}, "BakeryStale"
    )
    learnable = read(said("restart_service", case))
    assert len(learnable.outcomes) == 1
    taught = Teacher(GROUNDER, KNOWLEDGE).teach(
        few_lessons(), learnable.outcomes
    )
    shipped = msgspec.structs.replace(
        few_weights().facts, thresholds=dict.fromkeys(ACTING, 1.01)
    )
    held = msgspec.structs.replace(taught, facts=hold(taught.facts, shipped))
    weighed = TrainedGate(held, KNOWLEDGE).weigh(case, menu_of(case))
    assert not weighed.allows


def test_many_corrections_do_not_run_unasked() -> None:
    """However likely people made it: it was never measured to be safe."""
    cases = [
        case_of({"instance": f"web-{n}", "service": "nginx"}, "Stale")
        for n in range(200)
    ]
    learnable = read(*(said("restart_service", one) for one in cases))
    shipped = few_weights()
    taught = Teacher(GROUNDER, KNOWLEDGE).teach(
        few_lessons(), learnable.outcomes
    )
    held = msgspec.structs.replace(
        taught, facts=hold(taught.facts, shipped.facts)
    )
    case = case_of({"instance": "web-999", "service": "nginx"}, "Stale")
    menu = menu_of(case)
    first = TrainedGate(shipped, KNOWLEDGE).weigh(case, menu)
    assert not first.allows
    # Its threshold alone is no hindrance any more.
    assert TrainedGate(held, KNOWLEDGE).weigh(case, menu).allows
    weighed = TrainedGate(held, KNOWLEDGE, shipped).weigh(case, menu)
    assert weighed.options[0].action == "restart_service"
    assert not weighed.allows
    shares = {one.action: one.probability for one in first.options}
    assert weighed.backing == shares["restart_service"]
