"""Follow one fault through the service's own API, step by step."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx

Row = dict[str, Any]
ASK_SECONDS = 10.0
PAUSE_SECONDS = 0.25
FAR_SECONDS = 90.0


class Missed(Exception):
    """A step that did not come in time; the text names it."""


class Step(NamedTuple):
    """One step of the story.

    Attributes:
        name: alert, decision, ruling, job or verdict.
        seconds: after the beginning of the fault.
        row: what the API says of it.
    """

    name: str
    seconds: float
    row: Row


class Follower:
    """Asks the service what became of a fault."""

    def __init__(self, url: str) -> None:
        """Take where the service is."""
        self._client = httpx.Client(base_url=url, timeout=ASK_SECONDS)
        self._begun = time.monotonic()
        self._after = self._newest("alerts")

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def begin(self) -> None:
        """Count from now, and only what comes from now on."""
        self._after = self._newest("alerts")
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """Return how long ago the fault began."""
        return time.monotonic() - self._begun

    def find_alert(self, labels: dict[str, str]) -> Step:
        """Return the newest alert that names the fault's target."""

        def look() -> Row | None:
            """Return it as soon as it is part of an incident."""
            query = {"after": str(self._after), "limit": "100"}
            found = [
                row
                for row in self._rows("alerts", query)
                if row["incident_id"] and names(row["labels"], labels)
            ]
            return found[0] if found else None

        return self._step("alert", look)

    def find_decision(self, incident: int) -> Step:
        """Return the first decision on an incident: the brain's."""

        def look() -> Row | None:
            """Return it as soon as it is there."""
            whole = self._get(f"incidents/{incident}")
            found = [d for d in whole["decisions"] if not d.get("shadow")]
            return found[-1] if found else None

        return self._step("decision", look)

    def detail(self, decision: Step) -> Row:
        """Return a decision with where each argument came from."""
        return self._get(f"decisions/{decision.row['id']}")

    def find_ruling(self, incident: int) -> Step:
        """Return what the guard said to it."""
        return self._first("ruling", "rulings", incident)

    def find_job(self, incident: int) -> Step:
        """Return the job that ran, once it has ended."""

        def look() -> Row | None:
            """Return it as soon as it has."""
            rows = self._rows("jobs", {"incident": str(incident)})
            done = [row for row in rows if row["ended_at"]]
            return self._get(f"jobs/{done[0]['id']}") if done else None

        return self._step("job", look)

    def find_verdict(self, job: int) -> Step:
        """Return the job again, once it is known whether it helped."""

        def look() -> Row | None:
            """Return it as soon as there is a verdict."""
            row = self._get(f"jobs/{job}")
            return row if row["verdict"] else None

        return self._step("verdict", look)

    def is_over(self, incident: int) -> bool:
        """Tell whether an incident is resolved, and nothing is done to it."""
        row = self._get(f"incidents/{incident}")
        mission = row["mission"] or {}
        return row["state"] == "resolved" and mission.get("stage") == "closed"

    def _first(self, name: str, path: str, incident: int) -> Step:
        """Return the first row of an incident in a list."""

        def look() -> Row | None:
            """Return it as soon as it is there."""
            rows = self._rows(path, {"incident": str(incident)})
            return self._get(f"{path}/{rows[-1]['id']}") if rows else None

        return self._step(name, look)

    def _step(self, name: str, look: Callable[[], Row | None]) -> Step:
        """Return a step as soon as it can be seen, or raise Missed."""
        deadline = time.monotonic() + FAR_SECONDS
        while time.monotonic() < deadline:
            row = look()
            if row is not None:
                return Step(name, self.seconds, row)
            time.sleep(PAUSE_SECONDS)
        raise Missed(f"no {name} within {FAR_SECONDS:.0f} s")

    def _newest(self, path: str) -> int:
        """Return the newest number of a list."""
        rows = self._rows(path, {"limit": "1"})
        return int(rows[0]["id"]) if rows else 0

    def _rows(self, path: str, query: dict[str, str]) -> list[Row]:
        """Return rows of a list."""
        answer = self._client.get(f"/api/v1/{path}", params=query)
        answer.raise_for_status()
        rows: list[Row] = answer.json()["items"]
        return rows

    def _get(self, path: str) -> Row:
        """Return one row."""
        answer = self._client.get(f"/api/v1/{path}")
        answer.raise_for_status()
        row: Row = answer.json()
        return row


def names(said: dict[str, str], labels: dict[str, str]) -> bool:
    """Tell whether an alert's labels name what a fault is on."""
    return all(said.get(key) == value for key, value in labels.items())
