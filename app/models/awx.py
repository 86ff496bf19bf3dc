"""What AWX says: the parts of its API's JSON that we look at."""

import base64
import re
from contextlib import suppress
from typing import Any

import msgspec

# What AWX shows of the answers to questions for secrets.
HIDDEN = "$encrypted$"
COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# How a task ended on a host: well, badly, or not at all.
WELL = "runner_on_ok"
ENDS = (WELL, "runner_on_failed", "runner_on_unreachable")
# What tells why it did not end well, beside its output.
TROUBLE = ("stderr", "msg")
CRLF, LF = "\r\n", "\n"


class Template(msgspec.Struct):
    """A job template, found by its name."""

    id: int
    name: str = ""


class Templates(msgspec.Struct):
    """The templates of a name."""

    count: int = 0
    results: list[Template] = []


class Launch(msgspec.Struct):
    """What must and may be said when a template is launched."""

    passwords_needed_to_start: list[str] = []
    variables_needed_to_start: list[str] = []
    inventory_needed_to_start: bool = False
    credential_needed_to_start: bool = False
    survey_enabled: bool = False
    ask_variables_on_launch: bool = False
    ask_limit_on_launch: bool = False


class Question(msgspec.Struct):
    """One question of a survey.

    Attributes:
        type: what it asks for; what a ``password`` holds is never shown.
    """

    variable: str = ""
    type: str = ""


class Survey(msgspec.Struct):
    """The survey of a template: the variables that it takes."""

    spec: list[Question] = []

    def taken(self) -> frozenset[str]:
        """Return the variables that it takes."""
        return frozenset(one.variable for one in self.spec)

    def hidden(self) -> frozenset[str]:
        """Return those of them that AWX shows to nobody."""
        return frozenset(
            one.variable for one in self.spec if one.type == "password"
        )


class AwxJob(msgspec.Struct):
    """One job, as far as we look at it.

    Attributes:
        extra_vars: its variables; a list may leave them out.
        event_processing_finished: whether all that it wrote is there.
    """

    id: int
    status: str = ""
    job_explanation: str | None = ""
    result_traceback: str | None = ""
    limit: str | None = ""
    extra_vars: Any = msgspec.UNSET
    ignored_fields: dict[str, Any] = {}
    event_processing_finished: bool = True

    def told(self) -> dict[str, str]:
        """Return the variables that it was started with, as texts."""
        found: Any = self.extra_vars
        if isinstance(found, str):
            with suppress(msgspec.MsgspecError, RecursionError):
                found = msgspec.json.decode(found)
        if not isinstance(found, dict):
            return {}
        return {str(name): str(value) for name, value in found.items()}


class AwxJobs(msgspec.Struct):
    """A page of jobs.

    Attributes:
        count: how many fit what was asked, here and on later pages.
    """

    count: int
    results: list[AwxJob]


class Event(msgspec.Struct):
    """Something that happened in a job.

    Attributes:
        counter: its place among what happened.
        event: what it was.
        event_data: with the result of a task in it.
    """

    counter: int
    event: str = ""
    event_data: dict[str, Any] = {}

    def said(self) -> str:
        """Return what the task itself wrote, as whole lines."""
        result = self.event_data.get("res")
        if not isinstance(result, dict):
            return ""
        names = ("stdout",) if self.event == WELL else ("stdout", *TROUBLE)
        parts = [result.get(name) for name in names]
        said = (part for part in parts if part and isinstance(part, str))
        lines = (part.replace(CRLF, LF).removesuffix(LF) for part in said)
        return "".join(f"{COLOUR.sub('', one)}\n" for one in lines)


class Events(msgspec.Struct):
    """A page of what happened.

    Attributes:
        count: how much there is of it, here and on later pages.
    """

    count: int
    results: list[Event]


class Range(msgspec.Struct):
    """Which lines of the output a piece holds."""

    start: int = 0
    end: int = 0


class Stdout(msgspec.Struct):
    """A piece of a job's output, in base64."""

    range: Range = msgspec.field(default_factory=Range)
    content: str = ""

    def text(self) -> str:
        """Return it without colours, or raise ValueError."""
        raw = base64.b64decode(self.content, validate=True)
        return COLOUR.sub("", raw.decode(errors="replace"))
