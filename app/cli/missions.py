"""missions and propose: what is done about incidents."""

import asyncio
from functools import partial
from typing import Annotated

import typer

from app.api.mission_views import MissionBrief, MissionView
from app.api.propose import ProposalBody, ProposedView
from app.cli.asking import (
    Author,
    OfIncident,
    ask,
    me,
    read_arguments,
    read_body,
)
from app.cli.output import Json, out, print_json
from app.cli.setup import ConfigFile, wire
from app.cli.show import Limit, of_incidents, print_rows, reading
from app.core.numbers import LAST_ID
from app.models.mission import OVER, Stage
from app.store.missions import MISSIONS
from app.store.reading import Wish

COLUMNS = (
    "id",
    "incident",
    "stage",
    "end",
    "round",
    "decision",
    "approval",
    "job",
    "deadline_at",
    "reason",
)


def missions(  # noqa: PLR0913, PLR0917 (each is an option)
    config: ConfigFile = None,
    incident: OfIncident = None,
    stage: Annotated[
        Stage | None, typer.Option(help="Only those in this stage.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Also those that are over.")
    ] = False,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List what is done about incidents, newest first."""
    product = wire(config)
    where = of_incidents(incident)
    if stage is not None:
        where["stage"] = stage.value
    elif not every and incident is None:
        where["stage"] = tuple(one.value for one in Stage if one not in OVER)
    with reading(product) as reader:
        rows = reader.page(MISSIONS, Wish(where, limit=limit)).rows
    views = [MissionView.of(row).model_dump() for row in rows]
    print_rows(views, COLUMNS, as_json=as_json)


def propose(  # noqa: PLR0913 (each is an option)
    *,
    incident: Annotated[
        int, typer.Argument(help="For which one.", min=1, max=LAST_ID)
    ],
    action: Annotated[str, typer.Argument(help="Such as restart_service.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE...]")
    ] = None,
    author: Author = None,
    comment: Annotated[str, typer.Option(help="Why.")] = "",
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Propose an action; the guard rules on it like on all others."""
    product = wire(config)
    values = {
        "author": me(author),
        "action": action,
        "arguments": read_arguments(arguments or []),
        "comment": comment,
    }
    wish = read_body(ProposalBody, values).to_proposal(incident)
    asyncio.run(product.stock.refresh())
    work = partial(product.acting.proposing.propose, wish=wish)
    decision, mission = ask(product, work)
    view = ProposedView(decision=decision, mission=MissionBrief.of(mission))
    if as_json:
        print_json(view.model_dump())
        return
    out.print(
        f"Decision {decision}: {action} is proposed. 'python main.py missions"
        f" --incident {incident}' says what the guard rules."
    )
