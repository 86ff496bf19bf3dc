"""A job of Rundeck: what it is told, and whether it did what it was told."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from app.act.passing import (
    ONE_HOST,
    Argument,
    Label,
    PassingSettings,
    Place,
    Value,
    check_rest,
    one_host,
    pick,
)
from app.core.brief import brief
from app.models.job import Order
from app.models.rundeck import Execution

HOLE = re.compile(r"\{(.*?)\}")
# A part of a filter that one node fits, when it has no pattern in it.
TERM = re.compile(r"(?<!\S)(name|hostname):\s*(\S+)(?!\S)")


def _filter(text: str) -> str:
    """Return a node filter with a place for an argument, or none."""
    if text and not HOLE.findall(text):
        raise ValueError("write the argument in braces: 'name: {host}'")
    return text


class JobSettings(PassingSettings):
    """One job of Rundeck.

    Attributes:
        id: its UUID.
        options: which option gets which argument.
        filter: the nodes that it runs on, with arguments: ``name: {host}``.
        key_option: the option that gets our key; empty: none does, and
            nobody can look a job up.
        log_level: how much it writes; empty: as the job says.
    """

    id: str = Field(pattern=r"^[A-Za-z0-9-]{1,64}$")
    options: dict[Label, Argument] = Field(default_factory=dict)
    filter: Annotated[str, AfterValidator(_filter)] = ""
    key_option: Label | Literal[""] = "smokejumper_key"
    log_level: Literal["", "DEBUG", "VERBOSE", "INFO", "WARN", "ERROR"] = ""


def compose(job: JobSettings, order: Order) -> dict[str, Any]:
    """Return what Rundeck is sent, or raise NotAccepted."""
    holes = HOLE.findall(job.filter)
    check_rest(order, (*job.options.values(), *holes), job.only)
    options: dict[str, Value] = pick(order, job.options)
    if job.key_option:
        options[job.key_option] = order.key
    body: dict[str, Any] = {
        "options": {name: str(value) for name, value in options.items()}
    }
    if job.filter:
        hosts = {hole: one_host(order, hole) for hole in holes}
        body["filter"] = HOLE.sub(lambda hole: hosts[hole[1]], job.filter)
    if job.log_level:
        body["loglevel"] = job.log_level
    return body


def lost(body: Mapping[str, Any], execution: Execution) -> tuple[str, ...]:
    """Return the options that were sent, and that a job does not have."""
    told = execution.told()
    return tuple(
        name
        for name, text in body["options"].items()
        if told.get(name) != text
    )


def doubts(
    job: JobSettings, order: Order, place: Place, seen: Execution
) -> Iterator[str]:
    """Yield what speaks against the success of an execution."""
    if place.lost:
        yield f"it ran without {', '.join(place.lost)}"
    if seen.failed_nodes:
        yield f"failed on {brief(', '.join(seen.failed_nodes), 200)}"
    odd = _odd_nodes(_fill(job, order), seen.successful_nodes)
    if odd:
        yield odd


def _fill(job: JobSettings, order: Order) -> str:
    """Return the filter of a job with the arguments of an order."""
    return HOLE.sub(lambda hole: str(order.arguments[hole[1]]), job.filter)


def _odd_nodes(filled: str, nodes: list[str]) -> str:
    """Return what is odd about the nodes that a filter let through.

    Only of a filter by name, and nothing else, is it known what its node
    is called; of a host name, that it stands for one node.
    """
    found = [one for one in TERM.findall(filled) if ONE_HOST.fullmatch(one[1])]
    if not found:
        return ""
    odd = nodes if len(nodes) > 1 else []
    word, host = found[0]
    if word == "name" and TERM.fullmatch(filled.strip()):
        odd = [one for one in nodes if one.casefold() != host.casefold()]
    names = brief(", ".join(sorted(odd)), 200)
    return f"it ran on other nodes: {names}" if odd else ""
