"""incidents and incident: what is wrong now, and all about one of it."""

from typing import Annotated, Any

import typer

from app.api.entries import EntryView
from app.api.incident_views import IncidentDossier, IncidentItem
from app.bootstrap import Product
from app.cli.output import Json, out, print_json, print_table, stop
from app.cli.setup import ConfigFile, wire
from app.cli.show import Canary, Limit, print_rows, reading
from app.core.numbers import LAST_ID
from app.models.canary import CANARY
from app.models.incident import LIVING, State
from app.store.dossier import find_dossier, find_entries
from app.store.listings import INCIDENTS
from app.store.reading import Reader, Wish

NOT_THERE = 1
MOST = 200
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
    "team",
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
    "team",
    "owner",
    "acknowledged_by",
    "acknowledged_at",
    "merged_into",
    "siblings",
    "merged",
)
EPISODE_COLUMNS = (
    "id",
    "source",
    "name",
    "severity",
    "begins_at",
    "ended_at",
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
    canary: Canary = False,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List the incidents that are not over, newest first."""
    product = wire(config)
    where: dict[str, Any] = {}
    if state is not None:
        where["state"] = state.value
    elif not every:
        where["state"] = tuple(sorted(one.value for one in LIVING))
    if not canary:
        where["source_not"] = CANARY
    with reading(product) as reader:
        rows = _list(reader, where, target, limit)
    views = [IncidentItem.of(row).model_dump() for row in rows]
    print_rows(views, COLUMNS, as_json=as_json)


def incident(
    number: Annotated[int, typer.Argument(metavar="ID", min=1, max=LAST_ID)],
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show one incident: episodes, what people said, and its log."""
    product = wire(config)
    whole = _find(product, number)
    if whole is None:
        what = "'python main.py incidents --all' lists those that are"
        stop(f"There is no incident {number}; {what}.", NOT_THERE)
    if as_json:
        print_json(whole)
    else:
        _tell(whole)


def _list(
    reader: Reader, where: dict[str, Any], target: str | None, limit: int
) -> list[Any]:
    """Return incidents, newest first; a target is a key or a name."""
    about = ["target", "target_name"] if target is not None else [""]
    found = {}
    for column in about:
        wish = Wish(where | ({column: target} if column else {}), limit=limit)
        rows = reader.page(INCIDENTS, wish).rows
        found.update({row.id: row for row in rows})
    return [found[number] for number in sorted(found, reverse=True)][:limit]


def _find(product: Product, number: int) -> dict[str, Any] | None:
    """Return an incident as the API shows it, and its newest entries."""
    within = product.rules.windows.together
    with reading(product) as reader, reader.snapshot() as connection:
        dossier = find_dossier(connection, number, within)
        entries = find_entries(connection, number, MOST)
    if dossier is None:
        return None
    told = [EntryView.of(entry).model_dump() for entry in entries]
    return IncidentDossier.whole(dossier).model_dump() | {"entries": told}


def _tell(whole: dict[str, Any]) -> None:
    """Print the same for people."""
    facts = [
        {"fact": name.replace("_", " "), "of it": _join(whole[name])}
        for name in FACTS
        if whole[name] not in (None, "", [])
    ]
    title = {"fact": f"incident {whole['id']}", "of it": whole["title"]}
    print_table([title, *facts], ("fact", "of it"))
    episodes = [
        {**row, "because": f"merged because {row['because']}"}
        if row["because"]
        else row
        for row in reversed(whole["all_episodes"])
    ]
    for name, rows, columns in (
        ("episodes", episodes, EPISODE_COLUMNS),
        ("words", whole["words"], WORD_COLUMNS),
        ("entries", whole["entries"], ENTRY_COLUMNS),
    ):
        if rows:
            out.print()
            print_table(rows, columns)
        if len(rows) == MOST:
            out.print(f"({name}: the newest {MOST})")


def _join(value: Any) -> Any:
    """Return several values as one text."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value
