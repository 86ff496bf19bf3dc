"""A Rundeck as its API is written down, with jobs that go wrong as told.

    python -m tests.rundeck PORT LEDGER

Each job is called what it does, and its id is made of that: job_id("lose").

    later      runs until it was asked for twice
    endless    runs until it is aborted, which takes a while
    lose, hang, error, garbage   starts, and answers so
    refuse, busy, forbidden, missing   400, 409, 403, 404: nothing is started
    drop       starts without the options that it was sent
    lie        says that it succeeded, and did nothing
    retry      fails once; Rundeck itself starts it again
    failing, late, custom, elsewhere   ends so
    foreign    answers as another job's execution
    strange    says a status that nobody knows, and goes on
    long       writes more than fits into one look
    flood      its output never ends
    silent     its output cannot be read
    looking    writes evidence
    shouting   names its node in capitals
    crowd      runs on one node more
    unwatched  nobody answers the first two who ask how it goes
    unfound    nobody answers who looks for it, once it was started
    unended    the first request to abort it is lost, and nobody answers
"""

import json
import re
import shlex
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from tests.machines import TOKEN, Door, Machine, serve

PROJECT = "ops"
MODES = (
    "later", "endless", "lose", "hang", "error", "garbage", "refuse", "busy",
    "forbidden", "missing", "drop", "lie", "retry", "failing", "late",
    "custom", "elsewhere", "foreign", "strange", "long", "flood", "silent",
    "looking", "shouting", "crowd", "unwatched", "unfound", "unended",
)  # fmt: skip
ENDS = {"failing": "failed", "late": "timedout", "custom": "other"}
POLLS = 2
KEY = "smokejumper_key"
NEWEST = 59
LONG_LINES = 12_000
SEEN = (
    "# evidence: memory on web-01 at noon",
    "## what stands out",
    "- memory 97 %",
    "",
    "## free",
    "Mem: 97 % used",
)
LINE_BYTES = 7
REFUSALS = {
    "refuse": (400, "api.error.job.options-invalid"),
    "busy": (409, "api.error.execution.conflict"),
    "forbidden": (403, "api.error.item.unauthorized"),
    "missing": (404, "api.error.item.doesnotexist"),
}


def job_id(mode: str) -> str:
    """Return the UUID of the job that does so."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, mode))


def nodes_of(mode: str, told: dict[str, Any]) -> list[str]:
    """Return the nodes that a job runs on, by their names in Rundeck."""
    attribute, _, value = told.get("filter", "").partition(": ")
    host = told["options"].get("host", "web-01")
    name = {"name": value, "hostname": "node-17"}.get(attribute, host)
    odd = {"elsewhere": ["db-01"], "crowd": [name, "db-01"]}
    odd["shouting"] = [name.upper()]
    return odd.get(mode, [name])


BY_ID = {job_id(mode): mode for mode in MODES}


class Rundeck(Door):
    """The API; the version is the first part of a path."""

    routes: ClassVar = (
        ("POST", r"/api/\d+/job/([^/]+)/(?:run|executions)", "run"),
        ("GET", r"/api/\d+/execution/(\d+)", "show"),
        ("GET", r"/api/\d+/execution/(\d+)/output", "output"),
        ("POST", r"/api/\d+/execution/(\d+)/abort", "abort"),
        ("GET", rf"/api/\d+/project/{PROJECT}/executions", "listing"),
        ("GET", rf"/api/\d+/project/{PROJECT}/executions/running", "running"),
        ("GET", r"/api/\d+/system/executions/status", "mode"),
    )
    polls: ClassVar[dict[int, int]] = {}

    def is_welcome(self) -> bool:
        """Tell whether version and token are right."""
        found = re.match(r"/api/(\d+)/", self.path)
        if not found or not 14 <= int(found[1]) <= NEWEST:
            self.trouble(400, "api.error.api-version.unsupported")
            return False
        if self.headers.get("x-rundeck-auth-token") != TOKEN:
            self.trouble(403, "unauthorized")
            return False
        return True

    def nothing(self) -> None:
        """Answer as Rundeck does to what is not there."""
        self.trouble(404, "api.error.item.doesnotexist")

    def trouble(self, status: int, code: str) -> None:
        """Answer in the one shape that all errors have."""
        body = {"error": True, "errorCode": code, "apiversion": NEWEST}
        self.answer(status, {**body, "message": f"no: {code}"})

    def run(self, job: str) -> None:
        """Start a job as its mode wants it."""
        mode = BY_ID.get(job)
        if mode is None:
            self.nothing()
            return
        try:
            told = json.loads(self.raw)
        except ValueError:
            self.trouble(400, "api.error.invalid.request")
            return
        key = told.get("options", {}).get(KEY, "")
        if self.is_passive() or mode in REFUSALS:
            self.ledger.note("refused", key=key)
            self.trouble(*REFUSALS.get(mode, REFUSALS["busy"]))
            return
        number = self.begin(mode, key, told)
        odd: dict[str, Callable[[], None]] = {
            "lose": self.hang_up,
            "hang": self.stall,
            "error": lambda: self.trouble(500, "api.error.execution.error"),
            "garbage": lambda: self.answer(200, b"<html>log in</html>"),
        }
        odd.get(mode, lambda: self.answer(200, self.execution(number)))()

    def begin(self, mode: str, key: str, told: dict[str, Any]) -> int:
        """Start an execution, and return its number."""
        with self.ledger.lock:
            number = len(self.ledger.started()) + 1
            start = {"id": number, "key": key, "mode": mode, "told": told}
            self.ledger.note("start", **start, query=self.query)
            if mode != "lie":
                self.ledger.note("work", id=number, key=key)
        return number

    def show(self, text: str) -> None:
        """Say how an execution goes on."""
        number = int(text)
        if not self.ledger.of(number):
            self.nothing()
            return
        with self.ledger.lock:
            self.polls[number] = self.polls.get(number, 0) + 1
        mode = self.ledger.of(number)[0]["mode"]
        if mode == "unwatched" and self.polls[number] <= POLLS:
            self.stall()
            return
        found = self.execution(number)
        if found["status"] == "failed-with-retry" and not self.ledger.count(
            "retried", number
        ):
            entry = self.ledger.of(number)[0]
            again = self.begin("later", entry["key"], entry["told"])
            self.ledger.note("retried", id=number, by=again)
            found = self.execution(number)
        self.answer(200, found)

    def execution(self, number: int) -> dict[str, Any]:
        """Return an execution as Rundeck shows it."""
        entry = self.ledger.of(number)[0]
        mode = entry["mode"]
        options = {} if mode == "drop" else dict(entry["told"]["options"])
        if mode == "foreign":
            options[KEY] = "sj-0-of-somebody-else"
        status = self.status(number, mode)
        names = nodes_of(mode, entry["told"])
        found = {
            "id": number,
            "href": f"/api/{NEWEST}/execution/{number}",
            "status": status,
            "project": PROJECT,
            "user": "bot",
            "job": {"id": job_id(mode), "name": mode, "options": options},
            "argstring": " ".join(
                f"-{option} {shlex.quote(text)}"
                for option, text in options.items()
            ),
            "successfulNodes": names if status == "succeeded" else [],
            "failedNodes": names if status == "failed" else [],
        }
        if status not in ("running", "dancing"):
            found["date-ended"] = {"unixtime": int(time.time() * 1_000)}
        if status == "other":
            found["customStatus"] = "splendid"
        if status == "aborted":
            found["abortedby"] = "bot"
        for line in self.ledger.of(number):
            if line["what"] == "retried":
                found["retriedExecution"] = {"id": line["by"]}
        return found

    def status(self, number: int, mode: str) -> str:
        """Return how far an execution is."""
        polls = self.polls.get(number, 0)
        if self.ledger.count("abort", number):
            return "aborted" if polls >= POLLS else "running"
        if mode == "strange":
            return "dancing"
        if mode in ("endless", "drop", "unended") or polls < POLLS:
            return "running"
        return {**ENDS, "retry": "failed-with-retry"}.get(mode, "succeeded")

    def output(self, text: str) -> None:
        """Say what was written since an offset."""
        number = int(text)
        if not self.ledger.of(number):
            self.nothing()
            return
        mode = self.ledger.of(number)[0]["mode"]
        status = self.status(number, mode)
        is_over = status not in ("running", "dancing")
        at = int(self.query.get("offset", 0))
        self.ledger.note("asked", id=number, offset=at)
        if mode == "silent":
            self.trouble(500, "api.error.unknown")
            return
        begin, most = at // LINE_BYTES, int(self.query["maxlines"])
        more = {"long": LONG_LINES, "flood": begin + 1}.get(mode, 1)
        written = ["line 1"] + ["line 2"] * (status == "succeeded") * more
        if mode == "looking":
            written = [*SEEN] if status == "succeeded" else []
        new = written[begin : begin + most]
        stamp = len(written)
        self.answer(
            200,
            {
                "id": text,
                "offset": str(LINE_BYTES * (begin + len(new))),
                "completed": is_over,
                "execCompleted": is_over,
                "execState": status,
                "lastModified": str(stamp),
                "unmodified": not new,
                "entries": [{"log": line, "level": "NORMAL"} for line in new],
            },
        )

    def abort(self, text: str) -> None:
        """Begin to end an execution."""
        number = int(text)
        if not self.ledger.of(number):
            self.nothing()
            return
        entry = self.ledger.of(number)[0]
        is_lost = entry["mode"] == "unended"
        if is_lost and not self.ledger.count("ignored", number):
            self.ledger.note("ignored", id=number, key=entry["key"])
            self.stall()
            return
        if not self.ledger.count("abort", number):
            self.polls[number] = 0
        self.ledger.note("abort", id=number, key=entry["key"])
        said = {"status": "pending", "reason": ""}
        self.answer(200, {"abort": said, "execution": {"id": text}})

    def running(self) -> None:
        """List what runs, of one job."""
        self.page("jobIdFilter", {"running"})

    def listing(self) -> None:
        """List what has ended lately, of one job."""
        ends = {"succeeded", "failed", "aborted", "timedout", "other"}
        self.page("jobIdListFilter", ends | {"failed-with-retry"})

    def page(self, job: str, states: set[str]) -> None:
        """List executions, the newest first."""
        found = [
            self.execution(line["id"])
            for line in reversed(self.ledger.started())
            if job_id(line["mode"]) == self.query[job]
        ]
        if found and self.query[job] == job_id("unfound"):
            self.stall()
            return
        found = [one for one in found if one["status"] in states]
        at, most = int(self.query["offset"]), int(self.query["max"])
        page = found[at : at + most]
        paging = {"count": len(page), "total": len(found), "offset": at}
        self.answer(200, {"paging": paging, "executions": page})

    def is_passive(self) -> bool:
        """Tell whether nothing is run now."""
        modes = [x["mode"] for x in self.ledger.lines() if x["what"] == "mode"]
        return bool(modes) and modes[-1] == "disable"

    def mode(self) -> None:
        """Say whether anything is run."""
        word = "passive" if self.is_passive() else "active"
        self.answer(200, {"executionMode": word})


class FakeRundeck(Machine):
    """The same as a process of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "tests.rundeck")


if __name__ == "__main__":
    serve(Rundeck)
