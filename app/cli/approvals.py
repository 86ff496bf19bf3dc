"""approvals: questions to people, and what they answer."""

import asyncio
from functools import partial
from typing import Annotated, Any

import typer

from app.api.approval_views import AnswerBody, ApprovalView, EditBody
from app.api.approvals import find_whole
from app.api.paging import must_find
from app.bootstrap import Product
from app.cli.asking import (
    Author,
    Number,
    OfIncident,
    Version,
    ask,
    looking,
    me,
    read_arguments,
    read_body,
    tell,
    tell_rows,
)
from app.cli.output import Json
from app.cli.setup import ConfigFile, wire
from app.cli.show import Limit, given, print_rows, reading
from app.engine.approving import Reply
from app.models.approval import Answer, ApprovalState
from app.store.approvals import APPROVALS
from app.store.reading import Wish

COLUMNS = (
    "id",
    "incident",
    "state",
    "mode",
    "call",
    "environment",
    "people",
    "whom",
    "expires_at",
    "says",
    "reason",
)
FACTS = (
    "id",
    "version",
    "incident",
    "mission",
    "decision",
    "call",
    "target",
    "environment",
    "team",
    "mode",
    "rule",
    "reason",
    "policy",
    "proposer",
    "whom",
    "people",
    "asked_at",
    "expires_at",
    "state",
    "says",
    "ended_at",
)
VOTE_COLUMNS = ("at", "person", "answer", "comment")
Comment = Annotated[str, typer.Option(help="Why.")]
app = typer.Typer(
    help="List what people are asked, and answer it.",
    invoke_without_command=True,
)


@app.callback()
def approvals(
    context: typer.Context, config: ConfigFile = None, as_json: Json = False
) -> None:
    """List what people are asked, and answer it."""
    if context.invoked_subcommand is None:
        list_approvals(
            config=config, state=ApprovalState.ASKED, as_json=as_json
        )


@app.command(name="list")
def list_approvals(  # noqa: PLR0913 (each is an option)
    *,
    config: ConfigFile = None,
    incident: OfIncident = None,
    action: Annotated[
        str | None, typer.Option(help="Only about this action.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Only on this, such as host:web-01.")
    ] = None,
    state: Annotated[
        ApprovalState | None, typer.Option(help="Only those in this state.")
    ] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List what people were asked, newest first."""
    product = wire(config)
    where: dict[str, Any] = given(
        incident_id=incident, action=action, target=target
    )
    if state is not None:
        where["state"] = state.value
    with reading(product) as reader:
        rows = reader.page(APPROVALS, Wish(where, limit=limit)).rows
    views = [ApprovalView.of(row).model_dump() for row in rows]
    print_rows(views, COLUMNS, as_json=as_json)


@app.command()
def show(
    number: Number, config: ConfigFile = None, as_json: Json = False
) -> None:
    """Show one question with its answers."""
    product = wire(config)
    with looking(product):
        found = product.reader.ask(partial(find_whole, number=number))
        view = must_find(found, "approval", "approvals", number)
    tell(view, FACTS, as_json=as_json)
    if not as_json:
        votes = [vote.model_dump() for vote in view.votes]
        tell_rows("answers", votes, VOTE_COLUMNS)


@app.command()
def grant(  # noqa: PLR0913, PLR0917 (each is an option)
    number: Number,
    author: Author = None,
    comment: Comment = "",
    version: Version = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Let it be done; the guard rules once more before it starts."""
    said = _read(author, comment).to_reply(number, Answer.GRANT, version)
    _take(wire(config), said, as_json=as_json)


@app.command()
def refuse(  # noqa: PLR0913, PLR0917 (each is an option)
    number: Number,
    author: Author = None,
    comment: Comment = "",
    version: Version = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Say no; people get the incident, and nothing is done."""
    said = _read(author, comment).to_reply(number, Answer.REFUSE, version)
    _take(wire(config), said, as_json=as_json)


@app.command()
def withdraw(  # noqa: PLR0913, PLR0917 (each is an option)
    number: Number,
    author: Author = None,
    comment: Comment = "",
    version: Version = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Take a grant back, as long as nothing has started."""
    said = _read(author, comment).to_reply(number, Answer.WITHDRAW, version)
    _take(wire(config), said, as_json=as_json)


@app.command()
def edit(  # noqa: PLR0913 (each is an option)
    *,
    number: Number,
    arguments: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...")],
    author: Author = None,
    comment: Comment = "",
    version: Version = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Want other arguments: another decision, which is ruled on anew."""
    said = {
        "author": me(author),
        "comment": comment,
        "arguments": read_arguments(arguments),
    }
    reply = read_body(EditBody, said).to_reply(number, Answer.EDIT, version)
    product = wire(config)
    asyncio.run(product.stock.refresh())
    _take(product, reply, as_json=as_json)


def _read(author: str | None, comment: str) -> AnswerBody:
    """Return who answers and why, or end the command with what is wrong."""
    said = {"author": me(author), "comment": comment}
    return read_body(AnswerBody, said)


def _take(product: Product, reply: Reply, *, as_json: bool) -> None:
    """Have an answer taken, and show what became of the question."""
    work = partial(product.acting.approving.take, reply=reply)
    tell(ApprovalView.of(ask(product, work)), FACTS, as_json=as_json)
