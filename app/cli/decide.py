"""decide and decisions: what would be decided, and what was.

Only trials are made here: what is to be done is proposed, see missions.py.
"""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from app.api.decide import read_payload
from app.api.decision_views import DecisionView, TrialView
from app.bootstrap import Product
from app.cli.output import Json, out, print_json, print_table, stop
from app.cli.setup import ConfigFile, wire
from app.cli.show import Limit, given, of_incidents, print_rows, reading
from app.core.errors import Refused
from app.core.numbers import LAST_ID
from app.decide.deciding import Decided
from app.store.decisions import DECISIONS
from app.store.reading import Wish

REFUSED = 1
USAGE = 2
COLUMNS = (
    "id",
    "at",
    "incident",
    "brain",
    "why",
    "confidence",
    "asks",
    "call",
    "reason",
    "note",
)
ONLY_TRIALS = (
    "Only trials are made here: add --dry-run to see what would be decided"
    " now. 'python main.py propose' wants an action done, and the service"
    " decides by itself ('python main.py decisions')."
)


def decide(  # noqa: PLR0913 (each is an option)
    *,
    config: ConfigFile = None,
    incident: Annotated[
        int | None, typer.Option(help="Which one.", min=1, max=LAST_ID)
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Whose parser reads the payload.")
    ] = None,
    payload: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="What it sent."),
    ] = None,
    brain: Annotated[
        str, typer.Option(help="Instead of the one that decides.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing, run nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what would be decided on an incident, or on a payload."""
    has_payload = source is not None and payload is not None
    is_half = (source is None) != (payload is None)
    if is_half or (incident is not None) == has_payload:
        stop("Give --incident, or --source and --payload.", USAGE)
    if incident is not None and not dry_run:
        stop(ONLY_TRIALS, REFUSED)
    product = wire(config)
    try:
        with reading(product):
            if incident is not None:
                work = _on_incident(product, incident, brain)
            else:
                work = _on_payload(product, source or "", payload, brain)
            tried = asyncio.run(work)
    except Refused as refusal:
        stop(f"{refusal.detail} {refusal.remedy}".strip(), REFUSED)
    views = [TrialView.of(one).model_dump() for one in tried]
    if as_json:
        print_json(views)
        return
    for view in views:
        _tell(view)


def decisions(  # noqa: PLR0913 (each is an option)
    *,
    config: ConfigFile = None,
    incident: Annotated[
        int | None, typer.Option(help="Only on this one.", min=1, max=LAST_ID)
    ] = None,
    action: Annotated[
        str | None, typer.Option(help="Only this action.")
    ] = None,
    brain: Annotated[
        str | None, typer.Option(help="Only of this brain.")
    ] = None,
    why: Annotated[
        str | None,
        typer.Option(help="chosen, unsure, unavailable, budget ..."),
    ] = None,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Only those of a shadow.")
    ] = False,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List what was decided, newest first; missions say what came of it."""
    product = wire(config)
    where = of_incidents(incident) | given(action=action, brain=brain, why=why)
    where["is_shadow"] = int(shadow)
    with reading(product) as reader:
        rows = reader.page(DECISIONS, Wish(where, limit=limit)).rows
    views = [DecisionView.of(row).model_dump() for row in rows]
    print_rows(views, COLUMNS, as_json=as_json)


def _on_incident(
    product: Product, number: int, brain: str
) -> Coroutine[Any, Any, list[Decided]]:
    """Return what decides on an incident for a trial."""

    async def work() -> list[Decided]:
        """Ask a brain once."""
        return [await product.desk.try_incident(number, brain)]

    return work()


def _on_payload(
    product: Product, source: str, payload: Path | None, brain: str
) -> Coroutine[Any, Any, list[Decided]]:
    """Return what decides on each alert of a payload for a trial."""
    content = payload.read_bytes() if payload is not None else b""
    text = content.decode(errors="replace")
    alerts = read_payload(product, source, text)

    async def work() -> list[Decided]:
        """Ask a brain about one after the other."""
        desk = product.desk
        return [await desk.try_alert(source, a, brain) for a in alerts]

    return work()


def _tell(view: dict[str, Any]) -> None:
    """Print what would be decided for people."""
    facts = [
        ("would do", view["call"]),
        ("reason", view["reason"]),
        ("why", view["why"]),
        ("confidence", _percent(view["confidence"])),
        ("asks first", "yes" if view["asks"] else "no"),
        ("brain", view["brain"]),
        ("alert", f"{view['case']['name']} on {view['case']['target']}"),
        ("took", f"{view['milliseconds']:.0f} ms, {view['tokens']} tokens"),
    ]
    rows = [{"fact": fact, "of it": text} for fact, text in facts]
    print_table(rows, ("fact", "of it"))
    out.print()
    options = [
        {
            "option": one["action"],
            "arguments": msgspec.json.encode(one["arguments"]).decode(),
            "probability": _percent(one["probability"]),
        }
        for one in view["options"]
    ]
    left_out = [
        {"left out": name, "why": why}
        for name, why in view["left_out"].items()
    ]
    for some in (options, view["grounding"], left_out):
        if some:
            print_table(some, tuple(some[0]))
            out.print()
    out.print("This was a trial: nothing was written and nothing runs.")


def _percent(number: float | None) -> str:
    """Return a probability for people."""
    return "unknown" if number is None else f"{number:.0%}"
