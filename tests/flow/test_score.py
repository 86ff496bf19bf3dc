"""A score of a real service, read over its own API."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.picture import draw
from simulator.records import Fact
from simulator.results import Outcome, Result
from simulator.score import score
from simulator.score_reader import Reader
from simulator.scorecard import as_json
from tests.flow.acting import ActingService
from tests.flow.deciding import firing
from tests.flow.local_main import FOLDER

POLICY = """
rules: []
trust: {ladder: [], otherwise: auto}
budgets: []
blast: {siblings: 1000, targets: 1000}
"""
MEND = {
    "name": "mend_it",
    "purpose": "Mend it.",
    "when_to_use": "When it is broken.",
    "when_not_to_use": "When it is not.",
    "parameters": {
        "host": {
            "purpose": "the host",
            "shape": "host",
            "labels": ["instance"],
        }
    },
    "risk": "disruptive",
    "run": {"backend": "scripted", "job": "quick"},
    "check": {
        "name": "alert_is_over",
        "hold_seconds": 0,
        "within_seconds": 60,
        "every_seconds": 1,
    },
    "cooldown_seconds": 0,
}
RULES = {
    "rules": [
        {
            "name": f"rule {action}",
            "matchers": [f'alertname="{name}"'],
            "action": action,
            "reason": "It is what helps.",
        }
        for name, action in (("Runaway", "mend_it"), ("Odd", "escalate"))
    ]
}


class ScoredService(ActingService):
    """A service that mends by a script."""

    entry = ("-m", "tests.flow.local_main")

    def __init__(self, folder: Path) -> None:
        more = folder / "actions"
        more.mkdir()
        (more / "mend_it.yaml").write_text(yaml.safe_dump(MEND))
        rules = folder / "rules.yaml"
        rules.write_text(yaml.safe_dump(RULES))
        super().__init__(
            folder,
            act={"poll_seconds": 0.1, "collect_evidence": False},
            brains={"rules": {"file": str(rules)}},
            decide={
                "brain": "rules",
                "settle_seconds": 0,
                "rest_seconds": 0,
            },
        )
        (folder / "policy.yaml").write_text(POLICY)
        self._environ[FOLDER] = str(more)

    def tell(self, name: str, host: str, status: str = "firing") -> None:
        """Let an alert begin or end."""
        alert = firing(host, name + host, alertname=name, process="sim-cpu")
        if status == "resolved":
            ended = datetime.now(UTC).isoformat()
            alert |= {"status": status, "endsAt": ended}
        self.fire(alert)

    def wait_for_line(self, kind: str) -> dict[str, Any]:
        """Return the first line of the log of a kind."""
        self.wait_for(lambda: self.get("/log", kind=kind)["items"])
        return dict(self.get("/log", kind=kind)["items"][-1])


def fault(number: str, host: str, began: datetime, **more: Any) -> Fact:
    """Return a fault as the simulator tells it."""
    values = {
        "fault": "cpu",
        "level": 90,
        "unit": "%",
        "target": {"host": host, "process": "sim-cpu"},
        "expects": ["mend_it"],
        "began_at": began.isoformat(),
        **more,
    }
    return Fact.model_validate({"id": number, **values})


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ScoredService]:
    """Return a service that has mended one fault and escalated another."""
    with ScoredService(tmp_path_factory.mktemp("scored")) as running:
        running.tell("Runaway", "web-01")
        running.wait_for_line("job.ended")
        running.tell("Runaway", "web-01", "resolved")
        running.wait_for_line("verdict.given")
        running.tell("Odd", "web-02")
        running.wait_for_line("incident.escalated")
        yield running


@pytest.fixture(scope="module")
def found(service: ScoredService) -> list[Result]:
    """Return the score of a mended, an escalated and an unseen fault."""
    accepted = {
        one["incident_id"]: datetime.fromisoformat(one["received_at"])
        for one in service.get("/alerts")["items"]
        if one["status"] == "firing"
    }
    began = min(accepted.values())
    verdict = service.wait_for_line("verdict.given")
    facts = [
        fault(
            "mended",
            "web-01",
            began,
            ended_at=verdict["at"],
            ended_by="remedy",
        ),
        fault("handed-over", "web-02", began),
        fault("unseen", "web-03", began),
    ]
    with Reader(service.url) as reader:
        whole = score(facts, *reader.story(facts))
    assert whole.stray_actions == ()
    assert whole.unsure_alerts == ()
    told = as_json(whole)
    assert told["summary"]["fixed"] == 1
    assert told["summary"]["outcomes"] == {
        "fixed": 1,
        "missed": 1,
        "escalated": 1,
    }
    json.dumps(told)
    assert "mend_it" in str(told)
    assert draw(whole).startswith("<svg ")
    return list(whole.results)


def test_what_was_mended_is_read_as_fixed(
    service: ScoredService, found: list[Result]
) -> None:
    """Each figure is what the service's own rows say."""
    mended = found[0]
    assert mended.outcome is Outcome.FIXED
    assert mended.is_right_first
    assert mended.ruled == "allow"
    assert mended.alert == "Runaway"
    assert mended.detected_seconds == 0
    (job,) = service.get("/jobs")["items"]
    assert mended.incidents == (job["incident"],)
    assert mended.jobs == (f"{job['call']}, succeeded, fixed",)
    verdict = service.wait_for_line("verdict.given")
    began = mended.began_at
    fixed = datetime.fromisoformat(verdict["at"]) - began
    started = datetime.fromisoformat(job["started_at"]) - began
    assert mended.fixed_seconds == round(fixed.total_seconds(), 3)
    assert mended.acted_seconds == round(started.total_seconds(), 3)
    assert mended.resolved_seconds is not None
    assert mended.resolved_seconds <= mended.fixed_seconds


def test_what_was_handed_over_is_read_as_escalated(
    found: list[Result],
) -> None:
    """It was detected, nothing was done, and people have it."""
    handed = found[1]
    assert handed.outcome is Outcome.ESCALATED
    assert handed.first_action.startswith("escalate")
    assert not handed.is_right_first
    assert handed.acted_seconds is None
    assert handed.escalated_seconds is not None
    assert handed.resolved_seconds is None


def test_what_no_alert_told_of_is_missed(found: list[Result]) -> None:
    """The alerts of other hosts are not taken for it."""
    assert found[2].outcome is Outcome.MISSED
    assert found[2].incidents == ()


def test_the_same_job_is_wrong_where_nothing_was_wrong(
    service: ScoredService,
) -> None:
    """Against another truth, the same story is another score."""
    began = datetime.now(UTC)
    quiet = fault("quiet", "web-01", began, expects=["no_action"])
    first = quiet.model_copy(update={"began_at": service_began(service)})
    with Reader(service.url) as reader:
        whole = score([first], *reader.story([first]))
    (result,) = whole.results
    assert result.outcome is Outcome.WRONG_ACTION
    assert len(result.wrong_actions) == 1


def service_began(service: ScoredService) -> datetime:
    """Return when the first alert was accepted."""
    items = service.get("/alerts")["items"]
    return min(datetime.fromisoformat(one["received_at"]) for one in items)
