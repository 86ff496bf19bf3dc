"""messages: what people were told, and what became of each letter."""

import asyncio
from functools import partial
from typing import Annotated

import typer

from app.api.message_views import (
    AuthorBody,
    DispatchView,
    MessageView,
    TriedView,
)
from app.api.messages import find_whole, list_channels
from app.api.paging import must_find
from app.cli.asking import (
    REFUSED,
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
from app.cli.output import Json, out, print_json, print_table, stop
from app.cli.setup import ConfigFile, wire
from app.cli.show import Limit, given, of_incidents, print_rows, reading
from app.core.errors import Refused
from app.models.message import DispatchState, Kind
from app.store.dispatches import DISPATCHES
from app.store.messages import MESSAGES
from app.store.reading import Wish

COLUMNS = ("id", "at", "kind", "incident", "severity", "entry")
DISPATCH_COLUMNS = (
    "id",
    "message",
    "incident",
    "kind",
    "channel",
    "level",
    "state",
    "tries",
    "due_at",
    "ended_at",
    "reason",
)
CHANNEL_COLUMNS = ("name", "kind", "waiting", "gathering", "dead")
TRIED = ("channel", "sent", "reference", "error", "milliseconds")
app = typer.Typer(
    help="List what people were told, send it once more, try channels.",
    invoke_without_command=True,
)


@app.callback()
def messages(
    context: typer.Context, config: ConfigFile = None, as_json: Json = False
) -> None:
    """List what people were told, send it once more, try channels."""
    if context.invoked_subcommand is None:
        list_messages(config=config, as_json=as_json)


@app.command(name="list")
def list_messages(
    *,
    config: ConfigFile = None,
    incident: OfIncident = None,
    kind: Annotated[
        Kind | None, typer.Option(help="Only of this kind.")
    ] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List what people were told, newest first."""
    product = wire(config)
    where = of_incidents(incident)
    if kind is not None:
        where["kind"] = kind.value
    with reading(product) as reader:
        rows = reader.page(MESSAGES, Wish(where, limit=limit)).rows
    views = [MessageView.of(row).model_dump() for row in rows]
    print_rows(views, COLUMNS, as_json=as_json)


@app.command()
def show(
    number: Number, config: ConfigFile = None, as_json: Json = False
) -> None:
    """Show one message with its text, and each way that it goes."""
    product = wire(config)
    find = partial(find_whole, composer=product.voice.composer, number=number)
    with looking(product):
        view = must_find(
            product.reader.ask(find), "message", "messages", number
        )
    if as_json:
        print_json(view.model_dump())
        return
    tell(view, (*COLUMNS, "title"), as_json=False)
    out.print()
    for line in view.text.splitlines():
        text = "".join(
            c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line
        )
        typer.echo(text)
    ways = [one.model_dump() for one in view.dispatches]
    tell_rows("its ways", ways, DISPATCH_COLUMNS)


@app.command()
def dispatches(  # noqa: PLR0913 (each is an option)
    *,
    config: ConfigFile = None,
    incident: OfIncident = None,
    channel: Annotated[
        str | None, typer.Option(help="Only to this channel.")
    ] = None,
    state: Annotated[
        DispatchState | None, typer.Option(help="Only those in this state.")
    ] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List each way that messages go, newest first."""
    product = wire(config)
    where = of_incidents(incident) | given(channel=channel)
    if state is not None:
        where["state"] = state.value
    with reading(product) as reader:
        rows = reader.page(DISPATCHES, Wish(where, limit=limit)).rows
    views = [DispatchView.of(row).model_dump() for row in rows]
    print_rows(views, DISPATCH_COLUMNS, as_json=as_json)


@app.command()
def dead(
    *,
    config: ConfigFile = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List what was given up: people were not told."""
    dispatches(
        config=config,
        state=DispatchState.DEAD,
        limit=limit,
        as_json=as_json,
    )


@app.command()
def retry(
    number: Number,
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Send once more what was given up; the number is the dispatch's."""
    product = wire(config)
    body = read_body(AuthorBody, {"author": me(author)})
    work = partial(
        product.voice.correspondence.retry, number=number, author=body.author
    )
    view = DispatchView.of(ask(product, work))
    tell(view, DISPATCH_COLUMNS, as_json=as_json)


@app.command()
def channels(config: ConfigFile = None, as_json: Json = False) -> None:
    """List the ways to reach people, with how much waits for each."""
    product = wire(config)
    kinds = dict(product.voice.correspondence.kinds)
    with reading(product) as reader:
        found = reader.ask(partial(list_channels, kinds=kinds))
    rows = [one.model_dump() for one in found]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, CHANNEL_COLUMNS)


@app.command(name="test")
def try_channel(
    channel: str,
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Send a test letter now; end with 1 when it did not arrive."""
    product = wire(config)
    body = read_body(AuthorBody, {"author": me(author)})
    correspondence = product.voice.correspondence
    try:
        tried = asyncio.run(correspondence.try_out(channel, body.author))
    except Refused as refusal:
        stop(f"{refusal.detail} {refusal.remedy}".strip(), REFUSED)
    ask(
        product,
        partial(correspondence.note, tried=tried, author=body.author),
    )
    tell(TriedView.of(tried), TRIED, as_json=as_json)
    if not tried.is_sent:
        raise typer.Exit(REFUSED)
