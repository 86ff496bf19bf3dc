"""What the matchers of rules may ask for about a case."""

from collections.abc import Mapping

from app.models.case import Case
from app.models.inventory import Thing


def seen(case: Case, host: Thing | None = None) -> Mapping[str, str]:
    """Return the labels of a case with what we know under its own names.

    Free texts are not among them: who writes a text moves no rule.

    Args:
        case: the case.
        host: what the inventory knows of its host, where it knows it; what
            it says wins over a label of the same name.
    """
    ours = {
        "alertname": case.labels.get("alertname", case.name),
        "source": case.source,
        "status": case.status,
        "severity": case.severity,
        "target": case.target,
        "target_kind": case.target_kind,
        "problem": case.problem,
    }
    known = {}
    if host is not None:
        about = {
            "role": host.role,
            "environment": host.environment,
            "team": host.team,
        }
        known = {name: text for name, text in about.items() if text}
    return {**case.labels, **ours, **known}
