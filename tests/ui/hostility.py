"""What hostile people write where they are let in, beside their alerts."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec

from app.access.gate import COOKIE
from tests.service import Service

PASSWORD = "a long sentence of the night"
# A lock that says who comes through our own pages, and not through another.
OURS = {"x-smokejumper": "1"}
MARKS = (
    "<img src=x onerror=window.pwned=1>",
    "<script>window.pwned=1</script>",
    "</script><svg onload=window.pwned=1>",
    "'\"><a href='javascript:window.pwned=1'>click</a>",
    "{{constructor.constructor('window.pwned=1')()}}",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "<link rel=stylesheet href=http://192.0.2.1/x.css>",
    "<base href=http://192.0.2.1/>",
    "javascript:window.pwned=1",
    "\u202egnp.exe\u202c admin\u2066approved\u2069",
    "a" * 3_000,
    "\x1b]0;owned\x07\x1b[31m",
)
# What fits where one line is asked for: nothing that cannot be printed.
LINES = MARKS[:9]
# As long and as strange as the name of an account may be.
STRANGE = f"a{'..--@@++__' * 6}.z"
# A policy whose rule has a hostile reason; what it says of it is to come.
POLICY = f"""blast: {{siblings: 1000, targets: 1000}}
trust: {{ladder: [], otherwise: approve}}
rules:
  - name: hostile
    reason: {json.dumps(MARKS[0])}
    risks: [observe]
    outcome: """


class Traces(msgspec.Struct, frozen=True):
    """What is left of them.

    Attributes:
        entry: the line of the log about one of their mutes.
        cookie: of the session of the strange account.
    """

    entry: int
    cookie: str


class Mallory:
    """Somebody who says such things wherever people may say anything."""

    def __init__(self, service: Service) -> None:
        """Take the service that lets everybody in."""
        self._client = httpx.Client(
            base_url=f"{service.url}/api/v1", headers=OURS, timeout=60
        )

    def leave_traces(self) -> Traces:
        """Do all of it; nothing is started any more after it."""
        self._mute()
        cookie = self._come_in()
        halt = {"author": MARKS[0], "reason": MARKS[1], "halted": True}
        self._ask("PUT", "/halt", halt)
        (entry,) = self._get("/log?kind=mute.ended&limit=1")["items"]
        self._client.close()
        return Traces(int(entry["id"]), cookie)

    def _mute(self) -> None:
        """Mute what nobody has, and end one of these."""
        now = datetime.now(UTC)
        for line in LINES:
            body = {
                "matchers": [f"instance={json.dumps(f'{line} not there')}"],
                "from": now.isoformat(),
                "until": (now + timedelta(hours=6)).isoformat(),
                "author": line,
                "comment": line,
            }
            self._ask("POST", "/mutes", body)
        why = {"author": MARKS[0], "comment": MARKS[0]}
        self._client.delete("/mutes/1", params=why).raise_for_status()

    def _come_in(self) -> str:
        """Make accounts and tokens; sign in with a strange browser."""
        teams = list(LINES)
        self._ask("POST", "/people", {"name": "mallory", "teams": teams})
        body = {"name": STRANGE, "role": "admin"}
        made = self._ask("POST", "/people", body)
        for line in LINES:
            order = {"account": made["account"]["id"], "label": line}
            self._ask("POST", "/tokens", order)
        answer = self._client.post(
            "/setup",
            json={
                "token": made["link"].split("token=")[1],
                "name": "",
                "password": PASSWORD,
            },
            headers={"user-agent": f"{MARKS[0]} {'a' * 500}"},
        ).raise_for_status()
        cookie = answer.cookies[COOKIE]
        # What else it asks for is nobody's.
        self._client.cookies.clear()
        return cookie

    def _ask(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Have something done."""
        answer = self._client.request(method, path, json=body)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()

    def _get(self, path: str) -> Any:
        """Return what the API answers."""
        return self._client.get(path).raise_for_status().json()
