"""Make rows, predictions and sets for the tests of the evaluation."""

import json
from pathlib import Path
from typing import Any

from scripts.evals.scoring import Item, Prediction, judge
from scripts.evals.truth import Right, Truth

CASES = Path(__file__).parents[2] / "evals" / "cases"
ESCALATE = Right("escalate", {"reason": "*"})


def row(
    expected: Right | None = ESCALATE,
    acceptable: tuple[Right, ...] = (),
    **more: Any,
) -> Truth:
    """Return a row of a set."""
    values = {"id": "r1", "payload": {}, **more}
    return Truth(expected=expected, acceptable=acceptable, **values)


def says(action: str, number: str = "r1", **arguments: Any) -> Prediction:
    """Return a prediction that a brain made."""
    return Prediction(id=number, action=action, arguments=arguments)


def judged(truth: Truth, said: Prediction | None) -> Item:
    """Return how a row was answered."""
    return judge(truth, said)


def restart(host: str = "web-1", service: str = "nginx") -> Right:
    """Return the label of a restart."""
    return Right("restart_service", {"host": host, "service": service})


def write_lines(file: Path, rows: list[Any]) -> Path:
    """Write JSON lines and return where."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(one) + "\n" for one in rows)
    file.write_text(text, encoding="utf-8")
    return file


def alert_row(number: int) -> dict[str, Any]:
    """Return a row as it stands in a file: a host whose load is high."""
    labels = {
        "alertname": f"LoadIsHigh{number}",
        "instance": f"calc-{number}:9100",
        "severity": "warning",
    }
    alert = {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": "many wait"},
        "startsAt": "2026-11-21T11:00:00Z",
    }
    host = {"host": f"calc-{number}", "topic": "cpu"}
    return {
        "id": f"load-{number}",
        "source": "alertmanager",
        "payload": {"version": "4", "status": "firing", "alerts": [alert]},
        "expected": {"action": "collect_diagnostics", "arguments": host},
        "accept_args": {"topic": ["*"]},
        "acceptable": [{"action": "escalate", "arguments": {"reason": "*"}}],
        "reason": "load of a host",
        "hostile": False,
    }
