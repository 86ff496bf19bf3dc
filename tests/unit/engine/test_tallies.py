"""What the counters say, as a few numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge

from app.engine.decidemeters import Meters
from app.engine.tallies import quantile, read_tallies
from app.ingest.counters import Counters
from app.models.delivery import Receipt

BOUNDS = (0.1, 1.0, 10.0, float("inf"))


def buckets(*seconds: float) -> dict[float, float]:
    """Return how many of some values lie below each bound."""
    return {
        bound: float(sum(one <= bound for one in seconds)) for bound in BOUNDS
    }


def test_an_empty_registry_says_nothing() -> None:
    """Totals begin at zero, and there are no levels."""
    tallies = read_tallies(CollectorRegistry())
    assert set(tallies.totals.values()) == {0.0}
    assert tallies.levels == {}
    assert tallies.buckets == {}


def test_alerts_are_counted_over_all_sources() -> None:
    """New ones and those that were known."""
    registry = CollectorRegistry()
    counters = Counters(registry)
    counters.of("zabbix").took(Receipt(delivery=1, accepted=2, repeated=4), 0)
    counters.of("generic").took(Receipt(delivery=2, accepted=3), 0)
    assert read_tallies(registry).totals["alerts"] == 9


def test_shadows_and_canaries_are_no_decisions() -> None:
    """What has no effect, and what is synthetic, does not count."""
    registry = CollectorRegistry()
    decisions = Meters(registry).decisions
    decisions.labels("no_action", "chosen", "cascade", "no").inc(5)
    decisions.labels("no_action", "chosen", "cascade", "yes").inc(7)
    decisions.labels("no_action", "chosen", "canary", "no").inc(11)
    assert read_tallies(registry).totals["decisions"] == 5


@pytest.mark.parametrize("why", ["unavailable", "budget"])
def test_silence_of_brains_is_counted(why: str) -> None:
    """With what failed on the way."""
    registry = CollectorRegistry()
    meters = Meters(registry)
    meters.decisions.labels("escalate", why, "cascade", "no").inc()
    meters.failures.inc(2)
    tallies = read_tallies(registry)
    assert tallies.totals["undecided"] == 3
    assert tallies.totals["decisions"] == 1


def test_tokens_are_parted_by_direction() -> None:
    """What was read, and what was written."""
    registry = CollectorRegistry()
    meters = Meters(registry)
    meters.tokens.labels("openai", "in").inc(100)
    meters.tokens.labels("ollama", "in").inc(10)
    meters.tokens.labels("ollama", "out").inc(1)
    totals = read_tallies(registry).totals
    assert (totals["tokens_in"], totals["tokens_out"]) == (110, 1)


def test_levels_are_as_they_are() -> None:
    """Only the messages that wait are messages that wait."""
    registry = CollectorRegistry()
    queue = Gauge("smokejumper_queue_deliveries", "x", registry=registry)
    queue.set(12)
    sent = Gauge("smokejumper_dispatches", "x", ["state"], registry=registry)
    sent.labels("waiting").set(3)
    sent.labels("dead").set(40)
    Counter("smokejumper_of_no_interest", "x", registry=registry).inc()
    levels = read_tallies(registry).levels
    assert levels == {"queue": 12, "messages": 3}


def test_buckets_are_of_all_brains_together() -> None:
    """A decision is a decision, whoever made it."""
    registry = CollectorRegistry()
    seconds = Meters(registry).seconds
    seconds.labels("rules").observe(0.02)
    seconds.labels("openai").observe(3.0)
    found = read_tallies(registry).buckets
    assert found[0.05] == 1
    assert found[5.0] == 2


def test_nothing_happened_has_no_quantile() -> None:
    """It is unknown, and not zero."""
    assert quantile({}, {}, 0.5) is None
    assert quantile(buckets(0.5), buckets(0.5), 0.5) is None


def test_only_what_came_between_counts() -> None:
    """What was slow an hour ago does not make this minute slow."""
    before = buckets(5.0, 5.0, 5.0)
    after = buckets(5.0, 5.0, 5.0, 0.05, 0.05)
    found = quantile(before, after, 0.95)
    assert found is not None
    assert found <= 0.1


def test_beyond_the_last_bound_it_is_at_least_that() -> None:
    """Nobody knows how much longer it was."""
    assert quantile({}, buckets(50.0), 0.95) == 10.0


@given(
    st.lists(st.floats(0.0, 9.9), min_size=1, max_size=50),
    st.floats(0.01, 1.0),
)
def test_a_quantile_lies_in_the_bucket_of_its_value(
    seconds: list[float], share: float
) -> None:
    """However the values lie: the bound below and the bound above hold."""
    found = quantile({}, buckets(*seconds), share)
    assert found is not None
    wanted = len(seconds) * share
    exact = next(
        value
        for index, value in enumerate(sorted(seconds))
        if index + 1 >= wanted
    )
    above = next(bound for bound in BOUNDS if bound >= exact)
    below = max((b for b in BOUNDS if b < exact), default=0.0)
    assert below <= found <= above
