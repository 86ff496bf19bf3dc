"""What Rundeck says: the parts of its API's JSON that we look at."""

import shlex
from contextlib import suppress
from typing import Any

import msgspec

# That execution is over, and Rundeck has begun another one for the job.
RETRIED = "failed-with-retry"


class JobPart(msgspec.Struct):
    """What an execution says of its job."""

    id: str = ""
    options: dict[str, Any] | None = None


class Retry(msgspec.Struct):
    """The execution that came after one that failed."""

    id: int


class Execution(msgspec.Struct, rename="camel"):
    """One execution of a job, as far as we look at it."""

    id: int
    status: str = ""
    custom_status: str | None = None
    date_ended: Any = msgspec.field(default=None, name="date-ended")
    abortedby: str | None = None
    job: JobPart | None = None
    argstring: str | None = None
    successful_nodes: list[str] = []
    failed_nodes: list[str] = []
    retried_execution: Retry | None = None

    def told(self) -> dict[str, str]:
        """Return the options that it was started with."""
        with suppress(ValueError):
            words = shlex.split(self.argstring or "")
            pairs = zip(words[::2], words[1::2], strict=False)
            found = {name.removeprefix("-"): text for name, text in pairs}
            options = (self.job.options if self.job else None) or {}
            return found | {name: str(text) for name, text in options.items()}
        return {}


class Paging(msgspec.Struct):
    """Where a page of executions lies."""

    total: int = 0


class Page(msgspec.Struct):
    """Some executions."""

    executions: list[Execution] = []
    paging: Paging = msgspec.field(default_factory=Paging)


class Line(msgspec.Struct):
    """One line of what a job wrote."""

    log: str | None = ""


class Output(msgspec.Struct, rename="camel"):
    """What a job wrote since somewhere; numbers may come as texts."""

    offset: int | str = 0
    last_modified: int | str | None = 0
    completed: bool = False
    unmodified: bool = False
    entries: list[Line] = []


class Trouble(msgspec.Struct, rename="camel"):
    """Why Rundeck did not do something."""

    error_code: str = ""
    message: str = ""


class Mode(msgspec.Struct, rename="camel"):
    """Whether Rundeck runs anything at all."""

    execution_mode: str = "active"
