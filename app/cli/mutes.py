"""mutes, mute add, mute end and mute import.

These write through the store themselves, in a turn of their own: they work
while the service runs, and before it does. It looks every two seconds.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError

from app.api.mute_views import MuteBody, MuteView, to_matchers
from app.bootstrap import Product
from app.cli.output import Json, print_json, print_table, stop
from app.cli.setup import ConfigFile, wire
from app.core.errors import Refused, StorageFailed
from app.core.numbers import LAST_ID
from app.fold.calendars import Terms, read_calendar
from app.fold.muting import (
    add_mute,
    end_mute,
    plan_calendar,
    plan_mute,
    take_calendar,
)
from app.models.mute import MuteKind
from app.store import mutes as store
from app.store.ledger import Connection, Ledger

NO_DATABASE = 3
REFUSED = 1
COLUMNS = (
    "id",
    "state",
    "kind",
    "comment",
    "author",
    "active_until",
    "next_at",
    "matchers",
)
Author = Annotated[str, typer.Option(help="Who says so.")]
Matchers = Annotated[
    list[str] | None,
    typer.Option("--matcher", "-m", help='Such as severity=~"info|warning".'),
]
Zone = Annotated[str, typer.Option(help="Such as Europe/Berlin.")]
T = TypeVar("T")
mute = typer.Typer(help="Add, end or import mutes and maintenance windows.")


def mutes(
    config: ConfigFile = None,
    is_all: Annotated[
        bool, typer.Option("--all", help="Those that are over, too.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    as_json: Json = False,
) -> None:
    """List mutes and maintenance windows, newest first."""
    product = wire(config)
    try:
        with product.reader.snapshot() as connection:
            found = store.find_page(
                connection,
                is_over=None if is_all else False,
                before=None,
                limit=limit,
            )
    except StorageFailed as error:
        remedy = "Is it there? 'python main.py migrate' makes it."
        stop(f"{product.location}: {error}. {remedy}", NO_DATABASE)
    _print([MuteView.of(one) for one in found], as_json=as_json)


@mute.command()
def add(  # noqa: PLR0913, PLR0917 (each option of a command is a parameter)
    author: Author,
    comment: Annotated[str, typer.Option(help="What it is about.")],
    begins: Annotated[str, typer.Option("--from", help="ISO 8601.")],
    until: Annotated[str, typer.Option(help="ISO 8601.")],
    matcher: Matchers = None,
    kind: MuteKind = MuteKind.MUTE,
    zone: Zone = "",
    rule: Annotated[str, typer.Option(help="RRULE, to come again.")] = "",
    exception: Annotated[
        list[str] | None, typer.Option(help="No beginning; repeatable.")
    ] = None,
    also: Annotated[
        list[str] | None, typer.Option(help="A beginning; repeatable.")
    ] = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Mute what fits, from a time until another, once or by a rule."""
    values = {
        "from": begins,
        "until": until,
        "author": author,
        "comment": comment,
        "matchers": matcher or [],
        "kind": kind,
        "zone": zone,
        "rule": rule,
        "exceptions": exception or [],
        "also": also or [],
    }
    product = wire(config)
    wish = _heed(lambda: _read_body(values).to_wish())
    now = product.clock.now()
    plan = _heed(lambda: plan_mute(wish, now))
    added = write(product, partial(add_mute, plan=plan, now=now))
    _print([MuteView.of(added)], as_json=as_json)


@mute.command()
def end(
    mute_id: Annotated[int, typer.Argument(min=1, max=LAST_ID)],
    author: Author,
    comment: Annotated[str, typer.Option(help="Why.")],
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """End a mute now, and all times that were to come."""
    product = wire(config)
    now = product.clock.now()
    who = (author, comment)
    work = partial(end_mute, number=mute_id, who=who, now=now)
    _print([MuteView.of(write(product, work))], as_json=as_json)


@mute.command(name="import")
def import_file(  # noqa: PLR0913, PLR0917 (each option is a parameter)
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    author: Author,
    comment: Annotated[
        str, typer.Option(help="For events without a name.")
    ] = "",
    matcher: Matchers = None,
    kind: MuteKind = MuteKind.MAINTENANCE,
    zone: Zone = "",
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Take the events of an iCalendar file as mutes, all or none."""
    product = wire(config)
    terms = _heed(
        lambda: Terms(author, comment, kind, to_matchers(matcher or []), zone)
    )
    now = product.clock.now()
    read = _heed(lambda: read_calendar(file.read_bytes(), terms))
    events = _heed(lambda: plan_calendar(read, now))
    by = (f"person:{author}", now)
    outcomes = write(product, partial(take_calendar, events=events, by=by))
    if as_json:
        print_json(outcomes)
        return
    rows = [
        {"event": one.event, "outcome": one.outcome, "mute": one.mute}
        for one in outcomes
    ]
    print_table(rows, ("event", "outcome", "mute"))


def _read_body(values: Mapping[str, object]) -> MuteBody:
    """Return the options as the API would take them."""
    try:
        body = MuteBody.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        detail = f"{field}: {first['msg']}"
        raise Refused(422, "unfit_mute", detail, field=field) from error
    if not body.author:
        detail = "author: say who you are."
        raise Refused(422, "unfit_mute", detail, field="author")
    return body


def write(product: Product, work: Callable[[Connection], T]) -> T:
    """Do some work in a turn of its own, or end with what is wrong."""
    wait = product.settings.server.limits.waiting_seconds
    ledger = Ledger(product.location, wait)

    def take_turn() -> T:
        """Do it."""
        with ledger.turn() as connection:
            return work(connection)

    try:
        return _heed(take_turn)
    except StorageFailed as error:
        stop(f"{product.location}: {error}", NO_DATABASE)
    finally:
        ledger.close()


def _heed(work: Callable[[], T]) -> T:
    """Do some work, or end the command with what was refused."""
    try:
        return work()
    except Refused as refusal:
        stop(f"{refusal.detail} {refusal.remedy}".strip(), REFUSED)


def _print(views: list[MuteView], *, as_json: bool) -> None:
    """Print mutes for a person or for a program."""
    rows = [view.model_dump(by_alias=True) for view in views]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, COLUMNS)
