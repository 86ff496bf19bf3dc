"""A service that acts with scripted jobs, and what is asked of it."""

from pathlib import Path
from typing import Any

import httpx

from tests.flow.deciding import DecidingService

JOBS = {
    "quick": {"steps": [{"says": "done, señor\n"}]},
    "slow": {"steps": [{"says": "begun\n"}], "seconds": 600},
}


class ActingService(DecidingService):
    """A service whose brain looks at hosts, by jobs of a script."""

    # How far everything is trusted.
    mode = "approve"

    def __init__(self, folder: Path, job: str = "quick", **more: Any) -> None:
        self.ledger = folder / "ledger.jsonl"
        run = {"collect_diagnostics": {"backend": "scripted", "job": job}}
        self.halt_file = folder / "HALT"
        policy = folder / "policy.yaml"
        # One problem on many hosts is what these tests make, and questions.
        policy.write_text(
            "blast: {siblings: 1000, targets: 1000}\n"
            f"trust: {{ladder: [], otherwise: {self.mode}}}\n"
        )
        settings = {
            "backends": {
                "scripted": {"ledger": str(self.ledger), "jobs": JOBS}
            },
            # What code looks at by itself is tested with the local hands.
            "act": {
                "poll_seconds": 0.1,
                "run": run,
                "collect_evidence": False,
            },
            "policy": {
                "file": str(policy),
                "halt_file": str(self.halt_file),
            },
            **more,
        }
        super().__init__(folder, settings)

    def ask_about(self, host: str) -> dict[str, Any]:
        """Let something be wrong with a host; return what people are asked."""
        made = self.decide_on(host)
        query = {"incident": made["incident"], "state": "asked"}
        self.wait_for(lambda: self.get("/approvals", **query)["items"])
        (found,) = self.get("/approvals", **query)["items"]
        return dict(found)

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """Return what the API answers to what somebody wants."""
        named = {
            name.replace("_", "-"): text for name, text in headers.items()
        }
        url = f"{self.url}/api/v1{path}"
        return httpx.post(url, json=body, headers=named, timeout=30)

    def answer(
        self, number: int, answer: str, author: str = "ana", **more: Any
    ) -> httpx.Response:
        """Answer a question."""
        body = {"author": author, **more}
        return self.post(f"/approvals/{number}/{answer}", body)

    def job_of(self, incident: int) -> dict[str, Any]:
        """Return the newest job of an incident as soon as there is one."""
        query = {"incident": incident}
        self.wait_for(lambda: self.get("/jobs", **query)["items"])
        return dict(self.get("/jobs", **query)["items"][0])

    def wait_for_job(self, incident: int, *states: str) -> dict[str, Any]:
        """Return the newest job of an incident in one of some states."""
        self.wait_for(lambda: self.job_of(incident)["state"] in states)
        return self.job_of(incident)

    def mission_of(self, incident: int) -> dict[str, Any]:
        """Return what is done about an incident, as soon as it is."""
        path = f"/incidents/{incident}"
        self.wait_for(lambda: self.get(path)["mission"])
        return dict(self.get(path)["mission"])

    def wait_for_stage(self, incident: int, *stages: str) -> dict[str, Any]:
        """Return the mission of an incident in one of some stages."""
        self.wait_for(lambda: self.mission_of(incident)["stage"] in stages)
        return self.mission_of(incident)

    def starts(self) -> int:
        """Return how many jobs were really started."""
        if not self.ledger.exists():
            return 0
        lines = self.ledger.read_text().splitlines()
        return sum('"what":"start"' in line for line in lines)


class ObservingService(ActingService):
    """A service that says what it would do, and does nothing."""

    mode = "observe"
