"""A job of AWX: what it is told, and whether its template listens.

AWX drops what a template does not ask for and runs the job without it: a
limit that is dropped lets a job run on every host. So the template is asked
before, and the job is looked at afterwards.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from app.act.passing import (
    Argument,
    Label,
    PassingSettings,
    Value,
    check_rest,
    one_host,
    pick,
)
from app.models.awx import AwxJob, Launch, Survey
from app.models.job import Order

Name = Annotated[str, Field(min_length=1, max_length=512)]


class JobSettings(PassingSettings):
    """One job template.

    Attributes:
        template: its number, or its name.
        extra_vars: which variable gets which argument.
        limit: the argument that names the host that it is limited to;
            empty: the template itself says where it runs.
        key_variable: the variable that gets our key; empty: none does, and
            nobody can look a job up.
        shows: what its output is: what Ansible writes of the play, or the
            ``stdout`` of its tasks.
    """

    template: int | Name
    extra_vars: dict[Label, Argument] = Field(default_factory=dict)
    limit: Argument | Literal[""] = "host"
    key_variable: Label | Literal[""] = "smokejumper_key"
    shows: Literal["play", "stdout"] = "play"


def compose(job: JobSettings, order: Order) -> dict[str, Any]:
    """Return what AWX is sent, or raise NotAccepted."""
    limited = (job.limit,) if job.limit else ()
    check_rest(order, (*job.extra_vars.values(), *limited), job.only)
    told: dict[str, Value] = pick(order, job.extra_vars)
    if job.key_variable:
        told[job.key_variable] = order.key
    body: dict[str, Any] = {}
    if told:
        body["extra_vars"] = told
    if job.limit:
        body["limit"] = one_host(order, job.limit)
    return body


def objections(
    body: dict[str, Any], launch: Launch, survey: Survey
) -> Iterator[str]:
    """Yield why a template would not do what it is told.

    Args:
        body: what it would be sent.
        launch: what it asks for.
        survey: what its survey takes.
    """
    told = frozenset(body.get("extra_vars", ()))
    if "limit" in body and not launch.ask_limit_on_launch:
        yield "it does not ask for a limit, and would run on every host"
    dropped = sorted(told - survey.taken())
    if dropped and not launch.ask_variables_on_launch:
        yield f"it does not ask for the variables {', '.join(dropped)}"
    hidden = sorted(told & survey.hidden())
    if hidden:
        yield (
            f"its survey keeps the variables {', '.join(hidden)} secret, and"
            " nobody could see that the job has them"
        )
    missing = sorted(set(launch.variables_needed_to_start) - told)
    if missing:
        yield f"it needs the variables {', '.join(missing)}"
    if launch.passwords_needed_to_start:
        yield "it needs a password from a person"
    if launch.inventory_needed_to_start:
        yield "it has no inventory"
    if launch.credential_needed_to_start:
        yield "it has no credential"


def lost(body: dict[str, Any], job: AwxJob) -> tuple[str, ...]:
    """Return what was sent and what a job does not have."""
    told = job.told()
    names = [
        name
        for name, value in body.get("extra_vars", {}).items()
        if told.get(name) != str(value)
    ]
    if "limit" in body and job.limit != body["limit"]:
        names.append("limit")
    names += [name for name in job.ignored_fields if name not in names]
    return tuple(names)
