"""jobs: what ran, what it wrote, and how to end it."""

import time
from functools import partial
from typing import Annotated

import typer

from app.api.job_views import JobDetail, JobView, OutputView, StopBody
from app.api.jobs import read_range
from app.api.paging import must_find
from app.api.queries import LAST_OFFSET
from app.cli.asking import (
    Author,
    Number,
    OfIncident,
    ask,
    looking,
    me,
    read_body,
    tell,
    tell_rows,
)
from app.cli.output import Json, out, print_json
from app.cli.setup import ConfigFile, wire
from app.cli.show import Limit, given, of_incidents, print_rows, reading
from app.engine.stopping import Stop
from app.models.job import JobState
from app.store.jobs import JOBS
from app.store.reading import Reader, Wish

LOOK_SECONDS = 0.5
PAGE_BYTES = 65_536
COLUMNS = (
    "id",
    "incident",
    "state",
    "verdict",
    "call",
    "backend",
    "proposer",
    "started_at",
    "ended_at",
    "reason",
)
FACTS = (
    "id",
    "incident",
    "mission",
    "decision",
    "call",
    "target",
    "environment",
    "risk",
    "backend",
    "name",
    "key",
    "reference",
    "proposer",
    "approval",
    "state",
    "reason",
    "verdict",
    "planned_at",
    "started_at",
    "until",
    "ended_at",
    "abort",
    "told",
    "output_bytes",
)
READING_COLUMNS = (
    "at",
    "check",
    "value",
    "unit",
    "limit",
    "judgement",
    "says",
)
app = typer.Typer(
    help="List jobs, show what they write, end them.",
    invoke_without_command=True,
)


@app.callback()
def jobs(
    context: typer.Context, config: ConfigFile = None, as_json: Json = False
) -> None:
    """List jobs, show what they write, end them."""
    if context.invoked_subcommand is None:
        list_jobs(config=config, as_json=as_json)


@app.command(name="list")
def list_jobs(  # noqa: PLR0913 (each is an option)
    *,
    config: ConfigFile = None,
    incident: OfIncident = None,
    action: Annotated[
        str | None, typer.Option(help="Only of this action.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Only on this, such as host:web-01.")
    ] = None,
    state: Annotated[
        JobState | None, typer.Option(help="Only those in this state.")
    ] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List what was planned and what ran, newest first."""
    product = wire(config)
    where = of_incidents(incident) | given(action=action, target=target)
    if state is not None:
        where["state"] = state.value
    with reading(product) as reader:
        rows = reader.page(JOBS, Wish(where, limit=limit)).rows
    views = [JobView.of(row).model_dump() for row in rows]
    print_rows(views, COLUMNS, as_json=as_json)


@app.command()
def show(
    number: Number, config: ConfigFile = None, as_json: Json = False
) -> None:
    """Show one job with what was measured before and after it."""
    product = wire(config)
    with looking(product):
        row = product.reader.find(JOBS, number)
        view = JobDetail.whole(must_find(row, "job", "jobs", number))
    tell(view, FACTS, as_json=as_json)
    if not as_json:
        tell_rows("before", view.before, READING_COLUMNS)
        tell_rows("after", view.after, READING_COLUMNS)


@app.command()
def output(
    number: Number,
    offset: Annotated[
        int, typer.Option(help="From this byte on.", min=0, max=LAST_OFFSET)
    ] = 0,
    follow: Annotated[
        bool, typer.Option("--follow", help="Stay until it has ended.")
    ] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Print what a job wrote; with --follow as it comes."""
    product = wire(config)
    with looking(product):
        while True:
            found = _read(product.reader, number, offset)
            if found.text or not follow:
                _print(found, as_json=as_json)
            if found.text:
                offset = found.next_offset
            elif found.has_ended or not follow:
                break
            else:
                time.sleep(LOOK_SECONDS)
    if found.is_cut and not as_json:
        out.print("(the rest was left out)")


@app.command()
def abort(
    number: Number,
    reason: Annotated[str, typer.Option(help="Why.")],
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Ask that a job ends; what has not started never does."""
    product = wire(config)
    body = read_body(StopBody, {"author": me(author), "reason": reason})
    stop = Stop(author=body.author, reason=body.reason)
    work = partial(product.acting.stopping.abort, number=number, stop=stop)
    tell(JobView.of(ask(product, work)), FACTS, as_json=as_json)


def _read(reader: Reader, number: int, offset: int) -> OutputView:
    """Return a range of what a job wrote."""
    question = partial(
        read_range, number=number, offset=offset, limit=PAGE_BYTES
    )
    return must_find(reader.ask(question), "job", "jobs", number)


def _print(found: OutputView, *, as_json: bool) -> None:
    """Print a range; nothing in it steers a terminal."""
    if as_json:
        print_json(found.model_dump())
        return
    text = "".join(
        one
        if one.isprintable() or one in "\n\t"
        else "\N{REPLACEMENT CHARACTER}"
        for one in found.text.replace("\r\n", "\n")
    )
    typer.echo(text, nl=False)
