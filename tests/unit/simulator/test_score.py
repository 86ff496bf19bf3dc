"""What the score says of stories that are told, one line for each rule."""

from datetime import timedelta

import pytest

from simulator.joining import Limits
from simulator.results import Outcome
from tests.unit.simulator.telling import (
    LABELS,
    Told,
    at,
    fact,
    judge,
    one_of,
)


def test_a_fault_that_is_mended_is_fixed() -> None:
    """Every time since it began, and the word for it."""
    told = Told()
    told.mend(4)
    found = one_of(told)
    assert found.outcome is Outcome.FIXED
    assert found.is_right_first
    assert found.is_fixed
    assert (found.detected_seconds, found.decided_seconds) == (4, 4.5)
    assert (found.acted_seconds, found.fixed_seconds) == (5, 16)
    assert (found.resolved_seconds, found.ended_seconds) == (19, 14)
    assert (found.alert, found.incidents) == ("ProcessRunaway", (1,))
    assert (found.ruled, found.verdict) == ("allow", "fixed")
    assert found.wrong_actions == ()
    assert found.escalated_seconds is None


def test_without_an_alert_it_is_missed() -> None:
    """Nothing at all is no success where something was to be done."""
    found = one_of(Told())
    assert found.outcome is Outcome.MISSED
    assert found.is_missed
    assert not found.is_right_first
    assert found.detected_seconds is None


@pytest.mark.parametrize(
    ("seconds", "is_detected"),
    [(-1.5, False), (-1, True), (0, True), (74, True), (74.5, False)],
)
def test_an_alert_is_of_a_fault_in_its_time(
    seconds: float, is_detected: bool
) -> None:
    """From a second before it began to the grace after its end."""
    told = Told()
    told.alert(seconds)
    found = one_of(told)
    assert bool(found.alert) is is_detected
    assert found.is_missed is not is_detected


def test_the_grace_is_a_setting() -> None:
    """Slow monitoring is given more of it."""
    told = Told()
    told.alert(200)
    assert one_of(told).is_missed
    wide = Limits(grace=timedelta(seconds=300))
    assert not judge(told, limits=wide).results[0].is_missed


def test_what_is_over_before_is_not_ours() -> None:
    """An end that is told is no detection."""
    told = Told()
    told.alert(3, status="resolved")
    assert one_of(told).is_missed


@pytest.mark.parametrize(
    ("ended", "by", "outcome"),
    [
        (14, "remedy", Outcome.FIXED),
        (26, "remedy", Outcome.FIXED),  # seen a moment later
        (26.5, "remedy", Outcome.FALSE_FIXED),
        (120, "time", Outcome.FALSE_FIXED),
        (120, "person", Outcome.FALSE_FIXED),
        (120, "crash", Outcome.UNPROVEN),
        (15, "time", Outcome.OVER),
        (15, "crash", Outcome.OVER),
        (None, "", Outcome.FALSE_FIXED),
    ],
)
def test_fixed_is_held_against_the_truth(
    ended: float | None, by: str, outcome: Outcome
) -> None:
    """The verdict comes at 16 s; only what is known to be true counts."""
    told = Told()
    told.mend(4)
    found = one_of(told, fact(ended=ended, ended_by=by))
    assert found.outcome is outcome
    assert found.is_fixed is (outcome is Outcome.FIXED)
    assert found.is_false_fixed is (outcome is Outcome.FALSE_FIXED)
    assert found.verdict == "fixed"


def test_a_fault_that_just_was_said_to_be_fixed_is_unproven() -> None:
    """It may end yet: neither success nor a false word."""
    told = Told()
    told.mend(4)
    found = one_of(told, fact(ended=None), read=20)
    assert found.outcome is Outcome.UNPROVEN
    assert not found.is_fixed
    assert not found.is_false_fixed


def test_a_verdict_that_the_log_does_not_have_proves_nothing() -> None:
    """When it was given is not known."""
    told = Told()
    told.mend(4)
    told.lines.clear()
    found = one_of(told)
    assert found.outcome is Outcome.UNPROVEN
    assert found.fixed_seconds is None


def test_a_later_true_fix_does_not_make_the_first_one_true() -> None:
    """Both are told: it was fixed in the end, and said so too early."""
    told = Told()
    told.mend(4)
    told.run(60)
    told.give(75)
    found = one_of(told, fact(ended=70))
    assert found.outcome is Outcome.FALSE_FIXED
    assert found.is_false_fixed
    assert found.fixed_seconds == 75


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        ("not_fixed", Outcome.NOT_FIXED),
        ("unknown", Outcome.UNKNOWN),
        ("", Outcome.OVER),
    ],
)
def test_what_did_not_help_is_no_success(
    verdict: str, outcome: Outcome
) -> None:
    """The right action that does not help is right, and fixes nothing."""
    told = Told()
    told.alert(4)
    told.decide(4.5)
    told.run(5)
    told.give(20, verdict)
    found = one_of(told, fact(ended=120, ended_by="time"))
    assert found.outcome is outcome
    assert found.is_right_first
    assert not found.is_fixed


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("restart_service", {"host": "sim-cpu", "service": "shop"}),
        ("kill_process", {"host": "sim-cpu", "process": "sshd"}),
        ("kill_process", {"host": "web-01", "process": "sim-cpu"}),
    ],
)
def test_another_action_or_another_target_is_wrong(
    action: str, arguments: dict[str, str | int]
) -> None:
    """To end another process is no right action, even where it helped."""
    told = Told()
    told.alert(4)
    told.decide(4.5, action, arguments=arguments)
    told.run(5, action, arguments=arguments)
    told.give(16)
    found = one_of(told)
    assert found.outcome is Outcome.WRONG_ACTION
    assert not found.is_right_first
    assert len(found.wrong_actions) == 1
    assert action in found.wrong_actions[0]


def test_what_was_held_back_is_a_wrong_choice_only() -> None:
    """A job that never started has changed nothing."""
    told = Told()
    told.alert(4)
    told.decide(4.5, "restart_service", arguments={"service": "shop"})
    told.run(5, "restart_service", state="planned")
    told.jobs = [
        one.model_copy(update={"started_at": None}) for one in told.jobs
    ]
    found = one_of(told)
    assert found.outcome is Outcome.WRONG_CHOICE
    assert found.wrong_actions == ()
    assert found.acted_seconds is None


def test_a_job_of_which_nobody_knows_may_have_run() -> None:
    """It counts as one that changed something."""
    told = Told()
    told.alert(4)
    told.decide(4.5, "free_memory")
    told.run(5, "free_memory", state="unknown", verdict="unknown")
    assert one_of(told).outcome is Outcome.WRONG_ACTION


def test_shadows_code_and_people_do_not_choose_first() -> None:
    """The first action is that of the brain that decides."""
    told = Told()
    told.alert(4)
    told.decide(4.1, "free_memory", shadow=True)
    told.decide(4.2, "collect_diagnostics", brain="code:evidence")
    told.decide(4.3, "free_memory", brain="person:ana")
    assert one_of(told).first_action == ""
    told.decide(4.4)
    found = one_of(told)
    assert found.first_action == "kill_process(...)"
    assert found.decided_seconds == 4.4
    assert found.is_right_first


def test_people_get_what_nobody_may_do() -> None:
    """Escalated, and not fixed: neither good nor bad."""
    told = Told()
    told.alert(4)
    number = told.decide(4.5)
    told.line(9, "incident.escalated", decision=number, end="escalated")
    told.line(30, "incident.escalated", 2, decision=77, end="escalated")
    found = one_of(told)
    assert found.escalated_seconds == 9
    assert found.outcome is Outcome.ESCALATED


def test_an_escalation_without_any_decision_counts_too() -> None:
    """It is known by its incident, and none before the alert."""
    told = Told()
    told.line(1, "incident.escalated", end="escalated")
    told.alert(4)
    told.line(40, "incident.escalated", end="escalated")
    told.line(41, "incident.escalated", 2, end="escalated")
    assert one_of(told).escalated_seconds == 40


def test_an_alert_that_goes_on_is_not_resolved() -> None:
    """All fingerprints must have ended, and not begun again."""
    told = Told()
    told.mend(4)
    told.alert(6, name="CpuLoad", fingerprint="g")
    assert one_of(told).resolved_seconds is None
    told.alert(30, fingerprint="g", status="resolved")
    assert one_of(told).resolved_seconds == 30
    told.alert(40)
    assert one_of(told).resolved_seconds is None


@pytest.mark.parametrize("is_ours", [True, False])
def test_while_nothing_is_wrong_every_job_is_wrong(is_ours: bool) -> None:
    """Even one that only looks, whoever it is for."""
    told = Told()
    quiet = fact(expects=("no_action",), ended_by="time", ended=2)
    assert one_of(told, quiet).outcome is Outcome.LEFT_ALONE
    told.alert(1)
    told.run(3, "collect_diagnostics", 1 if is_ours else 7)
    found = judge(told, quiet)
    assert bool(found.stray_actions) is not is_ours
    assert bool(found.results[0].wrong_actions) is is_ours


@pytest.mark.parametrize(
    ("expects", "action", "is_right"),
    [
        ("escalate", "escalate", True),
        ("escalate", "no_action", True),
        ("escalate", "collect_diagnostics", True),
        ("escalate", "", True),
        ("escalate", "kill_process", False),
        ("no_action", "no_action", True),
        ("no_action", "", True),
        ("no_action", "escalate", False),
        ("no_action", "kill_process", False),
    ],
)
def test_what_is_only_to_be_seen_is_left_alone(
    expects: str, action: str, is_right: bool
) -> None:
    """Each way to change nothing is right; where nothing is wrong, one is."""
    told = Told()
    told.alert(4, name="HostPressure")
    if action:
        told.decide(5, action)
    found = one_of(told, fact(expects=(expects,), ended_by="time"))
    assert found.is_passive
    assert found.is_right_first is is_right
    assert (found.outcome is Outcome.LEFT_ALONE) is is_right


def test_what_should_be_seen_and_was_not_is_missed() -> None:
    """An observation without an alert; unless no_action is right, too."""
    seen = fact(expects=("escalate", "collect_diagnostics"))
    assert one_of(Told(), seen).outcome is Outcome.MISSED
    unseen = fact(expects=("no_action", "escalate"))
    assert one_of(Told(), unseen).outcome is Outcome.LEFT_ALONE


def test_an_alert_that_is_in_no_incident_is_a_detection() -> None:
    """It was accepted; nothing more is known of it."""
    told = Told()
    told.alert(4, None)
    found = one_of(told, fact(ended=None, ended_by=""))
    assert (found.detected_seconds, found.incidents) == (4, ())
    assert found.outcome is Outcome.OPEN


def test_an_alert_of_another_thing_is_of_nobody() -> None:
    """Same machine, another process, or an interface."""
    told = Told()
    told.alert(4, labels={**LABELS, "process": "sshd"})
    told.alert(5, labels={"host": "sim-cpu", "interface": "eth0"})
    told.alert(6, labels={"host": "web-01"})
    found = judge(told)
    assert found.results[0].is_missed
    assert found.unsure_alerts == ()


def test_the_order_of_what_is_told_does_not_matter() -> None:
    """Lists come newest first or oldest first."""
    told = Told()
    told.mend(4)
    told.decide(30, "escalate")
    told.alert(50, fingerprint="g")
    first = judge(told, fact(), fact(200, 220))
    for rows in (told.alerts, told.decisions, told.jobs, told.lines):
        rows.reverse()
    assert judge(told, fact(200, 220), fact()) == first
    assert first.read_at == at(600)
