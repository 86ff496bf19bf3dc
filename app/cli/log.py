"""log: the action log, and the proof that nobody changed it."""

import re
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

from app.api.entries import EntryView
from app.bootstrap import Product
from app.cli.output import Json, err, out, print_json, stop
from app.cli.setup import ConfigFile, wire
from app.cli.show import (
    Canary,
    Limit,
    given,
    print_rows,
    reading,
    stop_unread,
)
from app.core.clock import FIRST, SystemClock, from_iso
from app.core.errors import StorageFailed
from app.core.numbers import LAST_ID
from app.models.canary import PROBLEM
from app.models.chain import Anchor, Finding, parse_anchor
from app.store.listings import LOG
from app.store.log import verify as walk
from app.store.reading import Wish
from app.store.snapshot import snapshot

BREACHED = 5
COLUMNS = (
    "id",
    "at",
    "kind",
    "incident_id",
    "target",
    "status",
    "actor",
    "summary",
)
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
Given = Annotated[str | None, typer.Option()]
app = typer.Typer(
    invoke_without_command=True,
    help="List the action log, newest first; or verify it.",
)


def _read_since(text: str) -> int:
    """Return a moment, told as ISO 8601 or as a span before now."""
    moment = from_iso(text)
    if moment is not None:
        return moment
    span = re.fullmatch(r"(\d{1,9})([smhdw])", text)
    if span is None:
        raise typer.BadParameter(
            "write a time such as 2026-11-21T08:00Z, or a span such as 2h"
        )
    ago = int(span[1]) * SECONDS[span[2]] * 1_000_000
    return max(SystemClock().now() - ago, FIRST)


def _read_anchor(text: str) -> Anchor:
    """Return an anchor that was kept elsewhere."""
    try:
        return parse_anchor(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}: ID:HASH") from error


@app.callback()
def log(  # noqa: PLR0913, PLR0917 (each is an option)
    context: typer.Context,
    config: ConfigFile = None,
    incident: Annotated[int | None, typer.Option(min=1, max=LAST_ID)] = None,
    target: Given = None,
    kind: Annotated[
        str | None, typer.Option(help="Such as incident.opened.")
    ] = None,
    status: Given = None,
    actor: Annotated[
        str | None, typer.Option(help="Such as source:zabbix.")
    ] = None,
    since: Annotated[
        int | None,
        typer.Option(
            parser=_read_since,
            metavar="TIME",
            help="Not before this time, or so long ago: 90m, 2h, 1d.",
        ),
    ] = None,
    canary: Canary = False,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List the action log, newest first; or verify it."""
    if context.invoked_subcommand is not None:
        context.obj = config
        return
    product = wire(config)
    where = given(incident_id=incident, target=target, kind=kind)
    where |= given(status=status, actor=actor, since=since)
    if not (canary or incident):
        where["problem_not"] = PROBLEM
    with reading(product) as reader:
        rows = reader.page(LOG, Wish(where, limit=limit)).rows
    views = [EntryView.of(row).model_dump() for row in rows]
    print_rows(views, COLUMNS, as_json=as_json)


@app.command()
def verify(
    context: typer.Context,
    config: ConfigFile = None,
    anchor: Annotated[
        list[Anchor] | None,
        typer.Option(
            parser=_read_anchor,
            metavar="ID:HASH",
            help="What an earlier run printed; may be given more than once.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove that nobody changed the log, or name the first bad row."""
    product = wire(config or context.obj)
    anchors = list(anchor or [])
    # Before the log is read, which may grow meanwhile, and its anchor too.
    kept = _read_kept(product)
    if kept is not None:
        anchors.append(kept)
    wait = product.settings.server.limits.waiting_seconds
    try:
        with snapshot(product.location, wait) as connection:
            finding = walk(connection, anchors)
    except StorageFailed as error:
        stop_unread(product, error)
    if as_json:
        print_json({"ok": finding.breach is None, **_to_json(finding)})
    else:
        _tell(finding, anchors)
    if finding.breach is not None:
        raise typer.Exit(BREACHED)


def _read_kept(product: Product) -> Anchor | None:
    """Return what the service kept beside the database, or None."""
    try:
        return product.anchor_file.read() if product.anchor_file else None
    except ValueError as error:
        stop(
            f"The anchor cannot be read: {error}. Look at that file; without"
            " it, only the log itself is compared.",
            BREACHED,
        )


def _to_json(finding: Finding) -> dict[str, Any]:
    """Return a finding for programs."""
    return msgspec.structs.asdict(finding)


def _tell(finding: Finding, anchors: list[Anchor]) -> None:
    """Print a finding for people."""
    breach = finding.breach
    if breach is not None:
        err.print(Text(f"Entry {breach.entry} {breach.what}.", style="red"))
        if finding.entries:
            # On the same stream: alone it would say that all is well.
            be = "is" if finding.entries == 1 else "are"
            err.print(f"{_count(finding)} before it {be} right.")
        return
    if not finding.last:
        out.print("The log is empty, and nothing is missing.")
        return
    out.print(
        f"The log is whole: {_count(finding)}, the last is {finding.last}."
    )
    for anchor in anchors:
        if anchor.entry in finding.anchored:
            out.print(f"Entry {anchor.entry} is the one that was anchored.")
        else:
            out.print(
                f"Entry {anchor.entry} was cut off by age since: its anchor"
                " proves nothing any more."
            )
    out.print("Keep this elsewhere, for 'log verify --anchor':")
    out.print(f"{finding.last}:{finding.hash}")


def _count(finding: Finding) -> str:
    """Return how many entries were right."""
    what = "entry" if finding.entries == 1 else "entries"
    return f"{finding.entries} {what}"
