"""Whose labels they are: those of an exporter are not the problem's."""

import pytest

from app.models.scraped import origin_of, own_labels
from app.models.target import TARGET_RULES, find_target

# What Prometheus adds where it asks the state metrics of a cluster ...
STATES = {
    "job": "kube-state-metrics",
    "instance": "10.244.2.19:8080",
    "namespace": "monitoring",
    "pod": "kube-state-metrics-6d8c9b7f5d-q2w8z",
    "service": "mon-kube-state-metrics",
    "container": "kube-state-metrics",
}
# ... and where it asks an exporter of each machine.
MACHINE = {
    "job": "node-exporter",
    "instance": "10.0.3.14:9100",
    "namespace": "monitoring",
    "pod": "mon-prometheus-node-exporter-x7k2p",
    "service": "mon-prometheus-node-exporter",
    "container": "node-exporter",
}


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ({**STATES, "exported_pod": "cart-1"}, "pod cart-1"),
        ({**STATES, "deployment": "cart"}, "workload cart"),
        ({**STATES, "node": "worker-3"}, "host worker-3"),
        ({**STATES, "pod": "cart-1", "namespace": "shop"}, "pod cart-1"),
        ({**MACHINE, "mountpoint": "/var/log"}, "host 10.0.3.14"),
        ({**MACHINE, "pod": "alloy-x7k2p"}, "host 10.0.3.14"),
        # The exporter of a database has a sidecar's labels: its pod's.
        (
            {
                "job": "mysqld-exporter",
                "namespace": "shop",
                "pod": "mysql-0",
                "container": "mysqld-exporter",
            },
            "pod mysql-0",
        ),
        # Whoever tells of itself means itself.
        (
            {
                "job": "checkout",
                "namespace": "shop",
                "pod": "checkout-6b9c7d-abcde",
                "service": "checkout",
            },
            "pod checkout-6b9c7d-abcde",
        ),
        (
            {
                "job": "pushgateway",
                "instance": "push-1:9091",
                "exported_instance": "batch-4",
            },
            "host batch-4",
        ),
    ],
)
def test_the_target_is_what_has_the_problem(
    labels: dict[str, str], text: str
) -> None:
    """Not who was asked about it."""
    own = own_labels(labels, "SomethingIsWrong")
    assert str(find_target(own, TARGET_RULES)) == text


def test_two_pods_that_one_exporter_tells_of_are_two() -> None:
    """In the namespaces that the metric says, not in the exporter's."""
    keys = set()
    for space in ("shop", "blog"):
        told = {**STATES, "exported_pod": "web-0", "exported_namespace": space}
        found = find_target(own_labels(told, "PodNotReady"), TARGET_RULES)
        assert found is not None
        keys.add(found.key)
    assert len(keys) == 2


def test_an_alert_that_is_named_after_an_exporter_is_about_it() -> None:
    """Then its pod and its service are the problem's own."""
    for name in ("NodeExporterDown", "node-exporter is gone"):
        assert own_labels(MACHINE, name) == MACHINE
    assert own_labels(STATES, "KubeStateMetricsListErrors") == STATES


def test_a_unit_outside_of_a_cluster_is_the_unit_that_failed() -> None:
    """There ``service`` is no object of a cluster."""
    unit = {
        "job": "node",
        "instance": "web-1:9100",
        "service": "node_exporter",
    }
    assert own_labels(unit, "ServiceDown") == unit


def test_what_says_it_is_named_as_it_is_written() -> None:
    """A proof names a label that people find in the alert."""
    told = {**STATES, "exported_pod": "cart-1", "exported_service": " "}
    assert origin_of("pod", told) == "exported_pod"
    assert origin_of("service", told) == "service"
    assert origin_of("namespace", told) == "namespace"
    own = own_labels(told, "PodNotReady")
    assert own["pod"] == "cart-1"
    assert "service" not in own
