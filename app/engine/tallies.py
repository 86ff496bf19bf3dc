"""Tallies: what the counters say at one moment, as a few numbers."""

from collections.abc import Callable, Mapping
from itertools import pairwise

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.samples import Sample

from app.models.canary import CANARY
from app.models.choice import Why

PREFIX = "smokejumper_"
BUCKET = "decide_seconds_bucket"
# Nothing was said by a brain in these.
SILENT = (Why.UNAVAILABLE.value, Why.BUDGET.value)
TOTALS = ("alerts", "decisions", "undecided", "tokens_in", "tokens_out")
# Gauges that are a series as they are.
LEVELS: Mapping[str, str] = {
    "decide_waiting": "deciding",
    "queue_deliveries": "queue",
    "fold_waiting_alerts": "unfolded",
    "stream_listeners": "listeners",
}


class Tallies(msgspec.Struct, frozen=True):
    """What was counted until one moment.

    Attributes:
        totals: what only grows, as long as the process lives.
        levels: what is so right now.
        buckets: how many decisions took at most so many seconds.
    """

    totals: dict[str, float]
    levels: dict[str, float]
    buckets: dict[float, float]


def read_tallies(registry: CollectorRegistry) -> Tallies:
    """Return what the counters of a registry say."""
    tallies = Tallies(dict.fromkeys(TOTALS, 0.0), {}, {})
    for metric in registry.collect():
        for sample in metric.samples:
            name = sample.name.removeprefix(PREFIX)
            if name in READERS:
                READERS[name](sample, tallies)
            elif name in LEVELS:
                tallies.levels[LEVELS[name]] = sample.value
    return tallies


def quantile(
    before: Mapping[float, float], after: Mapping[float, float], share: float
) -> float | None:
    """Return what a share of the values lies below, None without any.

    Args:
        before: how many lay below each bound at first.
        after: and how many at last: what came between counts.
        share: such as 0.95.
    """
    bounds = sorted(after)
    counts = [after[one] - before.get(one, 0.0) for one in bounds]
    if not counts or counts[-1] <= 0:
        return None
    wanted = counts[-1] * share
    steps = [(0.0, 0.0), *zip(bounds, counts, strict=True)]
    for (low, under), (high, until) in pairwise(steps):
        if until >= wanted:
            if high == float("inf"):
                # It is somewhere beyond the last bound: at least that.
                return low
            part = (wanted - under) / max(until - under, 1e-9)
            return low + (high - low) * part
    return None


def _add(name: str, sample: Sample, tallies: Tallies) -> None:
    """Count a sample."""
    tallies.totals[name] += sample.value


def _add_alerts(sample: Sample, tallies: Tallies) -> None:
    """Count alerts."""
    _add("alerts", sample, tallies)


def _add_decisions(sample: Sample, tallies: Tallies) -> None:
    """Count decisions; shadows and canaries are none."""
    labels = sample.labels
    if labels["shadow"] == "yes" or labels["brain"] == CANARY:
        return
    _add("decisions", sample, tallies)
    if labels["why"] in SILENT:
        _add("undecided", sample, tallies)


def _add_failures(sample: Sample, tallies: Tallies) -> None:
    """Count what could not be decided."""
    _add("undecided", sample, tallies)


def _add_tokens(sample: Sample, tallies: Tallies) -> None:
    """Count tokens, in and out."""
    _add(f"tokens_{sample.labels['direction']}", sample, tallies)


def _add_bucket(sample: Sample, tallies: Tallies) -> None:
    """Count how long decisions took, those of all brains together."""
    bound = float(sample.labels["le"])
    tallies.buckets[bound] = tallies.buckets.get(bound, 0.0) + sample.value


def _add_messages(sample: Sample, tallies: Tallies) -> None:
    """Count messages that wait to be sent."""
    if sample.labels["state"] == "waiting":
        tallies.levels["messages"] = sample.value


READERS: Mapping[str, Callable[[Sample, Tallies], None]] = {
    "alerts_accepted_total": _add_alerts,
    "alerts_repeated_total": _add_alerts,
    "decisions_total": _add_decisions,
    "decide_failures_total": _add_failures,
    "decide_tokens_total": _add_tokens,
    BUCKET: _add_bucket,
    "dispatches": _add_messages,
}
