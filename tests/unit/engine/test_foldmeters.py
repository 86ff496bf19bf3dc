"""What folding tells Prometheus, from the first scrape on."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from app.engine.foldmeters import Meters


@pytest.mark.parametrize(
    "name",
    [
        "smokejumper_folded_alerts_total",
        "smokejumper_log_entries_total",
        "smokejumper_fold_seconds_count",
        "smokejumper_fold_failures_total",
        "smokejumper_fold_skipped_alerts_total",
        "smokejumper_fold_is_behind",
        "smokejumper_fold_waiting_alerts",
        "smokejumper_fold_last_turn_seconds",
    ],
)
def test_a_figure_is_there_before_anything_happened(name: str) -> None:
    """Zero, under the name that alert rules are written with."""
    registry = CollectorRegistry()
    Meters(registry)
    assert registry.get_sample_value(name) == 0.0
    assert f"\n{name} 0.0\n" in generate_latest(registry).decode()


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(0.001, "0.001"), (0.0011, "0.005"), (0.5, "0.5"), (5.0, "5.0")],
)
def test_a_turn_is_counted_in_its_bucket(seconds: float, bucket: str) -> None:
    """A bucket's edge belongs to it, what is beyond to the next."""
    registry = CollectorRegistry()
    Meters(registry).seconds.observe(seconds)
    edges = ("0.001", "0.005", "0.01", "0.05", "0.1", "0.5", "1.0", "5.0")
    name = "smokejumper_fold_seconds_bucket"
    counted = [
        edge
        for edge in edges
        if registry.get_sample_value(name, {"le": edge}) == 1.0
    ]
    assert counted[0] == bucket
