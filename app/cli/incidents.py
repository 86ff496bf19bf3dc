"""incidents and incident: what is wrong now, and all about one of it."""

from typing import Annotated, Any

import typer

from app.cli.output import Json, out, print_json, print_table, stop
from app.cli.rows import show_row
from app.cli.setup import ConfigFile, wire
from app.cli.show import Limit, given, print_rows, stop_unread
from app.core.errors import StorageFailed
from app.models.incident import State
from app.store.overview import Whole, find_whole, list_incidents
from app.store.snapshot import snapshot

NOT_THERE = 1
MOST = 200
LAST_ID = 2**63 - 1
COLUMNS = (
    "id",
    "state",
    "severity",
    "target_name",
    "title",
    "begins_at",
    "firing",
    "episodes",
    "owner",
    "reason",
)
FACTS = (
    "state",
    "reason",
    "severity",
    "target",
    "problem",
    "source",
    "begins_at",
    "ends_at",
    "opened_at",
    "changed_at",
    "owner",
    "acknowledged_by",
    "acknowledged_at",
)
EPISODE_COLUMNS = (
    "id",
    "source",
    "name",
    "severity",
    "begins_at",
    "until",
    "ended",
    "alerts",
    "because",
)
WORD_COLUMNS = ("at", "author", "kind", "text")
ENTRY_COLUMNS = ("id", "at", "kind", "status", "actor", "summary")


def incidents(  # noqa: PLR0913, PLR0917 (each is an option)
    config: ConfigFile = None,
    state: Annotated[
        State | None, typer.Option(help="Only those in this state.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Only on this one: its name or key.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Also those that are over.")
    ] = False,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List the incidents that are not over, newest first."""
    product = wire(config)
    where = given(target=target)
    if state is not None:
        where["state"] = state.value
    elif not every:
        where["state"] = "living"
    wait = product.settings.server.limits.waiting_seconds
    try:
        with snapshot(product.location, wait) as connection:
            rows = list_incidents(connection, where, limit)
    except StorageFailed as error:
        stop_unread(product, error)
    print_rows([show_row(row) for row in rows], COLUMNS, as_json=as_json)


def incident(
    number: Annotated[int, typer.Argument(metavar="ID", min=1, max=LAST_ID)],
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show one incident: episodes, what people said, and its log."""
    product = wire(config)
    wait = product.settings.server.limits.waiting_seconds
    try:
        with snapshot(product.location, wait) as connection:
            whole = find_whole(connection, number, MOST)
    except StorageFailed as error:
        stop_unread(product, error)
    if whole is None:
        what = "'python main.py incidents --all' lists those that are"
        stop(f"There is no incident {number}; {what}.", NOT_THERE)
    shown = _show(whole)
    if as_json:
        print_json(shown)
    else:
        _tell(shown)


def _show(whole: Whole) -> dict[str, Any]:
    """Return an incident with all that belongs to it, for programs."""
    return {
        **show_row(whole.incident),
        "episode_list": [show_row(row) for row in whole.episodes],
        "words": [show_row(row) for row in whole.words],
        "log": [show_row(row) for row in whole.entries],
    }


def _tell(shown: dict[str, Any]) -> None:
    """Print the same for people."""
    facts = [
        {"fact": name.replace("_", " "), "of it": shown[name]}
        for name in FACTS
        if shown[name] not in (None, "")
    ]
    title = {"fact": f"incident {shown['id']}", "of it": shown["title"]}
    print_table([title, *facts], ("fact", "of it"))
    for row in shown["episode_list"]:
        why = row["because"]
        row["because"] = f"merged because {why}" if why else ""
    for name, columns in (
        ("episode_list", EPISODE_COLUMNS),
        ("words", WORD_COLUMNS),
        ("log", ENTRY_COLUMNS),
    ):
        if shown[name]:
            out.print()
            print_table(shown[name], columns)
            _tell_if_more(shown[name], name)


def _tell_if_more(rows: list[Any], name: str) -> None:
    """Say that only the newest are shown, when there may be more."""
    if len(rows) == MOST:
        what = "episodes" if name == "episode_list" else name
        out.print(f"({what}: the newest {MOST})")
