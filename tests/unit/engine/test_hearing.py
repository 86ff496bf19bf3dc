"""That the alert is over: the log says what a running job was told of it."""

import pytest

from app.act.hands import Tame
from app.act.masking import Secrets
from tests.unit.engine.theatre import Theatre


def run_on(theatre: Theatre) -> None:
    """Let a job go on for a while after its alert is over."""
    theatre.decide(theatre.fire("web-01"), "mend")
    theatre.go()
    theatre.end("web-01")
    theatre.play(10)
    assert theatre.job().state == "started"


def succeed(theatre: Theatre) -> None:
    """Fail unless the job is watched to its end, whatever it heard."""
    theatre.robot.end_all()
    theatre.play(5)
    assert theatre.job().state == "succeeded"


def test_what_was_told_is_noted_once(theatre: Theatre) -> None:
    """After it was said."""
    run_on(theatre)
    assert theatre.robot.heard == [f"{theatre.job().key} alert_resolved"]
    assert theatre.job().told == "alert_resolved"
    (line,) = theatre.log("job.told")
    assert line.summary == "job 1 was told: alert_resolved"
    assert not theatre.log("job.not_told")
    succeed(theatre)


@pytest.mark.parametrize("has_ears", [True, False])
def test_nobody_is_told_where_nobody_listens(
    theatre: Theatre, *, has_ears: bool
) -> None:
    """The log does not claim it, and says so once; the job goes on."""
    theatre.robot.listens = False
    if not has_ears:
        deaf = Tame(theatre.robot, Secrets())
        vars(theatre.advancer._sending)["_backends"] = {"robot": deaf}
    run_on(theatre)
    assert not theatre.robot.heard
    assert not theatre.log("job.told")
    (line,) = theatre.log("job.not_told")
    says = "alert_resolved: nobody listens at robot"
    assert (line.summary, theatre.job().told) == (f"job 1: {says}", says)
    succeed(theatre)


def test_a_word_that_was_lost_is_not_told_as_heard(theatre: Theatre) -> None:
    """Nobody knows: that is what the log says, once."""
    theatre.robot.is_deafened = True
    run_on(theatre)
    assert not theatre.log("job.told")
    (line,) = theatre.log("job.not_told")
    assert "nobody knows whether it heard: the word was lost" in line.summary
    succeed(theatre)
