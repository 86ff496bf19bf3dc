"""An AWX as its API is written down, with templates that go wrong as told.

    python -m tests.awx PORT LEDGER

Each template is called what it does; its number is its place in MODES.

    later      runs until it was asked for twice
    endless    runs until it is cancelled
    waiting    is pending first, for its turn
    lose, hang, error, garbage   starts, and answers so
    busy, forbidden   429, 403: nothing is started
    refuse     needs a password
    unlimited, unvarying   does not ask for a limit, for variables
    surveyed   takes the variables of its survey only
    drop       says that it asks for a limit, and ignores it
    sly        the same, and says nothing of it
    lie        says that it succeeded, and did nothing
    failing, broken   ends so
    foreign    answers as another one's job
    large      wrote more than AWX shows; it can be downloaded
    huge       the same, and more than anybody wants
    silent     its output cannot be read
    stuck      nobody answers who asks for its output
    lossy      AWX has lost a part of what it wrote
    unwatched  nobody answers the first two who ask how it goes
    unfound    nobody answers who looks for it, once it was started
    unended    the first request to cancel it is lost, and nobody answers
    terse      its list leaves out the variables unless they are asked for
    mute       its list never has them
    encrypted  all questions of its survey are for secrets: nobody sees them
    looking    a task of it writes evidence, which a play shows as JSON
    untold     nobody answers who asks what its tasks have written
    chatty     it has so many tasks that they take many pages
"""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from tests.awx_events import EVENT_FIELDS, EVIDENCE, events_of
from tests.awx_lists import Refused, listed
from tests.machines import TOKEN, Door, Machine, serve

MODES = (
    "later", "endless", "waiting", "lose", "hang", "error", "garbage", "busy",
    "forbidden", "refuse", "unlimited", "unvarying", "surveyed", "drop",
    "sly", "lie", "failing", "broken", "foreign", "large", "huge", "silent",
    "stuck", "lossy", "unwatched", "unfound", "unended", "terse", "mute",
    "encrypted", "looking", "untold", "chatty",
)  # fmt: skip
READ_TOKEN = "may-only-look"
KEY = "smokejumper_key"
POLLS = 2
ENDS = {"failing": "failed", "broken": "error"}
SURVEY = ("service_name", KEY)
SURVEYED = ("surveyed", "encrypted")
HIDDEN = "$encrypted$"
# What a job can be asked for by; AWX has more of them.
FIELDS = (
    "id", "created", "name", "status", "failed", "limit", "job_template",
    "job_explanation",
)  # fmt: skip
UNLISTED = ("result_traceback", "event_processing_finished")
# AWX shows no more than 1 MiB; here it is the template that decides.
LARGE = "".join(f"line {number}\n" for number in range(1, 40_001))
HUGE = "x" * 70_000
TOO_LARGE = (
    "Standard Output too large to display ({size} bytes), only download"
    " supported for sizes over 1048576 bytes."
)


class Awx(Door):
    """The API; every path ends with a slash."""

    routes: ClassVar = (
        ("GET", r"/api/v2/job_templates/", "templates"),
        ("GET", r"/api/v2/job_templates/(\d+)/launch/", "questions"),
        ("POST", r"/api/v2/job_templates/(\d+)/launch/", "launch"),
        ("GET", r"/api/v2/job_templates/(\d+)/survey_spec/", "survey"),
        ("GET", r"/api/v2/jobs/", "jobs"),
        ("GET", r"/api/v2/jobs/(\d+)/", "show"),
        ("GET", r"/api/v2/jobs/(\d+)/stdout/", "stdout"),
        ("GET", r"/api/v2/jobs/(\d+)/job_events/", "events"),
        ("POST", r"/api/v2/jobs/(\d+)/cancel/", "cancel"),
    )
    polls: ClassVar[dict[int, int]] = {}
    is_whole = False

    def is_welcome(self) -> bool:
        """Tell whether the token is right."""
        if not urlsplit(self.path).path.endswith("/"):
            self.answer(301, b"", {"Location": self.path + "/"})
            return False
        given = self.headers.get("authorization", "")
        if given in (f"Bearer {TOKEN}", f"Bearer {READ_TOKEN}"):
            return True
        detail = "Authentication credentials were not provided."
        self.answer(401, {"detail": detail})
        return False

    def templates(self) -> None:
        """Find templates by their name."""
        found = [
            {"id": number, "name": mode} for number, mode in enumerate(MODES)
        ]
        self.listing(found, "JobTemplate", ("id", "name"))

    def listing(
        self,
        rows: list[dict[str, Any]],
        model: str,
        fields: tuple[str, ...],
        show: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    ) -> None:
        """Answer with a page of what is asked for, or with why not."""
        try:
            page = listed(self.query, rows, model, fields)
        except Refused as error:
            self.answer(error.status, {"detail": error.detail})
            return
        self.answer(200, {**page, "results": list(map(show, page["results"]))})

    def questions(self, text: str) -> None:
        """Say what may and must be told at a launch."""
        mode = MODES[int(text)]
        passwords = ["ssh_password"] if mode == "refuse" else []
        self.answer(
            200,
            {
                "can_start_without_user_input": not passwords,
                "passwords_needed_to_start": passwords,
                "variables_needed_to_start": [],
                "survey_enabled": mode in SURVEYED,
                "ask_limit_on_launch": mode != "unlimited",
                "ask_variables_on_launch": mode
                not in ("unvarying", *SURVEYED),
            },
        )

    def survey(self, text: str) -> None:
        """Say which variables a survey takes."""
        kind = "password" if MODES[int(text)] == "encrypted" else "text"
        spec = [{"variable": name, "type": kind} for name in SURVEY]
        self.answer(200, {"name": "", "spec": spec})

    def launch(self, text: str) -> None:
        """Start a job as its template wants it."""
        mode = MODES[int(text)]
        told = json.loads(self.raw)
        key = told.get("extra_vars", {}).get(KEY, "")
        is_reader = READ_TOKEN in self.headers.get("authorization", "")
        if mode in ("busy", "forbidden") or is_reader:
            self.ledger.note("refused", key=key)
            status = 429 if mode == "busy" else 403
            self.answer(status, {"detail": "You do not have permission."})
            return
        with self.ledger.lock:
            number = len(self.ledger.started()) + 1
            start = {"id": number, "key": key, "mode": mode, "told": told}
            self.ledger.note("start", **start)
            if mode != "lie":
                self.ledger.note("work", id=number, key=key)
        odd: dict[str, Callable[[], None]] = {
            "lose": self.hang_up,
            "hang": self.stall,
            "error": lambda: self.answer(500, {"detail": "oops"}),
            "garbage": lambda: self.answer(201, b"<html>log in</html>"),
        }
        odd.get(mode, lambda: self.launched(number))()

    def launched(self, number: int) -> None:
        """Answer with the job, and what of it was ignored."""
        entry = self.ledger.of(number)[0]
        limit = entry["told"].get("limit", "")
        ignored = {"limit": limit} if entry["mode"] == "drop" else {}
        place = {"Location": f"/api/v2/jobs/{number}/"}
        more = {"job": number, "ignored_fields": ignored}
        self.answer(201, {**self.job(number), **more}, place)

    def job(self, number: int) -> dict[str, Any]:
        """Return a job as AWX shows it."""
        entry = self.ledger.of(number)[0]
        status = self.status(number, entry["mode"])
        return self.shown(entry, status)

    def shown(self, entry: dict[str, Any], status: str) -> dict[str, Any]:
        """Return a job that stands so as AWX shows it."""
        mode = entry["mode"]
        told = dict(entry["told"].get("extra_vars", {}))
        if mode == "foreign":
            told[KEY] = "sj-0-of-somebody-else"
        if mode == "encrypted":
            told |= dict.fromkeys(SURVEY, HIDDEN)
        is_wide = mode in ("drop", "sly")
        return {
            "id": entry["id"],
            "type": "job",
            "created": datetime.fromtimestamp(entry["at"], UTC).isoformat(),
            "name": mode,
            "status": status,
            "failed": status in ("failed", "error", "canceled"),
            "limit": "" if is_wide else entry["told"].get("limit", ""),
            "extra_vars": json.dumps(told),
            "job_explanation": "the node is gone" if mode == "broken" else "",
            "result_traceback": "",
            "event_processing_finished": mode != "lossy"
            and status not in ("pending", "running"),
            "job_template": MODES.index(mode),
        }

    def status(self, number: int, mode: str) -> str:
        """Return how far a job is."""
        is_ended = bool(self.ledger.count("abort", number))
        return self.how_far(number, mode, is_ended=is_ended)

    def how_far(self, number: int, mode: str, *, is_ended: bool) -> str:
        """Return how far a job is, that somebody has ended or not."""
        polls = self.polls.get(number, 0)
        if is_ended:
            return "canceled"
        if mode == "waiting" and polls < POLLS:
            return "pending"
        if mode in ("endless", "unended") or polls < POLLS:
            return "running"
        return ENDS.get(mode, "successful")

    def jobs(self) -> None:
        """List jobs; their variables are shown, and cannot be asked for."""
        wanted = self.query.get("job_template", "")
        mode = MODES[int(wanted)] if wanted.isdecimal() else ""
        lines = self.ledger.lines()
        started = [line for line in lines if line["what"] == "start"]
        if mode == "unfound" and any(x["mode"] == mode for x in started):
            self.stall()
            return
        self.ledger.note("listed", mode=mode, query=self.query)
        if mode in ("terse", "mute"):
            # They know this word; any other AWX takes it for a field.
            included = self.query.pop("include", "").split(",")
            self.is_whole = mode == "terse" and "extra_vars" in included
        ended = {line["id"] for line in lines if line["what"] == "abort"}
        rows = [
            self.shown(
                line,
                self.how_far(
                    line["id"], line["mode"], is_ended=line["id"] in ended
                ),
            )
            for line in started
        ]
        self.listing(rows, "Job", FIELDS, self.in_list)

    def in_list(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return a job as a list has it, with less than it has alone."""
        is_short = MODES[job["job_template"]] in ("terse", "mute")
        lacks = is_short and not self.is_whole
        left_out = (*UNLISTED, *(("extra_vars",) if lacks else ()))
        return {name: job[name] for name in job if name not in left_out}

    def show(self, text: str) -> None:
        """Say how a job goes on."""
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
        self.answer(200, self.job(number))

    def stdout(self, text: str) -> None:
        """Say what was written from a line on."""
        number = int(text)
        mode = self.ledger.of(number)[0]["mode"]
        is_whole = self.query["format"] == "txt_download"
        start = int(self.query.get("start_line", 0))
        self.ledger.note("asked", id=number, offset=start, whole=is_whole)
        odd: dict[str, Callable[[], None]] = {
            "large": lambda: self.show_large(LARGE, is_whole=is_whole),
            "huge": lambda: self.show_large(HUGE, is_whole=is_whole),
            "silent": lambda: self.answer(500, {"detail": "oops"}),
            "stuck": self.stall,
        }
        odd.get(mode, lambda: self.show_lines(number, mode, start))()

    def events(self, text: str) -> None:
        """List what happened in a job, by what each task has written."""
        number = int(text)
        mode = self.ledger.of(number)[0]["mode"]
        if mode == "untold":
            self.stall()
            return
        rows = events_of(number, mode)
        self.listing(rows, "JobEvent", EVENT_FIELDS)

    def show_large(self, text: str, *, is_whole: bool) -> None:
        """Give all of what is too large, or words instead of it."""
        if is_whole:
            # What is negotiated is not what the query asks for.
            is_text = "text/plain" in self.headers.get("accept", "")
            self.answer(*((200, text.encode()) if is_text else (406,)))
            return
        words = TOO_LARGE.format(size=len(text))
        lines = {"start": 0, "end": 1, "absolute_end": 1}
        self.answer(200, {"range": lines, "content": words})

    def show_lines(self, number: int, mode: str, start: int) -> None:
        """Give the lines from one on."""
        written = ["line 1\n"]
        if mode == "looking":
            written.append(f"ok: {json.dumps({'stdout': EVIDENCE})}\n")
        if self.status(number, mode) == "successful":
            written.append("\x1b[0;32mline 2\x1b[0m\n")
        content = base64.b64encode("".join(written[start:]).encode()).decode()
        lines = {"start": start, "end": len(written)}
        self.answer(200, {"range": lines, "content": content})

    def cancel(self, text: str) -> None:
        """End a job that runs."""
        number = int(text)
        entry = self.ledger.of(number)[0]
        if self.status(number, entry["mode"]) not in ("pending", "running"):
            self.answer(405, {"detail": "Method not allowed."})
            return
        is_lost = entry["mode"] == "unended"
        if is_lost and not self.ledger.count("ignored", number):
            self.ledger.note("ignored", id=number, key=entry["key"])
            self.stall()
            return
        self.ledger.note("abort", id=number, key=entry["key"])
        self.answer(202)


class FakeAwx(Machine):
    """The same as a process of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "tests.awx")


if __name__ == "__main__":
    serve(Awx)
