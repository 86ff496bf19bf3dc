"""What AWX says: the parts of its API's JSON that we look at."""

import base64
import re
from contextlib import suppress
from typing import Any

import msgspec

COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


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
    """One question of a survey."""

    variable: str = ""


class Survey(msgspec.Struct):
    """The survey of a template: the variables that it takes."""

    spec: list[Question] = []


class AwxJob(msgspec.Struct):
    """One job, as far as we look at it.

    Attributes:
        event_processing_finished: whether all that it wrote is there.
    """

    id: int
    status: str = ""
    job_explanation: str | None = ""
    result_traceback: str | None = ""
    limit: str | None = ""
    extra_vars: Any = ""
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
    """Some jobs."""

    count: int = 0
    results: list[AwxJob] = []


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
