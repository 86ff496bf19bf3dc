"""Two teams to whom the same happened, and tokens that see one of them."""

import re
from pathlib import Path
from typing import Any

import httpx

from app.access.secrets import digest_of
from app.models.account import Account, Nature, Role, Token
from app.store.accounts import add_account
from app.store.ledger import Ledger
from app.store.tokens import add_token
from tests.flow.acting import ActingService
from tests.flow.deciding import firing
from tests.flow.events import location_of
from tests.flow.telling import Pager

# In every text that is about the other team, and nowhere else.
CANARY = "zqcanary"
OURS, THEIRS = "web-ours", f"web-{CANARY}"
TEAMS = {OURS: "ours", THEIRS: f"{CANARY}-team"}
SECRETS = {role: f"sj_{role.value}-of-one-team" for role in Role}
# How a list calls what an address names by such a number.
LISTS = {
    "incident_id": "incidents",
    "entry_id": "log",
    "decision_id": "decisions",
    "mission_id": "missions",
    "ruling_id": "rulings",
    "job_id": "jobs",
    "approval_id": "approvals",
    "message_id": "messages",
    "dispatch_id": "dispatches",
    "alert_id": "alerts",
    "mute_id": "mutes",
}
Routes = dict[str, dict[str, Any]]


class Scene(ActingService):
    """A service with incidents of two teams, and tokens that see one."""

    def __init__(self, folder: Path, pager: Pager) -> None:
        super().__init__(
            folder,
            channels={"pager": pager.channel},
            access={"open": "always"},
        )
        self.numbers: dict[str, dict[str, int]] = {}

    def prepare(self) -> None:
        """Make the tokens, and let the same happen to both teams."""
        self._make_tokens()
        for host, team in TEAMS.items():
            self._befall(host, team)
        for host in TEAMS:
            self.numbers[host] = self._find(host)
        self.wait_for(lambda: self.ask("get", "/api/v1/me").status_code != 401)

    def _make_tokens(self) -> None:
        """Write one token of each role down; each sees one team."""
        ledger = Ledger(location_of(self), 10.0)
        with ledger.turn() as connection:
            for role, secret in SECRETS.items():
                account = Account(
                    name=f"robot-{role.value}",
                    nature=Nature.SERVICE.value,
                    role=role.value,
                    teams=(TEAMS[OURS],),
                )
                token = Token(
                    digest=digest_of(secret),
                    account_id=add_account(connection, account).id,
                    label="test",
                    role=role.value,
                    created_at=1,
                    created_by="test",
                )
                add_token(connection, token)
        ledger.close()

    def _befall(self, host: str, team: str) -> None:
        """Let something be wrong, be asked about, done, told and noted."""
        alert = firing(host, team=team)
        alert["annotations"] = {"summary": f"the disk of {host} is full"}
        self.fire(alert)
        query = {"target": f"host::{host}"}
        self.wait_for(lambda: self.decisions(**query))
        number = self.decisions(**query)[0]["incident"]
        asked = {"incident": number, "state": "asked"}
        self.wait_for(lambda: self.get("/approvals", **asked)["items"])
        question = self.get("/approvals", **asked)["items"][0]["id"]
        comment = f"go ahead with {host}"
        self.answer(question, "grant", comment=comment).raise_for_status()
        self.wait_for_job(number, "succeeded")
        self.wait_for_stage(number, "escalated")
        for what in ("notes", "corrections"):
            body = {"author": "ana", "text": f"about {host}"}
            path = f"/incidents/{number}/{what}"
            self.post(path, body).raise_for_status()
        mute = {
            "matchers": [f'{{team="{team}",target="{host}"}}'],
            "from": "2027-11-22T02:00:00Z",
            "until": "2027-11-22T04:00:00Z",
            "author": "ana",
            "comment": f"work on {host}",
        }
        self.post("/mutes", mute).raise_for_status()
        here = {"incident": number}
        self.wait_for(lambda: self.get("/dispatches", **here)["items"])

    def _find(self, host: str) -> dict[str, int]:
        """Return a number of each kind that is about a host."""
        target = {"target_name": host}
        number = self.get("/incidents", **target)["items"][0]["id"]
        found = {"incident_id": int(number)}
        for field, name in LISTS.items():
            if field == "incident_id":
                continue
            here = {} if name in ("alerts", "mutes") else {"incident": number}
            rows = self.get(f"/{name}", **here)["items"]
            mine = [one for one in rows if here or host in str(one)]
            found[field] = int(mine[-1]["id"])
        deliveries = self.get("/deliveries")["items"]
        found["delivery_id"] = int(deliveries[-1]["id"])
        return found

    def ask(
        self, method: str, path: str, role: Role = Role.VIEWER, **more: Any
    ) -> httpx.Response:
        """Return what one of the team is answered."""
        headers = {"authorization": f"Bearer {SECRETS[role]}"}
        headers |= more.pop("headers", {})
        return httpx.request(
            method, f"{self.url}{path}", headers=headers, timeout=60, **more
        )

    def check_unchanged(self, after: int) -> None:
        """Fail when one of the team did anything since an entry."""
        rows = self.get("/log", after=after, limit=500)["items"]
        assert [one for one in rows if "robot" in str(one)] == []

    def routes(self) -> Routes:
        """Return every route of the API, by its address."""
        whole = httpx.get(f"{self.url}/openapi.json", timeout=60).json()
        paths: Routes = whole["paths"]
        return {
            path: methods
            for path, methods in paths.items()
            if path.startswith("/api/v1/")
        }

    def fill(self, path: str, host: str) -> str:
        """Return an address with the numbers of what is about a host."""
        numbers = self.numbers[host]
        return re.sub(
            r"\{(\w+)\}", lambda found: str(numbers.get(found[1], 1)), path
        )
