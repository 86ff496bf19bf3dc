"""Delete one pod, so that its controller starts it anew."""

from app.models.action import (
    ActionSpec,
    Budget,
    Check,
    Parameter,
    Risk,
    Run,
)
from app.models.origins import NAMESPACE_LABELS, POD_LABELS


def plugin(_env: object) -> ActionSpec:
    """Return what is declared of it."""
    return ActionSpec(
        name="restart_pod",
        purpose="Start one stateless Kubernetes pod anew.",
        when_to_use="A named pod of a stateless deployment is not ready,"
        " does not serve, crashes or leaks; namespace and pod are given.",
        when_not_to_use="Stateful sets, databases, storage, the control"
        " plane, images that cannot be pulled, anything above one pod.",
        parameters={
            "namespace": Parameter(
                purpose="the pod's namespace",
                shape="namespace",
                labels=NAMESPACE_LABELS,
            ),
            "pod": Parameter(
                purpose="the pod's name", shape="pod", labels=POD_LABELS
            ),
        },
        risk=Risk.DISRUPTIVE,
        run=Run(backend="kubernetes", job="restart-pod"),
        check=Check(name="pod_is_ready", hold_seconds=120),
        budget=Budget(runs=2, window_seconds=3_600),
    )
