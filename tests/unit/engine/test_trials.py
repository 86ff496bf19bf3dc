"""Trials: they cost, too, and end where a budget ends."""

import pytest

from app.core.errors import TooBusy
from app.decide.reins import DecideSettings
from app.engine.trials import Trials
from app.models.choice import Call, Decision
from app.store.decisions import Spent
from tests.fakes import FakeClock

NOTHING = Spent(0, 0, 0)
MINUTE = 60_000_000


def test_so_many_a_minute() -> None:
    """Then it is refused, and after a minute it may be tried again."""
    clock = FakeClock()
    trials = Trials(DecideSettings(calls_per_minute=3), clock)
    for _ in range(3):
        trials.admit(NOTHING)
    with pytest.raises(TooBusy, match="within a minute"):
        trials.admit(NOTHING)
    clock.advance(61)
    trials.admit(NOTHING)


def test_a_clock_that_is_set_back_refuses_nobody_for_long() -> None:
    """What was tried before is in the future then, and not of a minute."""
    clock = FakeClock()
    trials = Trials(DecideSettings(calls_per_minute=1), clock)
    trials.admit(NOTHING)
    clock.advance(-3_600)
    trials.admit(NOTHING)
    with pytest.raises(TooBusy, match="within a minute"):
        trials.admit(NOTHING)


def test_decisions_count_beside_them() -> None:
    """What the service spent is not there for trials."""
    trials = Trials(DecideSettings(calls_per_minute=3), FakeClock())
    with pytest.raises(TooBusy, match="within a minute"):
        trials.admit(Spent(0, 3, 0))


def test_tokens_are_counted_until_midnight() -> None:
    """Those of trials and of decisions together."""
    clock = FakeClock()
    trials = Trials(DecideSettings(tokens_per_day=100), clock)
    call = Call(brain="ollama", tokens_in=30, tokens_out=20)
    trials.admit(NOTHING)
    trials.add(Decision(action="escalate", calls=(call,)))
    trials.admit(Spent(0, 0, 49))
    with pytest.raises(TooBusy, match="tokens were used today"):
        trials.admit(Spent(0, 0, 50))
    clock.advance(86_400)
    trials.admit(Spent(0, 0, 50))


def test_an_incident_s_own_budget_is_not_touched() -> None:
    """A person may try what the service may not ask again."""
    Trials(DecideSettings(), FakeClock()).admit(Spent(99, 0, 0))
